"""Step-up: asking again before something sensitive, then back to the page that asked."""

from typing import Any

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from ...domain import logins
from ...domain.outcomes import Done, PausedUntil, WrongPassword
from ...rules.access import Audience
from .. import asking, page, wanted_page
from ..gate import audience
from ..wording import of_code, of_pause
from ._blueprint import blueprint
from .forms import CodeForm, PasswordForm

TEMPLATE = "auth/confirm.html"


@blueprint.route("/confirm", methods=["GET", "POST"])
@audience(Audience.ACCOUNT)
def confirm() -> ResponseReturnValue:
    """A code where the account has an app, else the password."""
    with_code = asking.account().has_authenticator
    form: Any = CodeForm() if with_code else PasswordForm()
    if not form.is_submitted():
        return render_template(TEMPLATE, form=form, with_code=with_code)
    if not form.validate():
        return page.invalid(TEMPLATE, form, with_code=with_code)
    return _by_code(form) if with_code else _by_password(form)


def _by_code(form: CodeForm) -> ResponseReturnValue:
    outcome = logins.confirm_by_code(asking.caller(), form.code.data)
    if isinstance(outcome, Done):
        return _back()
    sentence = of_code(outcome, asking.now())
    if isinstance(outcome, PausedUntil):
        return page.paused(TEMPLATE, form, form.code, sentence, outcome, with_code=True)
    return page.refused(TEMPLATE, form, form.code, sentence, with_code=True)


def _by_password(form: PasswordForm) -> ResponseReturnValue:
    outcome = logins.confirm_by_password(asking.caller(), form.password.data)
    match outcome:
        case Done():
            return _back()
        case WrongPassword():
            return page.refused(TEMPLATE, form, form.password, "This is not your password.", with_code=False)
        case PausedUntil():
            sentence = of_pause("attempts", outcome, asking.now())
            return page.paused(TEMPLATE, form, form.password, sentence, outcome, with_code=False)


def _back() -> ResponseReturnValue:
    return redirect(wanted_page.usable(request.args.get("next")) or "/account/security", 303)
