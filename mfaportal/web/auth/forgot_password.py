"""A forgotten password: one answer for all addresses. Without a mail server, people help."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from ...domain import notices, password_resets
from ...domain.outcomes import AccountRefusal
from ...rules.access import Audience
from .. import asking, page
from ..gate import audience
from ..wording import OF_ACCOUNT
from ._blueprint import blueprint
from .forms import ForgotPasswordForm

TEMPLATE = "auth/forgot_password.html"
SENT = "If there is an account with this address, a link is on its way to it. It works for 30 minutes."


@blueprint.route("/forgot-password", methods=["GET", "POST"])
@audience(Audience.GUESTS)
def forgot_password() -> ResponseReturnValue:
    """Who asks learns nothing: not even the portal itself looks whose the address is, until the mail is made."""
    form, by_mail = ForgotPasswordForm(), notices.mail_works()
    if not form.is_submitted():
        return render_template(TEMPLATE, form=form, by_mail=by_mail)
    if not form.validate():
        return page.invalid(TEMPLATE, form, by_mail=by_mail)
    outcome = password_resets.ask(asking.caller(), form.email.data)
    if isinstance(outcome, AccountRefusal):
        return page.refused(TEMPLATE, form, form.email, OF_ACCOUNT[outcome], by_mail=by_mail)
    if by_mail:
        flash(SENT, "good")
    return redirect(url_for("auth.forgot_password"), 303)
