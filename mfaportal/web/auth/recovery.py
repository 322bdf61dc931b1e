"""A recovery code at log-in, in place of the app's code. It leads to where a lost app is replaced."""

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from ...domain import recovery_codes
from ...domain.outcomes import LoggedIn, PausedUntil
from ...rules.access import Audience
from .. import asking, login_session, page, wanted_page
from ..gate import audience
from ..wording import of_recovery_code
from ._blueprint import blueprint
from .forms import RecoveryForm

TEMPLATE = "auth/recovery.html"


@blueprint.route("/log-in/recovery", methods=["GET", "POST"])
@audience(Audience.ENTERING_CODE)
def recovery() -> ResponseReturnValue:
    form = RecoveryForm()
    if not form.is_submitted():
        return render_template(TEMPLATE, form=form)
    if not form.validate():
        return page.invalid(TEMPLATE, form)
    device = login_session.device_for(asking.account().email)
    outcome = recovery_codes.enter(asking.caller(), form.code.data, device=device)
    if isinstance(outcome, LoggedIn):
        return login_session.complete(outcome, url_for("account.methods", next=wanted_page.take()))
    sentence = of_recovery_code(outcome, asking.now())
    if isinstance(outcome, PausedUntil):
        return page.paused(TEMPLATE, form, form.code, sentence, outcome)
    return page.refused(TEMPLATE, form, form.code, sentence)
