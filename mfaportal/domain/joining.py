"""Becoming a member of a portal, inside somebody's transaction: the membership, and what it does to logins."""

from sqlalchemy.orm import Session

from ..models import EventKind, Membership, Portal
from ..models import identity as identities
from ..plumbing.db import change, insert_or_ignore
from ..rules.roles import role_in_portal
from ..rules.stages import Stage
from . import audit, invitation_rows, login_rows
from .caller import Caller


def add_member(session: Session, caller: Caller, account_id: int, portal_id: int, role: str) -> bool:
    """A membership, if there is none yet; the role of one that is there stays. Whether there is a new one."""
    about = {"account_id": account_id, "portal_id": portal_id}
    values = {**about, "role": role, "since": caller.now}
    if not change(session, insert_or_ignore(session, Membership).values(**values)):
        return False
    audit.record(session, caller, EventKind.MEMBER_ADDED, **about, role=role)
    invitation_rows.close(session, portal_id, account_id)
    return True


def end_logins(session: Session, caller: Caller, account_id: int, portal_id: int, role: str) -> None:
    """End the account's other logins, as a change of role does; the caller's too, where the portal's rule covers the
    new member and would otherwise not be met before this login ends by itself.
    """
    but = None if _escapes_the_rule(session, caller, portal_id, role) else caller.login_id
    login_rows.end_of_account(session, caller, account_id, but=but)


def _escapes_the_rule(session: Session, caller: Caller, portal_id: int, role: str) -> bool:
    """Whether the portal's rule covers who has just joined, and asks this login for nothing, being younger."""
    session.flush()
    seen = identities.of_login(session, caller.login_id or 0, slug=None, now=caller.now, limits=caller.limits)
    covers = session.get_one(Portal, portal_id).rule.covers(role_in_portal(operator=False, member=role, public=False))
    without_app = seen.account is not None and not seen.account.has_authenticator
    return covers and without_app and seen.stage is Stage.COMPLETE
