"""Tab Profile: one's name, and the portals that one is a member of."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from ...domain import accounts, leaving
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
    if not form.is_submitted():
        form.name.data = asking.account().name
        return render_template(TEMPLATE, form=form, **_context())
    if not form.validate():
        return page.invalid(TEMPLATE, form, **_context())
    outcome = accounts.rename(asking.caller(), form.name.data)
    if outcome is AccountRefusal.BAD_NAME:
        return page.refused(TEMPLATE, form, form.name, OF_ACCOUNT[outcome], **_context())
    flash("Your name is saved.", "good")
    return redirect(url_for("account.profile"), 303)


def _context() -> dict[str, Any]:
    account = asking.account()
    return {"account": account, "portals": leaving.portals_of(account.id)}
