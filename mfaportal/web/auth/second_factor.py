"""The code at log-in."""

from flask import render_template
from flask.typing import ResponseReturnValue

from ...domain import logins
from ...domain.outcomes import LoggedIn, PausedUntil
from ...rules.access import Audience
from .. import asking, login_session, page, wanted_page
from ..gate import audience
from ..wording import of_code
from ._blueprint import blueprint
from .forms import CodeForm

TEMPLATE = "auth/code.html"


@blueprint.route("/log-in/code", methods=["GET", "POST"])
@audience(Audience.ENTERING_CODE)
def enter_code() -> ResponseReturnValue:
    form = CodeForm()
    if not form.is_submitted():
        return render_template(TEMPLATE, form=form)
    if not form.validate():
        return page.invalid(TEMPLATE, form)
    device = login_session.device_for(asking.account().email)
    outcome = logins.enter_code(asking.caller(), form.code.data, device=device)
    if isinstance(outcome, LoggedIn):
        return login_session.complete(outcome, wanted_page.take())
    sentence = of_code(outcome, asking.now())
    if isinstance(outcome, PausedUntil):
        return page.paused(TEMPLATE, form, form.code, sentence, outcome)
    return page.refused(TEMPLATE, form, form.code, sentence)
