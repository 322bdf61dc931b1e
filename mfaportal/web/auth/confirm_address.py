"""The page behind the link that confirms the address of a stranger's request. Nobody is logged in by it.

The GET takes the token out of the address bar into the session; only the button takes the link, for mail programs and
scanners open links by themselves.
"""

from typing import Any

from flask import flash, make_response, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue

from ...domain import confirming
from ...domain.confirming import Confirmed, ConfirmRefusal
from ...domain.outcomes import PausedUntil, WrongPassword
from ...plumbing.tokens import well_formed
from ...rules.access import Audience
from .. import asking, page
from ..gate import audience
from ..wording import of_pause
from ._blueprint import blueprint
from .forms import PasswordForm

TEMPLATE = "auth/confirm_address.html"
_KEY = "address_token"
_WRONG = "This is not the password that was chosen with the request."
_WORDS = {
    ConfirmRefusal.CLOSED: "The portal takes no requests any more. Ask whoever runs it.",
    ConfirmRefusal.HAS_ACCOUNT: "There is an account with this address already. Log in with it, and ask from there.",
}


@blueprint.get("/confirm-address/<token>")
@audience(Audience.PUBLIC)
def open_address_link(token: str) -> ResponseReturnValue:
    if not well_formed(token):
        return _gone()
    session[_KEY] = token
    return redirect(url_for("auth.confirm_address"), 303)


@blueprint.route("/confirm-address", methods=["GET", "POST"])
@audience(Audience.PUBLIC)
def confirm_address() -> ResponseReturnValue:
    """Says who asked for what, since whoever has the address may be somebody else than who typed it."""
    token = session.get(_KEY)
    seen = confirming.look(token, asking.now()) if isinstance(token, str) else None
    if not isinstance(token, str) or seen is None:
        return _gone()
    form: Any = PasswordForm()
    if not form.is_submitted():
        return render_template(TEMPLATE, form=form, request_seen=seen)
    if not form.validate():
        return page.invalid(TEMPLATE, form, request_seen=seen)
    page.if_busy(lambda: page.refused(TEMPLATE, form, form.password, page.BUSY, request_seen=seen))
    outcome = confirming.confirm(asking.caller(), token, form.password.data)
    match outcome:
        case Confirmed(portal, account_made):
            session.pop(_KEY, None)
            flash(_done(portal, account_made=account_made), "good")
            return redirect(url_for("auth.log_in"), 303)
        case ConfirmRefusal.GONE:
            return _gone()
        case WrongPassword():
            return page.refused(TEMPLATE, form, form.password, _WRONG, request_seen=seen)
        case PausedUntil():
            sentence = of_pause("attempts", outcome, asking.now())
            return page.paused(TEMPLATE, form, form.password, sentence, outcome, request_seen=seen)
        case _:
            return page.invalid(TEMPLATE, form, status=409, request_seen=seen, refusal=_WORDS[outcome])


def _done(portal: str, *, account_made: bool) -> str:
    if account_made:
        return "Your address is confirmed and your account is made. Log in with it."
    return f"Your address is confirmed. An admin of {portal} decides now, and you get an e-mail."


def _gone() -> ResponseReturnValue:
    """Used, older than a day, or never made: one page for all of them."""
    return make_response(render_template("auth/link_gone.html", of_address=True), 410)
