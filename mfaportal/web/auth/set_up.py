"""Set-up at log-in, where a rule demands it. The recovery codes that come with it are shown next."""

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from ...domain.outcomes import SetUpDone
from ...rules.access import Audience
from .. import asking, login_session, set_up_page, wanted_page
from ..gate import audience
from ._blueprint import blueprint

TEMPLATE = "auth/set_up.html"


@blueprint.get("/log-in/set-up")
@audience(Audience.SETTING_UP)
def set_up() -> ResponseReturnValue:
    return set_up_page.show(TEMPLATE)


@blueprint.post("/log-in/set-up")
@audience(Audience.SETTING_UP)
def finish_set_up() -> ResponseReturnValue:
    outcome = set_up_page.submit(TEMPLATE, log_out_others=True)
    if not isinstance(outcome, SetUpDone):
        return outcome
    email = asking.account().email
    login_session.carry_on(outcome.token)
    flash("Your app is set up. You will be asked for a code at each log-in.", "good")
    way_on = url_for("account.recovery_codes", next=wanted_page.take())
    return login_session.remember_device(redirect(way_on, 303), email, outcome.device)
