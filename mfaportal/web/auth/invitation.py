"""The page behind an invitation: a new person chooses name and password, one with an account logs in and accepts.

Two kinds of links lead here: an admin's invitation of an address into a portal, and the command line's link to an
account that has no password yet. What is used, too old, revoked or was never made is answered alike.
"""

from flask import flash, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue

from ...domain import accepting, one_time_links
from ...domain.accepting import InvitationSeen
from ...domain.one_time_links import LinkRefusal, LinkSeen
from ...domain.outcomes import AccountRefusal, InvitationRefusal, Joined
from ...models import LinkKind
from ...plumbing.tokens import well_formed
from ...rules.access import Audience
from ...rules.stages import Stage
from .. import asking, login_session, new_password, page, wanted_page
from ..gate import audience
from ..wording import OF_ACCOUNT
from ._blueprint import blueprint
from .forms import AcceptForm, InvitationForm
from .links import PASSWORD_SET, gone

NEW, KNOWN = "auth/invitation.html", "auth/invitation_known.html"
_KEY = login_session.INVITATION


@blueprint.get("/invitations/<token>")
@audience(Audience.PUBLIC)
def open_invitation(token: str) -> ResponseReturnValue:
    if not well_formed(token):
        return gone()
    session[_KEY] = token
    return redirect(url_for("auth.invitation"), 303)


@blueprint.route("/invitation", methods=["GET", "POST"])
@audience(Audience.PUBLIC)
@wanted_page.comes_back
def invitation() -> ResponseReturnValue:
    """Into a portal, or to an account that waits for its owner; nobody is logged in by it."""
    token = session.get(_KEY)
    if not isinstance(token, str):
        return gone()
    seen = accepting.look(token, asking.now())
    if seen is not None:
        return _into_portal(token, seen)
    link = one_time_links.look(token, LinkKind.INVITATION, asking.now())
    return gone() if link is None else _to_account(token, link)


def _into_portal(token: str, seen: InvitationSeen) -> ResponseReturnValue:
    """By whom the page is opened decides what it offers."""
    who = asking.identity()
    if who.stage is Stage.COMPLETE and who.account is not None:
        return _by_account(token, seen, own=who.account.email == seen.email)
    return _by_owner(seen) if seen.has_account else _by_new_person(token, seen)


def _by_account(token: str, seen: InvitationSeen, *, own: bool) -> ResponseReturnValue:
    form = AcceptForm()
    if not form.is_submitted():
        return render_template(KNOWN, form=form, invitation=seen, own=own, account=asking.account())
    outcome = accepting.accept(asking.caller(), token)
    match outcome:
        case Joined(before):
            session.pop(_KEY, None)
            flash(_welcome(seen, before=before), "good")
            return redirect(url_for("front_office.portal", portal=seen.slug), 303)
        case InvitationRefusal.GONE:
            return gone()
        case _:
            return page.invalid(KNOWN, form, status=403, invitation=seen, own=False, account=asking.account())


def _welcome(seen: InvitationSeen, *, before: bool) -> str:
    if before:
        return f"You were a member of {seen.portal_name} already. Your role stays as it was."
    return f"You are a member of {seen.portal_name} now."


def _by_owner(seen: InvitationSeen) -> ResponseReturnValue:
    """The address has an account: whoever has it logs in, and comes back."""
    form = AcceptForm()
    if asking.identity().account is not None:
        wanted_page.keep(url_for("auth.invitation"))  # in the middle of a log-in: at its end, back to here
    return page.invalid(KNOWN, form, status=409 if form.is_submitted() else 200, invitation=seen)


def _by_new_person(token: str, seen: InvitationSeen) -> ResponseReturnValue:
    form = InvitationForm()
    if not form.is_submitted():
        return render_template(NEW, form=form, email=seen.email, invitation=seen)
    if not form.validate():
        return page.invalid(NEW, form, email=seen.email, invitation=seen)
    page.if_busy(lambda: page.refused(NEW, form, form.password, page.BUSY, email=seen.email, invitation=seen))
    sentence = new_password.refusal_of(form.password.data, seen.email, form.name.data, seen.portal_name)
    if sentence:
        return page.refused(NEW, form, form.password, sentence, email=seen.email, invitation=seen)
    outcome = accepting.accept_as_new(asking.caller(), token, name=form.name.data, password=form.password.data)
    match outcome:
        case Joined():
            return _log_in_now("Your account is made. Log in with it.")
        case InvitationRefusal.HAS_ACCOUNT:
            return _by_owner(seen)
        case InvitationRefusal():
            return gone()
        case AccountRefusal():
            return page.refused(NEW, form, form.name, OF_ACCOUNT[outcome], email=seen.email, invitation=seen)


def _to_account(token: str, link: LinkSeen) -> ResponseReturnValue:
    """The command line's link: the account is there and waits for name and password."""
    form = InvitationForm()
    if not form.is_submitted():
        form.name.data = link.name
        return render_template(NEW, form=form, email=link.email)
    if not form.validate():
        return page.invalid(NEW, form, email=link.email)
    page.if_busy(lambda: page.refused(NEW, form, form.password, page.BUSY, email=link.email))
    sentence = new_password.refusal_of(form.password.data, link.email, form.name.data, account_id=link.account_id)
    if sentence:
        return page.refused(NEW, form, form.password, sentence, email=link.email)
    outcome = one_time_links.take(
        asking.caller(), token, LinkKind.INVITATION, password=form.password.data, name=form.name.data
    )
    if isinstance(outcome, AccountRefusal):
        return page.refused(NEW, form, form.name, OF_ACCOUNT[outcome], email=link.email)
    return gone() if isinstance(outcome, LinkRefusal) else _log_in_now(PASSWORD_SET)


def _log_in_now(sentence: str) -> ResponseReturnValue:
    session.pop(_KEY, None)
    flash(sentence, "good")
    return redirect(url_for("auth.log_in"), 303)
