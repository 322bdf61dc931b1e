"""What people do of their own accord: leave a portal, delete their account. Events stay, and hold numbers only."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ..models import AccessRequest, Account, EventKind, Invitation, Membership, Portal
from ..models.identity import AccountSeen
from ..plumbing.db import change, reading, transaction
from ..rules.access import Audience
from ..rules.lifetimes import STEP_UP, STEP_UP_GRACE
from ..rules.roles import MemberRole
from ..rules.throttling import Kind
from . import account_rows, audit, invitation_rows, login_rows, throttles
from .authority import require
from .caller import Caller
from .membership_rows import has_another_admin, lock_admins
from .outcomes import AccountRefusal, Done
from .throttles import Subject

_WITHIN = STEP_UP + STEP_UP_GRACE


@dataclass(frozen=True, slots=True)
class OwnPortal:
    """A portal that somebody is a member of. `last_admin`: nobody else, not suspended, is an admin of it."""

    id: int
    slug: str
    name: str
    role: str
    last_admin: bool


def portals_of(account_id: int) -> list[OwnPortal]:
    """The portals that the account is a member of, by name."""
    with reading() as session:
        return [OwnPortal(*row) for row in session.execute(_own(account_id))]


def is_last_operator(account_id: int) -> bool:
    """Whether the account is the last operator who is not suspended, and so cannot go."""
    with reading() as session:
        return not account_rows.another_operator(session, account_id)


def _own(account_id: int) -> Any:
    other = has_another_admin(Membership.portal_id, account_id)
    return (
        select(
            Portal.id,
            Portal.slug,
            Portal.name,
            Membership.role,
            ((Membership.role == MemberRole.ADMIN) & ~other).label("last_admin"),
        )
        .join(Membership, Membership.portal_id == Portal.id)
        .where(Membership.account_id == account_id)
        .order_by(Portal.name, Portal.id)
    )


def leave(caller: Caller, slug: str) -> Done | AccountRefusal:
    """Give up one's own membership; ends one's other logins. A portal's last admin stays, unless an operator."""
    with transaction() as session:
        account = _oneself(session, caller)
        portal_id = session.scalar(select(Portal.id).where(Portal.slug == slug))
        lock_admins(session, portal_id or 0)
        own = session.execute(_own(account.id).where(Portal.slug == slug)).one_or_none()
        if own is None:
            return AccountRefusal.UNKNOWN
        if own.last_admin and not account.is_operator:
            return AccountRefusal.LAST_ADMIN
        change(
            session,
            delete(Membership).where(Membership.account_id == account.id, Membership.portal_id == own.id),
        )
        login_rows.end_of_account(session, caller, account.id, but=caller.login_id)
        invitation_rows.close(session, own.id, account.id)
        audit.record(session, caller, EventKind.MEMBER_LEFT, account_id=account.id, portal_id=own.id)
    return Done()


def delete_account(caller: Caller) -> Done | AccountRefusal:
    """Delete one's own account, and whatever else holds the person's e-mail or name; the events stay.

    The last operator who is not suspended stays, and so does a portal's last admin, whom only an operator could
    replace; operators are admins everywhere, so one of several may go.
    """
    with transaction() as session:
        account = _oneself(session, caller)
        if account.is_operator and not account_rows.another_operator(session, account.id):
            return AccountRefusal.LAST_OPERATOR
        own = session.execute(_own(account.id)).all()
        lock_admins(session, *[row.id for row in own])
        if not account.is_operator and any(row.last_admin for row in session.execute(_own(account.id))):
            return AccountRefusal.LAST_ADMIN
        change(session, delete(AccessRequest).where(AccessRequest.email == account.email))
        invitation_rows.delete_open(session, Invitation.email == account.email)
        change(session, delete(Invitation).where(Invitation.email == account.email))
        throttles.clear(session, [Subject(Kind.CODE_OF_ACCOUNT, str(account.id))])
        change(session, delete(Account).where(Account.id == account.id))  # all that hangs on it goes with it
        audit.record(session, caller, EventKind.ACCOUNT_DELETED, account_id=account.id)
    return Done()


def _oneself(session: Session, caller: Caller) -> AccountSeen:
    """The caller's account, locked."""
    session.scalars(select(Account.id).where(Account.id == caller.account_id).with_for_update()).one_or_none()
    identity = require(session, caller, Audience.ACCOUNT, confirmed_within=_WITHIN)
    if identity is None or identity.account is None:
        raise TypeError("only a browser leaves or deletes its own account")
    return identity.account
