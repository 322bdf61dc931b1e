"""The first start: the first operator, the first portal, once and never again."""

import hmac

from flask import abort, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from ...domain import accounts
from ...domain.accounts import Newcomer
from ...domain.outcomes import AccountRefusal, LoggedIn, PortalRefusal, WelcomeRefusal
from ...plumbing.runtime import runtime
from ...rules.access import Audience
from ...rules.names import PORTAL_MAX
from .. import asking, login_session, new_password, page
from ..gate import audience
from ..wording import OF_ACCOUNT
from ._blueprint import blueprint
from .forms import WelcomeForm

TEMPLATE = "auth/welcome.html"
_TOKEN = "welcome_token"  # noqa: S105
_BAD_PORTAL = f"Enter a name of 1 to {PORTAL_MAX} visible characters."


@blueprint.route("/welcome", methods=["GET", "POST"])
@audience(Audience.PUBLIC)
def welcome() -> ResponseReturnValue:
    if not accounts.none_yet():
        abort(404)
    if "token" in request.args and request.method == "GET":
        session[_TOKEN] = request.args["token"][:200]
        return redirect(url_for("auth.welcome"), 303)
    form = WelcomeForm()
    if not form.is_submitted():
        form.token.data = session.get(_TOKEN, "")
        return render_template(TEMPLATE, form=form)
    is_valid, is_right = form.validate(), _is_right(form.token.data or "")
    if not is_right:
        form.token.data = ""  # never shown again, whatever it was
    if not is_valid:
        return page.invalid(TEMPLATE, form)
    if not is_right:
        return page.refused(
            TEMPLATE, form, form.token, "This is not the token that the terminal printed at the last start."
        )
    page.if_busy(lambda: page.refused(TEMPLATE, form, form.password, page.BUSY))
    sentence = new_password.refusal_of(form.password.data, form.email.data, form.name.data, form.portal.data)
    if sentence:
        return page.refused(TEMPLATE, form, form.password, sentence)
    return _create(form)


def _create(form: WelcomeForm) -> ResponseReturnValue:
    newcomer = Newcomer(form.email.data, form.name.data, form.password.data, operator=True)
    outcome = accounts.welcome(asking.caller(), newcomer, form.portal.data)
    match outcome:
        case LoggedIn():
            login_session.begin(outcome.token, None)
            response = redirect(url_for("account.add_app", first="yes"), 303)
            return login_session.remember_device(response, outcome.email, outcome.device)
        case WelcomeRefusal.TOO_LATE:
            abort(404)
        case PortalRefusal():
            return page.refused(TEMPLATE, form, form.portal, _BAD_PORTAL)
        case AccountRefusal():
            field = form.email if outcome is AccountRefusal.BAD_EMAIL else form.name
            return page.refused(TEMPLATE, form, field, OF_ACCOUNT[outcome])


def _is_right(token: str) -> bool:
    return hmac.compare_digest(token.strip().encode(), runtime().keys.welcome_token.encode())
