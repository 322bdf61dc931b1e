"""Step-up: asking again before something sensitive, then back to the page that asked."""

from typing import Any

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from ...domain import logins, recovery_codes
from ...domain.outcomes import CodeRefusal, Done, PausedUntil, WrongPassword
from ...rules.access import Audience
from ...rules.recovery_codes import clean
from .. import asking, page, wanted_page
from ..gate import audience
from ..wording import of_code, of_pause, of_recovery_code
from ._blueprint import blueprint
from .forms import CodeForm, PasswordForm

TEMPLATE = "auth/confirm.html"


@blueprint.route("/confirm", methods=["GET", "POST"])
@audience(Audience.ACCOUNT)
def confirm() -> ResponseReturnValue:
    """A code where the account has an app (of it, or a recovery code), else the password."""
    with_code = asking.account().has_authenticator
    form: Any = CodeForm() if with_code else PasswordForm()
    if with_code and _by_letters():
        form.code.render_kw = {**form.code.render_kw, "inputmode": "text"}  # a phone shows digits alone otherwise
    if not form.is_submitted():
        return render_template(TEMPLATE, form=form, **_context(with_code))
    if not form.validate():
        return page.invalid(TEMPLATE, form, **_context(with_code))
    return _by_code(form) if with_code else _by_password(form)


def _by_letters() -> bool:
    return request.args.get("by") == "recovery-code"


def _context(with_code: bool) -> dict[str, Any]:
    wanted = wanted_page.usable(request.args.get("next"))
    return {"with_code": with_code, "letters": _by_letters(), "wanted": wanted, "list_page": _list_of(wanted)}


def _list_of(wanted: str | None) -> str | None:
    """Where a file of a list is wanted, the list: a browser that has got the file stays on this page."""
    path = (wanted or "").partition("?")[0]
    return path.removesuffix(".csv") if path.endswith(".csv") else None


def _by_code(form: CodeForm) -> ResponseReturnValue:
    typed = form.code.data
    if clean(typed) is None:
        outcome: Done | CodeRefusal = logins.confirm_by_code(asking.caller(), typed)
        sentence = "" if isinstance(outcome, Done) else of_code(outcome, asking.now())
    else:
        outcome = recovery_codes.confirm(asking.caller(), typed)
        sentence = "" if isinstance(outcome, Done) else of_recovery_code(outcome, asking.now())
    if isinstance(outcome, Done):
        return _back()
    if isinstance(outcome, PausedUntil):
        return page.paused(TEMPLATE, form, form.code, sentence, outcome, **_context(True))
    return page.refused(TEMPLATE, form, form.code, sentence, **_context(True))


def _by_password(form: PasswordForm) -> ResponseReturnValue:
    page.if_busy(lambda: page.refused(TEMPLATE, form, form.password, page.BUSY, **_context(False)))
    outcome = logins.confirm_by_password(asking.caller(), form.password.data)
    match outcome:
        case Done():
            return _back()
        case WrongPassword():
            return page.refused(TEMPLATE, form, form.password, "This is not your password.", **_context(False))
        case PausedUntil():
            sentence = of_pause("attempts", outcome, asking.now())
            return page.paused(TEMPLATE, form, form.password, sentence, outcome, **_context(False))


def _back() -> ResponseReturnValue:
    return redirect(wanted_page.usable(request.args.get("next")) or "/account/security", 303)
