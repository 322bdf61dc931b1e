"""Log in with e-mail and password; log out."""

from flask import make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from ...domain import access_requests, accounts, logins
from ...domain.outcomes import LoggedIn, LoginRefusal, PausedUntil, StillAsking, WrongPassword
from ...rules.access import Audience
from ...rules.stages import Stage
from .. import asking, login_session, page, wanted_page
from ..gate import audience
from ..wording import of_pause
from ._blueprint import blueprint
from .forms import LogInForm

TEMPLATE = "auth/log_in.html"
WRONG = "E-mail or password is wrong."


@blueprint.route("/log-in", methods=["GET", "POST"])
@audience(Audience.GUESTS)
def log_in() -> ResponseReturnValue:
    form = LogInForm()
    if not form.is_submitted():
        # a token that is nobody's any more: the person was logged in and is told why not now
        ended = asking.TOKEN in session
        return render_template(
            TEMPLATE, form=form, ended=ended, first_start=accounts.none_yet(), ask_at=_where_to_ask()
        )
    if not form.validate():
        return page.invalid(TEMPLATE, form, ask_at=_where_to_ask())
    page.if_busy(lambda: page.refused(TEMPLATE, form, form.password, page.BUSY, ask_at=_where_to_ask()))
    outcome = logins.log_in(
        asking.caller(),
        form.email.data,
        form.password.data,
        device=login_session.device_for(form.email.data),
        old_token=asking.token_digest(),
    )
    match outcome:
        case LoggedIn():
            return _begun(outcome)
        case WrongPassword():
            return page.refused(TEMPLATE, form, form.password, WRONG, ask_at=_where_to_ask())
        case PausedUntil():
            sentence = of_pause("attempts", outcome, asking.now())
            return page.paused(TEMPLATE, form, form.password, sentence, outcome, ask_at=_where_to_ask())
        case LoginRefusal():
            return make_response(render_template("auth/refused.html", why=outcome.name), 403)
        case StillAsking():
            return make_response(
                render_template("auth/still_asking.html", told=outcome, contact_words=outcome.contact), 403
            )


def _where_to_ask() -> str | None:
    """The slug of the portal where a visitor may ask for access: the one that they want to see, or the only one."""
    wanted = wanted_page.portal_of(request.args.get("next"))
    only = asking.identity().portal
    if only is not None and wanted in (None, only.slug):
        return only.slug if only.takes_requests else None
    return wanted if wanted is not None and access_requests.takes_requests(wanted) else None


def _begun(login: LoggedIn) -> ResponseReturnValue:
    login_session.begin(login.token, request.args.get("next"))
    match login.stage:
        case Stage.CODE:
            way_on = url_for("auth.enter_code")
        case Stage.SET_UP:
            way_on = url_for("auth.set_up")
        case _:
            way_on = wanted_page.take()
    return login_session.remember_device(redirect(way_on, 303), login.email, login.device)


@blueprint.post("/log-out")
@audience(Audience.HALF_LOGGED_IN)
def log_out() -> ResponseReturnValue:
    token = asking.token_digest()
    if token is not None:
        logins.log_out(asking.caller(), token)
    return login_session.part("You are logged out.")
