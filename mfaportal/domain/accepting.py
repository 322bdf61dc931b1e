"""Accepting an invitation: by a new person, who chooses name and password, or by the account of its address.

The link is the right, together with the address: it is taken by one conditional UPDATE, once. A new account's address
counts as confirmed where the link was mailed to it, and not where an admin was shown the link. It logs nobody in.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..models import Account, EventKind, Invitation, Membership, Portal
from ..models.account import new_account
from ..models.invitation import still_works
from ..plumbing.db import change, reading, transaction
from ..plumbing.passwords import hash_password
from ..plumbing.tokens import digest
from ..rules.access import Audience
from ..rules.lifetimes import STEP_UP, STEP_UP_GRACE
from ..rules.names import PERSON_MAX, clean_name
from . import audit, hash_places, joining, request_rows
from .authority import require
from .caller import Caller
from .outcomes import AccountRefusal, InvitationRefusal, Joined


@dataclass(frozen=True, slots=True)
class InvitationSeen:
    """An invitation that would still be taken: for whom, where to, and whether the address has an account."""

    email: str
    role: str
    portal_name: str
    slug: str
    has_account: bool


def look(token: str, now: datetime) -> InvitationSeen | None:
    """The invitation behind a token, if it would still be taken."""
    with reading() as session:
        row = session.execute(
            select(Invitation.email, Invitation.role, Portal.name, Portal.slug, Account.id)
            .join(Portal, Portal.id == Invitation.portal_id)
            .outerjoin(Account, Account.email == Invitation.email)
            .where(*_open(token, now))
        ).one_or_none()
        return None if row is None else InvitationSeen(row.email, row.role, row.name, row.slug, row.id is not None)


def accept_as_new(
    caller: Caller, token: str, *, name: str, password: str
) -> Joined | InvitationRefusal | AccountRefusal:
    """Make the account of the invitation's address, and its membership.

    Strangers' requests with that address are declined everywhere: whoever has it asks from the account now.
    """
    cleaned = clean_name(name, PERSON_MAX)
    if cleaned is None:
        return AccountRefusal.BAD_NAME
    if look(token, caller.now) is None:
        return InvitationRefusal.GONE
    with hash_places.of_link(token):
        password_digest = hash_password(password)
    caller = replace(caller, account_id=None, login_id=None)  # half logged in is nobody
    try:
        with transaction() as session:
            invitation = _found(session, caller, token)
            if invitation is None:
                return InvitationRefusal.GONE
            if _has_account(session, invitation.email):
                return InvitationRefusal.HAS_ACCOUNT
            if not _taken(session, caller, invitation):
                return InvitationRefusal.GONE
            account_id = _add_account(session, caller, invitation, cleaned, password_digest)
            _join(session, caller, invitation, account_id)
            request_rows.close_for_email(session, caller, invitation.email)
    except IntegrityError:
        return InvitationRefusal.HAS_ACCOUNT  # made while this one was: the invitation is not used up
    return Joined()


def accept(caller: Caller, token: str) -> Joined | InvitationRefusal:
    """Join the portal with one's own account, which ends its other logins, as a change of role does; this one too,
    where a rule would otherwise not be met before it ends by itself.

    Who is a member already stays what they are, and the link is used up.
    """
    with transaction() as session:
        session.scalars(select(Account.id).where(Account.id == caller.account_id).with_for_update()).one_or_none()
        identity = require(session, caller, Audience.ACCOUNT, confirmed_within=STEP_UP + STEP_UP_GRACE)
        if identity is None or identity.account is None:
            raise TypeError("only a browser accepts an invitation")
        account_id = identity.account.id
        invitation = _found(session, caller, token)
        if invitation is None:
            return InvitationRefusal.GONE
        if invitation.email != identity.account.email:
            return InvitationRefusal.ANOTHERS
        if not _taken(session, caller, invitation):
            return InvitationRefusal.GONE
        _note_address(session, caller, invitation, account_id)
        if session.get(Membership, (account_id, invitation.portal_id)) is not None:
            _note(session, caller, EventKind.INVITATION_ACCEPTED, invitation, account_id, invitation=invitation.id)
            return Joined(before=True)
        _join(session, caller, invitation, account_id)
        request_rows.accept_own(
            session,
            caller,
            account_id,
            invitation.portal_id,
            role=invitation.role,
            decided_by=invitation.made_by,
        )
        joining.end_logins(session, caller, account_id, invitation.portal_id, invitation.role)
    return Joined()


def _note_address(session: Session, caller: Caller, invitation: Invitation, account_id: int) -> None:
    """Who takes a link that was mailed has the address: of an account that had not shown it so far, this does."""
    if invitation.mailed:
        unshown = (Account.id == account_id, Account.email_confirmed_at.is_(None))
        change(session, update(Account).where(*unshown).values(email_confirmed_at=caller.now))


def _open(token: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Invitation.token_digest == digest(token), still_works(now)


def _found(session: Session, caller: Caller, token: str) -> Invitation | None:
    return session.scalars(select(Invitation).where(*_open(token, caller.now))).one_or_none()


def _has_account(session: Session, email: str) -> bool:
    return session.scalar(select(Account.id).where(Account.email == email)) is not None


def _taken(session: Session, caller: Caller, invitation: Invitation) -> bool:
    taken = change(
        session,
        update(Invitation)
        .where(
            Invitation.id == invitation.id,
            Invitation.token_digest == invitation.token_digest,  # sent again meanwhile, it is another link's
            still_works(caller.now),
        )
        .values(used_at=caller.now),
    )
    return taken == 1


def _add_account(session: Session, caller: Caller, by: Invitation, name: str, password_digest: str) -> int:
    account = new_account(
        email=by.email, name=name, password_digest=password_digest, now=caller.now, confirmed=by.mailed
    )
    session.add(account)
    session.flush()
    audit.record(session, caller, EventKind.ACCOUNT_CREATED, account_id=account.id, operator=False)
    return account.id


def _join(session: Session, caller: Caller, invitation: Invitation, account_id: int) -> None:
    session.add(
        Membership(account_id=account_id, portal_id=invitation.portal_id, role=invitation.role, since=caller.now)
    )
    _note(session, caller, EventKind.INVITATION_ACCEPTED, invitation, account_id, invitation=invitation.id)
    _note(session, caller, EventKind.MEMBER_ADDED, invitation, account_id)


def _note(session: Session, caller: Caller, kind: EventKind, by: Invitation, account_id: int, **more: int) -> None:
    audit.record(session, caller, kind, account_id=account_id, portal_id=by.portal_id, role=by.role, **more)
