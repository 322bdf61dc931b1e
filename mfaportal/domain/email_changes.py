"""Changing the e-mail address that one logs in with: a link goes to the new one, and the old one is told, twice.

Whether the new address has an account is told to nobody but its owner.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..models import Account, EventKind, Invitation, LinkKind, MailKind, OneTimeLink
from ..models import identity as identities
from ..plumbing.addresses import normalise
from ..plumbing.db import reading, transaction
from ..rules.access import Audience
from ..rules.lifetimes import STEP_UP
from ..rules.stages import Stage
from ..rules.throttling import Kind
from . import attempts, audit, devices, invitation_rows, link_rows, login_rows, notices, request_rows, throttles
from .authority import require
from .caller import Caller, Source
from .one_time_links import LinkRefusal
from .outcomes import AccountRefusal, Done, PausedUntil
from .throttles import Subject


@dataclass(frozen=True, slots=True)
class EmailLinkSeen:
    """A link that still works: whose account, and the address that it gets."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class EmailChanged:
    """The account's new address; `device`: the mark for the browser, if it is logged in to the account."""

    email: str
    device: str


def ask(caller: Caller, typed: str) -> Done | AccountRefusal | PausedUntil:
    """Send a link to the new address; until it is opened nothing changes. `NO_CHANGE`: it is one's own already."""
    email = normalise(typed)
    if email is None:
        return AccountRefusal.BAD_EMAIL
    with transaction() as session:
        require(session, caller, Audience.ACCOUNT, confirmed_within=STEP_UP)
        account = session.get_one(Account, caller.account_id)
        if account.email == email:
            return AccountRefusal.NO_CHANGE
        if not notices.mail_works():
            return AccountRefusal.NEEDS_MAIL
        subjects = [Subject(Kind.EMAIL_CHANGE, str(account.id)), throttles.of_email(Kind.EMAIL_CHANGE, email)]
        paused = throttles.count(session, subjects, caller.now)
        if paused:
            attempts.note_pause(session, caller, paused, account_id=account.id, what="change of e-mail")
            return paused
        link_rows.void(session, account.id, caller.now, LinkKind.EMAIL)
        link, token = link_rows.add(session, caller, LinkKind.EMAIL, account.id, email=email)
        _mail_link(session, caller, link, token)
        audit.record(session, caller, EventKind.EMAIL_CHANGE_ASKED, account_id=account.id)
        notices.tell(session, caller, MailKind.EMAIL_CHANGED, account.id, new_email=email, done=False)
    return Done()


def _mail_link(session: Session, caller: Caller, link: OneTimeLink, token: str) -> None:
    """To the new address. Where it has an account, the link is void, and its owner is told that nothing happened."""
    email = link.email or ""
    owner = session.scalar(select(Account.id).where(Account.email == email))
    link.used_at = None if owner is None else caller.now
    facts: dict[str, Any] = {"link": f"/confirm-email/{token}"} if owner is None else {"taken": True}
    facts |= {"account_id": owner or link.account_id, "about": link_rows.about(link.id), "dies_at": link.expires_at}
    notices.send(session, caller, MailKind.EMAIL_CHANGE, email, **facts)


def look(token: str, now: datetime) -> EmailLinkSeen | None:
    """The link behind a token, if it would still be taken."""
    with reading() as session:
        found = link_rows.open_one(session, token, LinkKind.EMAIL, now)
        return None if found is None else EmailLinkSeen(found[1].name, found[0].email or "")


def confirm(caller: Caller, token: str) -> EmailChanged | LinkRefusal:
    """Take the link: the account has the new address from now on. Nobody is logged in by it.

    All other logins end, links to set a password are void, and so are invitations of the old address. Whoever took
    the new address meanwhile keeps it: then this is no link any more.
    """
    try:
        with transaction() as session:
            found = link_rows.open_one(session, token, LinkKind.EMAIL, caller.now)
            if found is None or found[1].suspended_at is not None:
                return LinkRefusal()
            link, account = found
            if not link_rows.taken(session, link, caller.now):
                return LinkRefusal()
            return _move(session, caller, account, link.email or "")
    except IntegrityError:
        return LinkRefusal()


def _move(session: Session, caller: Caller, account: Account, email: str) -> EmailChanged:
    old, account.email = account.email, email
    account.email_confirmed_at = caller.now
    session.flush()
    own = _own_login(session, caller, account.id)
    by = caller if own is not None else replace(caller, account_id=None, login_id=None)
    ended = login_rows.end_of_account(session, caller, account.id, but=own)
    link_rows.void(session, account.id, caller.now)
    invitation_rows.delete_open(session, Invitation.email == old)
    request_rows.close_for_email(session, by, email)
    audit.record(session, by, EventKind.EMAIL_CHANGED, account_id=account.id, ended=ended)
    told: dict[str, Any] = {"account_id": account.id, "name": account.name, "new_email": email, "done": True}
    notices.send(session, by, MailKind.EMAIL_CHANGED, old, **told)
    return EmailChanged(email, "" if own is None else devices.mark_of(account.password_digest))


def _own_login(session: Session, caller: Caller, account_id: int) -> int | None:
    """The login in which the link was opened, if it is a whole one of this account."""
    if caller.source is not Source.WEB or caller.login_id is None or caller.account_id != account_id:
        return None
    identity = identities.of_login(session, caller.login_id, slug=None, now=caller.now, limits=caller.limits)
    return identity.login_id if identity.stage is Stage.COMPLETE else None
