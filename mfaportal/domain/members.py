"""What is done to a portal's people: made a member, given another role, removed. `member_list` reads them."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Account, EventKind, MailKind, Membership, Portal
from ..plumbing.db import transaction
from ..rules.access import Audience
from ..rules.lifetimes import STEP_UP, STEP_UP_GRACE
from ..rules.roles import MemberRole, Role
from . import audit, invitation_rows, login_rows, notices
from .authority import require
from .caller import Caller
from .membership_rows import has_another_admin, lock_admins
from .outcomes import AccountRefusal, Done

_WITHIN = STEP_UP + STEP_UP_GRACE


def change_role(caller: Caller, slug: str, account_id: int, role: MemberRole) -> Done | AccountRefusal:
    """Give a member another role; ends their other logins. A portal's last admin is for operators only."""
    with transaction() as session:
        found = _membership(session, caller, slug, account_id)
        if isinstance(found, AccountRefusal):
            return found
        if found.role == role:
            return AccountRefusal.NO_CHANGE
        audit.record(
            session,
            caller,
            EventKind.ROLE_CHANGED,
            account_id=account_id,
            portal_id=found.portal_id,
            role=[found.role, role],
        )
        before, found.role = found.role, role
        _settle(session, caller, account_id, found.portal_id, role=role, before=before)
    return Done()


def remove(caller: Caller, slug: str, account_id: int) -> Done | AccountRefusal:
    """Take somebody out of the portal; the account stays. Ends their other logins."""
    with transaction() as session:
        found = _membership(session, caller, slug, account_id)
        if isinstance(found, AccountRefusal):
            return found
        audit.record(session, caller, EventKind.MEMBER_REMOVED, account_id=account_id, portal_id=found.portal_id)
        session.delete(found)
        _settle(session, caller, account_id, found.portal_id, role=None, before=found.role)
    return Done()


def add(caller: Caller, slug: str, account_id: int, role: MemberRole) -> Done | AccountRefusal:
    """Make somebody a member, or change the role of one (command line)."""
    with transaction() as session:
        require(session, caller, Audience.OPERATORS, confirmed_within=_WITHIN)
        portal_id = session.scalar(select(Portal.id).where(Portal.slug == slug))
        if portal_id is None:
            return AccountRefusal.UNKNOWN_PORTAL
        found = session.get(Membership, (account_id, portal_id))
        if found is not None and found.role == role:
            return AccountRefusal.NO_CHANGE
        about = {"account_id": account_id, "portal_id": portal_id}
        before = None if found is None else found.role
        if found is None:
            session.add(Membership(**about, role=role, since=caller.now))
            audit.record(session, caller, EventKind.MEMBER_ADDED, **about, role=role)
        else:
            audit.record(session, caller, EventKind.ROLE_CHANGED, **about, role=[found.role, role])
            found.role = role
        _settle(session, caller, account_id, portal_id, role=role, before=before)
    return Done()


def _membership(session: Session, caller: Caller, slug: str, account_id: int) -> Membership | AccountRefusal:
    """The membership that an admin wants to change, all admins of the portal locked until the end."""
    identity = require(session, caller, Audience.ADMINS, slug=slug, confirmed_within=_WITHIN)
    portal_id = session.scalar(select(Portal.id).where(Portal.slug == slug))
    if portal_id is None:
        return AccountRefusal.UNKNOWN_PORTAL
    lock_admins(session, portal_id)
    found = session.get(Membership, (account_id, portal_id))
    if found is None:
        return AccountRefusal.UNKNOWN
    by_operator = identity is None or identity.role is Role.OPERATOR
    if not by_operator and session.get_one(Account, account_id).is_operator:
        return AccountRefusal.AN_OPERATOR  # a change ends logins, and an operator's are none of an admin's business
    is_last = found.role == MemberRole.ADMIN and not session.scalar(select(has_another_admin(portal_id, account_id)))
    if not by_operator and is_last:
        return AccountRefusal.LAST_ADMIN
    return found


def _settle(
    session: Session, caller: Caller, account_id: int, portal_id: int, *, role: str | None, before: str | None
) -> None:
    """A change of role is met at the next log-in; whoever changes their own stays in this browser. They are mailed.

    Open invitations to this portal go: they would give back what was taken.
    """
    but = caller.login_id if account_id == caller.account_id else None
    login_rows.end_of_account(session, caller, account_id, but=but)
    invitation_rows.close(session, portal_id, account_id)
    portal = session.get_one(Portal, portal_id)
    changed = {"portal": portal.name, "slug": portal.slug, "role": role, "before": before}
    notices.tell(session, caller, MailKind.ROLE_CHANGED, account_id, **changed)
