"""Changing one's password. This browser stays logged in, all others do not."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from ...domain import password_changes
from ...domain.outcomes import PausedUntil, WrongPassword
from ...domain.password_changes import PasswordChanged
from ...rules.access import Audience
from ...rules.password_rule import MIN_LENGTH
from .. import asking, login_session, new_password, page
from ..forms import PortalForm, password_field
from ..fresh import StepUp
from ..gate import audience
from ..wording import of_browsers, of_pause
from ._blueprint import blueprint

TEMPLATE = "account/password.html"
_SAME = "This is the password that you have now. Choose another one."


class ChangePasswordForm(PortalForm):
    current_password = password_field("Current password", new=False)
    password = password_field(
        "New password",
        new=True,
        help_text=f"At least {MIN_LENGTH} characters. A few words in a row make a good one.",
    )


@blueprint.route("/security/password", methods=["GET", "POST"])
@audience(Audience.ACCOUNT, step_up=StepUp.FORM)
def password() -> ResponseReturnValue:
    form, account = ChangePasswordForm(), asking.account()
    if not form.is_submitted():
        return render_template(TEMPLATE, form=form, account=account)
    if not form.validate():
        return page.invalid(TEMPLATE, form, account=account)
    page.if_busy(lambda: page.refused(TEMPLATE, form, form.current_password, page.BUSY, account=account))
    current, new = form.current_password.data, form.password.data
    sentence = new_password.refusal_of(new, account.email, account.name, account_id=account.id)
    if sentence or new == current:
        return page.refused(TEMPLATE, form, form.password, sentence or _SAME, account=account)
    outcome = password_changes.change(asking.caller(), current, new)
    match outcome:
        case PasswordChanged():
            login_session.carry_on(outcome.token)
            flash(f"Your password is changed. {of_browsers(outcome.ended)}".strip(), "good")
            way_on = redirect(url_for("account.security"), 303)
            return login_session.remember_device(way_on, account.email, outcome.device)
        case WrongPassword():
            sentence = "This is not your password."
            return page.refused(TEMPLATE, form, form.current_password, sentence, account=account)
        case PausedUntil():
            sentence = of_pause("attempts", outcome, asking.now())
            return page.paused(TEMPLATE, form, form.current_password, sentence, outcome, account=account)
