"""One-time links: the GET takes the token out of the address bar into the session. Nobody is logged in by it."""

from flask import flash, make_response, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue

from ...domain import one_time_links
from ...domain.one_time_links import LinkRefusal, LinkSeen
from ...domain.outcomes import AccountRefusal
from ...models import LinkKind
from ...rules.access import Audience
from .. import asking, new_password, page
from ..gate import audience
from ..wording import OF_ACCOUNT
from ._blueprint import blueprint
from .forms import InvitationForm, NewPasswordForm

_KEYS = {LinkKind.RESET: "reset_token", LinkKind.INVITATION: "invitation_token"}
_DONE = "Your password is set. Log in with it."


@blueprint.get("/reset-password/<token>")
@audience(Audience.PUBLIC)
def open_reset_link(token: str) -> ResponseReturnValue:
    session[_KEYS[LinkKind.RESET]] = token[:100]
    return redirect(url_for("auth.reset_password"), 303)


@blueprint.get("/invitations/<token>")
@audience(Audience.PUBLIC)
def open_invitation(token: str) -> ResponseReturnValue:
    session[_KEYS[LinkKind.INVITATION]] = token[:100]
    return redirect(url_for("auth.invitation"), 303)


@blueprint.route("/reset-password", methods=["GET", "POST"])
@audience(Audience.PUBLIC)
def reset_password() -> ResponseReturnValue:
    """A new password. MFA stays as it is, and nobody is logged in by it."""
    link = _link(LinkKind.RESET)
    if link is None:
        return _gone()
    form = NewPasswordForm()
    template = "auth/reset_password.html"
    if not form.is_submitted():
        return render_template(template, form=form, link=link)
    if not form.validate():
        return page.invalid(template, form, link=link)
    sentence = new_password.refusal_of(form.password.data, link.email, link.name)
    if sentence:
        return page.refused(template, form, form.password, sentence, link=link)
    outcome = one_time_links.take(
        asking.caller(), _token(LinkKind.RESET), LinkKind.RESET, password=form.password.data
    )
    return _gone() if isinstance(outcome, LinkRefusal) else _done(LinkKind.RESET)


@blueprint.route("/invitation", methods=["GET", "POST"])
@audience(Audience.PUBLIC)
def invitation() -> ResponseReturnValue:
    """A new person chooses name and password, then logs in."""
    link = _link(LinkKind.INVITATION)
    if link is None:
        return _gone()
    form = InvitationForm()
    template = "auth/invitation.html"
    if not form.is_submitted():
        form.name.data = link.name
        return render_template(template, form=form, link=link)
    if not form.validate():
        return page.invalid(template, form, link=link)
    sentence = new_password.refusal_of(form.password.data, link.email, form.name.data)
    if sentence:
        return page.refused(template, form, form.password, sentence, link=link)
    outcome = one_time_links.take(
        asking.caller(),
        _token(LinkKind.INVITATION),
        LinkKind.INVITATION,
        password=form.password.data,
        name=form.name.data,
    )
    if isinstance(outcome, AccountRefusal):
        return page.refused(template, form, form.name, OF_ACCOUNT[outcome], link=link)
    return _gone() if isinstance(outcome, LinkRefusal) else _done(LinkKind.INVITATION)


def _token(kind: LinkKind) -> str:
    token = session.get(_KEYS[kind])
    return token if isinstance(token, str) else ""


def _link(kind: LinkKind) -> LinkSeen | None:
    token = _token(kind)
    return one_time_links.look(token, kind, asking.now()) if token else None


def _gone() -> ResponseReturnValue:
    return make_response(render_template("auth/link_gone.html"), 410)


def _done(kind: LinkKind) -> ResponseReturnValue:
    session.pop(_KEYS[kind], None)
    flash(_DONE, "good")
    return redirect(url_for("auth.log_in"), 303)
