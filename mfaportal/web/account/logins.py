"""One's live logins: every browser that is logged in, and the buttons that end them."""

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import HiddenField
from wtforms.validators import Regexp

from ...domain import login_list
from ...domain.login_list import NoSuchLogin
from ...plumbing.browsers import in_words
from ...rules.access import Audience
from .. import asking, login_session, page
from ..forms import PortalForm
from ..fresh import StepUp
from ..gate import audience
from ..wording import of_browsers
from ._blueprint import blueprint

TEMPLATE = "account/logins.html"


class LoginForm(PortalForm):
    """The number of the login that is to end."""

    login = HiddenField(validators=[Regexp(r"[1-9][0-9]{0,17}\Z", message="Choose a browser from the list.")])


@blueprint.get("/security/logins")
@audience(Audience.ACCOUNT, step_up=StepUp.ROW)
def logins() -> ResponseReturnValue:
    return render_template(TEMPLATE, **_context())


@blueprint.post("/security/logins")
@audience(Audience.ACCOUNT, step_up=StepUp.ROW)
def end_logins() -> ResponseReturnValue:
    """`others`: all but this one; else the one whose number is sent. One's own is a log-out."""
    if "others" in request.form:
        ended = login_list.end_others(asking.caller())
        flash(of_browsers(ended) or "No other browser was logged in.", "good")
        return redirect(url_for("account.logins"), 303)
    form = LoginForm()
    if not form.validate():
        return page.refused(TEMPLATE, form, None, form.login.errors[0], **_context())
    login_id = int(form.login.data or 0)
    outcome = login_list.end(asking.caller(), login_id)
    if isinstance(outcome, NoSuchLogin):
        abort(404)
    if login_id == asking.identity().login_id:
        return login_session.part("You are logged out.")
    flash("That browser is logged out.", "good")
    return redirect(url_for("account.logins"), 303)


def _context() -> dict[str, Any]:
    live = login_list.live(asking.account(), asking.now(), asking.limits())
    return {
        "logins": [(login, in_words(login.browser)) for login in live],
        "own": asking.identity().login_id,
        "cut": len(live) == login_list.SHOWN,
    }
