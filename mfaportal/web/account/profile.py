"""Tab Profile: one's name."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from ...domain import accounts
from ...domain.outcomes import AccountRefusal
from ...rules.access import Audience
from ...rules.names import PERSON_MAX
from .. import asking, page
from ..forms import PortalForm, text_field
from ..gate import audience
from ..wording import OF_ACCOUNT
from ._blueprint import blueprint

TEMPLATE = "account/profile.html"


class ProfileForm(PortalForm):
    name = text_field("Name", longest=PERSON_MAX, missing="Enter your name.", autocomplete="name")


@blueprint.route("", methods=["GET", "POST"])
@audience(Audience.ACCOUNT)
def profile() -> ResponseReturnValue:
    form = ProfileForm()
    account = asking.account()
    if not form.is_submitted():
        form.name.data = account.name
        return render_template(TEMPLATE, form=form, account=account)
    if not form.validate():
        return page.invalid(TEMPLATE, form, account=account)
    outcome = accounts.rename(asking.caller(), form.name.data)
    if outcome is AccountRefusal.BAD_NAME:
        return page.refused(TEMPLATE, form, form.name, OF_ACCOUNT[outcome], account=account)
    flash("Your name is saved.", "good")
    return redirect(url_for("account.profile"), 303)
