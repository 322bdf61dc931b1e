"""Invitations as admins see them: made for addresses, listed while they are open, sent again, revoked.

How one is accepted is `accepting`. Admins learn whether an address is a member of their portal, not whether it has an
account.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from ..models import Account, EventKind, Invitation, Membership, Portal
from ..models.invitation import still_works
from ..plumbing.addresses import normalise
from ..plumbing.db import change, reading, transaction
from ..plumbing.tokens import digest, new_token
from ..rules.access import Audience
from ..rules.lifetimes import INVITATION, STEP_UP, STEP_UP_GRACE
from ..rules.roles import MemberRole
from . import audit
from .authority import require
from .caller import Caller
from .outcomes import AccountRefusal, BadAddresses, Done, Invited

AT_ONCE_MAX = 50
PAGE = 50
_BETWEEN = re.compile(r"[\s,;]+")
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
class InvitationsPage:
    invitations: list[InvitationListed]
    next_after: int | None


def addresses_in(typed: str) -> list[str]:
    """The pieces of a text that may be addresses: between them stand white space, commas or semicolons."""
    return list(dict.fromkeys(piece for piece in _BETWEEN.split(typed) if piece))


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
        portal_id = _portal_id(session, caller, slug)
        if portal_id is None:
            return AccountRefusal.UNKNOWN_PORTAL
        members = _members_among(session, portal_id, emails)
        new = [email for email in emails if email not in members]
        _delete_open(session, portal_id, new)
        tokens = {email: new_token() for email in new}
        made = [
            Invitation(
                portal_id=portal_id,
                email=email,
                role=role,
                token_digest=digest(tokens[email]),
                made_by=caller.account_id,
                made_at=caller.now,
                expires_at=caller.now + INVITATION,
            )
            for email in new
        ]
        session.add_all(made)
        session.flush()
        for each in made:
            audit.record(
                session, caller, EventKind.INVITATION_MADE, portal_id=portal_id, invitation=each.id, role=role
            )
    return [Invited(email, tokens.get(email)) for email in emails]


def _normalised(addresses: Sequence[str]) -> list[str] | BadAddresses:
    """Each address once, as it is kept."""
    if len(addresses) > AT_ONCE_MAX:
        return BadAddresses(too_many=True)
    found = {typed: normalise(typed) for typed in addresses}
    bad = tuple(typed for typed, email in found.items() if email is None)
    return BadAddresses(bad) if bad or not found else list(dict.fromkeys(email for email in found.values() if email))


def _portal_id(session: Session, caller: Caller, slug: str) -> int | None:
    """The portal, if the caller may invite into it; locked, so that an address is invited once at a time."""
    require(session, caller, Audience.ADMINS, slug=slug, confirmed_within=_WITHIN)
    return session.scalars(select(Portal.id).where(Portal.slug == slug).with_for_update()).one_or_none()


def _members_among(session: Session, portal_id: int, emails: Sequence[str]) -> set[str]:
    return set(
        session.scalars(
            select(Account.email)
            .join(Membership, Membership.account_id == Account.id)
            .where(Membership.portal_id == portal_id, Account.email.in_(emails))
        )
    )


def _delete_open(session: Session, portal_id: int, emails: Sequence[str]) -> None:
    change(
        session,
        delete(Invitation).where(
            Invitation.portal_id == portal_id, Invitation.email.in_(emails), Invitation.used_at.is_(None)
        ),
    )


def again(caller: Caller, slug: str, invitation_id: int) -> Invited | AccountRefusal:
    """A new link and seven new days for an open invitation, expired or not; the old link is void."""
    token = new_token()
    with transaction() as session:
        portal_id = _portal_id(session, caller, slug)
        email = session.scalar(
            select(Invitation.email).where(Invitation.id == invitation_id, Invitation.portal_id == portal_id)
        )
        renewed = change(
            session,
            update(Invitation)
            .where(Invitation.id == invitation_id, Invitation.portal_id == portal_id, Invitation.used_at.is_(None))
            .values(
                token_digest=digest(token),
                made_by=caller.account_id,
                made_at=caller.now,
                expires_at=caller.now + INVITATION,
            ),
        )
        if renewed != 1 or email is None:
            return AccountRefusal.UNKNOWN
        audit.record(session, caller, EventKind.INVITATION_MADE_AGAIN, portal_id=portal_id, invitation=invitation_id)
    return Invited(email, token)


def revoke(caller: Caller, slug: str, invitation_id: int) -> Done | AccountRefusal:
    """Take an open invitation back: its link is as good as one that never was."""
    with transaction() as session:
        portal_id = _portal_id(session, caller, slug)
        gone = change(
            session,
            delete(Invitation).where(
                Invitation.id == invitation_id, Invitation.portal_id == portal_id, Invitation.used_at.is_(None)
            ),
        )
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
