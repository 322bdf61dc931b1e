"""Links to set a new password: the GET takes the token out of the address bar into the session.

Nobody is logged in by it. Invitations have a page of their own, `invitation`.
"""

from flask import flash, make_response, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue

from ...domain import one_time_links
from ...domain.one_time_links import LinkRefusal
from ...models import LinkKind
from ...plumbing.tokens import well_formed
from ...rules.access import Audience
from .. import asking, new_password, page
from ..gate import audience
from ._blueprint import blueprint
from .forms import NewPasswordForm

PASSWORD_SET = "Your password is set. Log in with it."  # noqa: S105
_KEY = "reset_token"
_TEMPLATE = "auth/reset_password.html"


@blueprint.get("/reset-password/<token>")
@audience(Audience.PUBLIC)
def open_reset_link(token: str) -> ResponseReturnValue:
    if not well_formed(token):
        return gone()
    session[_KEY] = token
    return redirect(url_for("auth.reset_password"), 303)


@blueprint.route("/reset-password", methods=["GET", "POST"])
@audience(Audience.PUBLIC)
def reset_password() -> ResponseReturnValue:
    """A new password. MFA stays as it is, and nobody is logged in by it."""
    token = session.get(_KEY)
    if not isinstance(token, str):
        return gone()
    link = one_time_links.look(token, LinkKind.RESET, asking.now())
    if link is None:
        return gone()
    form = NewPasswordForm()
    if not form.is_submitted():
        return render_template(_TEMPLATE, form=form, link=link)
    if not form.validate():
        return page.invalid(_TEMPLATE, form, link=link)
    page.if_busy(lambda: page.refused(_TEMPLATE, form, form.password, page.BUSY, link=link))
    sentence = new_password.refusal_of(form.password.data, link.email, link.name, account_id=link.account_id)
    if sentence:
        return page.refused(_TEMPLATE, form, form.password, sentence, link=link)
    outcome = one_time_links.take(asking.caller(), token, LinkKind.RESET, password=form.password.data)
    if isinstance(outcome, LinkRefusal):
        return gone()
    session.pop(_KEY, None)
    flash(PASSWORD_SET, "good")
    return redirect(url_for("auth.log_in"), 303)


def gone() -> ResponseReturnValue:
    """Used, too old, void, or never made: one page for all of them, and a way on."""
    return make_response(render_template("auth/link_gone.html"), 410)
