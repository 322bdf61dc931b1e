"""Invitations as admins see them: made for addresses, listed while they are open, sent again, revoked.

Where mail works the link goes to the address and nobody else sees it; else, and to the command line, it is shown. How
one is accepted is `accepting`. Admins learn whether an address is a member of their portal, not whether it has an
account.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..models import Account, EventKind, Invitation, MailKind, Membership, Portal
from ..models.identity import Identity
from ..models.invitation import still_works
from ..plumbing.addresses import normalise
from ..plumbing.db import change, reading, transaction
from ..plumbing.tokens import digest, new_token
from ..rules.access import Audience
from ..rules.lifetimes import INVITATION, STEP_UP, STEP_UP_GRACE
from ..rules.roles import MemberRole
from . import audit, invitation_rows, notices
from .authority import require
from .caller import Caller, Source
from .outcomes import AccountRefusal, Done, Invited

AT_ONCE_MAX = 50
PAGE = 50
_BETWEEN_LINES = re.compile(r"[\r\n,;]+")
_WITH_NAME = re.compile(r"[^<>@]*<([^<>]*)>\s*")
_WITHIN = STEP_UP + STEP_UP_GRACE


@dataclass(frozen=True, slots=True)
class InvitationListed:
    """One that nobody has accepted yet. `made_by` is empty where the account is gone, or the command line's."""

    id: int
    email: str
    role: str
    made_by: str | None
    expires_at: datetime
    expired: bool
    works: bool
    """Not where it is too old, nor where whoever made it may invite no more."""


@dataclass(frozen=True, slots=True)
class _Inviting:
    """Into what, by whom, and whether the link is mailed. The command line has a terminal that nobody else sees."""

    portal_id: int
    portal_name: str
    slug: str
    inviter: str
    by_mail: bool


@dataclass(frozen=True, slots=True)
class InvitationsPage:
    invitations: list[InvitationListed]
    next_after: int | None


@dataclass(frozen=True, slots=True)
class BadAddresses:
    """Nobody was invited: these are no e-mail addresses, or there are none, or more than are taken at once."""

    bad: tuple[str, ...] = ()
    too_many: bool = False


def addresses_in(typed: str) -> list[str]:
    """The pieces of a text that may be addresses: between them stand white space, commas or semicolons.

    Of `Name <address>`, as mail programs put it, the address is taken.
    """
    pieces: list[str] = []
    for part in _BETWEEN_LINES.split(typed):
        with_name = _WITH_NAME.fullmatch(part)
        pieces += [with_name[1].strip()] if with_name else part.split()
    return list(dict.fromkeys(piece for piece in pieces if piece))


def invite(
    caller: Caller, slug: str, addresses: Sequence[str], role: MemberRole
) -> list[Invited] | BadAddresses | AccountRefusal:
    """Make a link for each address, good for seven days and for that address only; members get none.

    An address that has an open invitation to this portal gets a new one in its place. All or none: one bad address
    and nobody is invited.
    """
    emails = _normalised(addresses)
    if isinstance(emails, BadAddresses):
        return emails
    with transaction() as session:
        inviting = _inviting(session, caller, slug)
        if inviting is None:
            return AccountRefusal.UNKNOWN_PORTAL
        members = _members_among(session, inviting.portal_id, emails)
        new = [email for email in emails if email not in members]
        invitation_rows.delete_open(session, Invitation.portal_id == inviting.portal_id, Invitation.email.in_(new))
        made = {email: _new(session, caller, inviting, email, role) for email in new}
    return [made.get(email, Invited(email, None)) for email in emails]


def _new(session: Session, caller: Caller, inviting: _Inviting, email: str, role: MemberRole) -> Invited:
    token = new_token()
    made = Invitation(
        portal_id=inviting.portal_id,
        email=email,
        role=role,
        token_digest=digest(token),
        made_by=caller.account_id,
        made_at=caller.now,
        expires_at=caller.now + INVITATION,
        mailed=inviting.by_mail,
    )
    session.add(made)
    session.flush()
    audit.record(
        session, caller, EventKind.INVITATION_MADE, portal_id=inviting.portal_id, invitation=made.id, role=role
    )
    return _handed_over(session, caller, inviting, made, token)


def _handed_over(session: Session, caller: Caller, inviting: _Inviting, made: Invitation, token: str) -> Invited:
    """The link on its way by mail, or in the answer."""
    if not inviting.by_mail:
        return Invited(made.email, token)
    notices.send(
        session,
        caller,
        MailKind.INVITATION,
        made.email,
        about=invitation_rows.about(made.id),
        dies_at=made.expires_at,
        portal=inviting.portal_name,
        slug=inviting.slug,
        role=made.role,
        until=int(made.expires_at.timestamp()),
        inviter=inviting.inviter,
        link=f"/invitations/{token}",
    )
    return Invited(made.email, None, mailed=True)


def _normalised(addresses: Sequence[str]) -> list[str] | BadAddresses:
    """Each address once, as it is kept."""
    if len(addresses) > AT_ONCE_MAX:
        return BadAddresses(too_many=True)
    found = {typed: normalise(typed) for typed in addresses}
    bad = tuple(typed for typed, email in found.items() if email is None)
    return BadAddresses(bad) if bad or not found else list(dict.fromkeys(email for email in found.values() if email))


def _inviting(session: Session, caller: Caller, slug: str) -> _Inviting | None:
    """The portal, if the caller may invite into it; locked, so that an address is invited once at a time."""
    identity: Identity | None = require(session, caller, Audience.ADMINS, slug=slug, confirmed_within=_WITHIN)
    row = session.execute(select(Portal.id, Portal.name).where(Portal.slug == slug).with_for_update()).one_or_none()
    if row is None:
        return None
    inviter = identity.account.name if identity is not None and identity.account is not None else ""
    return _Inviting(row.id, row.name, slug, inviter, notices.mail_works() and caller.source is Source.WEB)


def _members_among(session: Session, portal_id: int, emails: Sequence[str]) -> set[str]:
    return set(
        session.scalars(
            select(Account.email)
            .join(Membership, Membership.account_id == Account.id)
            .where(Membership.portal_id == portal_id, Account.email.in_(emails))
        )
    )


def again(caller: Caller, slug: str, invitation_id: int) -> Invited | AccountRefusal:
    """A new link and seven new days for an open invitation, expired or not; the old link is void."""
    token = new_token()
    with transaction() as session:
        inviting = _inviting(session, caller, slug)
        if inviting is None:
            return AccountRefusal.UNKNOWN
        renewed = change(
            session,
            update(Invitation)
            .where(
                Invitation.id == invitation_id,
                Invitation.portal_id == inviting.portal_id,
                Invitation.used_at.is_(None),
            )
            .values(
                token_digest=digest(token),
                made_by=caller.account_id,
                made_at=caller.now,
                expires_at=caller.now + INVITATION,
                mailed=inviting.by_mail,
            ),
        )
        if renewed != 1:
            return AccountRefusal.UNKNOWN
        notices.drop(session, invitation_rows.about(invitation_id))
        about = {"portal_id": inviting.portal_id, "invitation": invitation_id}
        audit.record(session, caller, EventKind.INVITATION_MADE_AGAIN, **about)
        return _handed_over(session, caller, inviting, session.get_one(Invitation, invitation_id), token)


def revoke(caller: Caller, slug: str, invitation_id: int) -> Done | AccountRefusal:
    """Take an open invitation back: its link is as good as one that never was."""
    with transaction() as session:
        inviting = _inviting(session, caller, slug)
        portal_id = inviting.portal_id if inviting is not None else None
        gone = invitation_rows.delete_open(session, Invitation.id == invitation_id, Invitation.portal_id == portal_id)
        if gone != 1:
            return AccountRefusal.UNKNOWN
        audit.record(session, caller, EventKind.INVITATION_REVOKED, portal_id=portal_id, invitation=invitation_id)
    return Done()


def page(portal_id: int, after: int | None, now: datetime) -> InvitationsPage:
    """The portal's open invitations, newest first; `after` is the last one of the page before."""
    statement = (
        select(Invitation, Account.name, still_works(now).label("works"))
        .outerjoin(Account, Account.id == Invitation.made_by)
        .where(Invitation.portal_id == portal_id, Invitation.used_at.is_(None))
        .order_by(Invitation.id.desc())
        .limit(PAGE + 1)
    )
    if after is not None:
        statement = statement.where(Invitation.id < after)
    with reading() as session:
        found = [
            InvitationListed(row.id, row.email, row.role, name, row.expires_at, row.expires_at <= now, bool(works))
            for row, name, works in session.execute(statement)
        ]
    more = len(found) > PAGE
    return InvitationsPage(found[:PAGE], found[PAGE - 1].id if more else None)
