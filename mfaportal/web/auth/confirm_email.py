"""The page behind the link that confirms a new e-mail address. Nobody is logged in by it.

The GET takes the token out of the address bar into the session; only the button takes the link, for mail programs and
scanners open links by themselves.
"""

from flask import flash, make_response, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue

from ...domain import email_changes
from ...domain.one_time_links import LinkRefusal
from ...plumbing.tokens import well_formed
from ...rules.access import Audience
from .. import asking, login_session
from ..forms import PortalForm
from ..gate import audience
from ._blueprint import blueprint

_KEY = "email_token"


class ConfirmEmailForm(PortalForm):
    """Nothing to fill in: the link is the proof."""


@blueprint.get("/confirm-email/<token>")
@audience(Audience.PUBLIC)
def open_email_link(token: str) -> ResponseReturnValue:
    if not well_formed(token):
        return _gone()
    session[_KEY] = token
    return redirect(url_for("auth.confirm_email"), 303)


@blueprint.route("/confirm-email", methods=["GET", "POST"])
@audience(Audience.PUBLIC)
def confirm_email() -> ResponseReturnValue:
    """Says whose account it is, since whoever has the address may be somebody else than who typed it."""
    token = session.get(_KEY)
    link = email_changes.look(token, asking.now()) if isinstance(token, str) else None
    if not isinstance(token, str) or link is None:
        return _gone()
    form = ConfirmEmailForm()
    if not form.is_submitted():
        return render_template("auth/confirm_email.html", form=form, link=link)
    outcome = email_changes.confirm(asking.caller(), token)
    if isinstance(outcome, LinkRefusal):
        return _gone()
    session.pop(_KEY, None)
    flash("The new e-mail address is confirmed. It is the one to log in with from now on.", "good")
    response = redirect(url_for("account.profile"), 303)
    return login_session.remember_device(response, outcome.email, outcome.device)


def _gone() -> ResponseReturnValue:
    """Used, older than a day, void, or never made: one page for all of them."""
    return make_response(render_template("auth/link_gone.html", of_email=True), 410)
