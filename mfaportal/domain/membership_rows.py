"""What several operations ask of a portal's admins, inside their transactions."""

from typing import Any

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session, aliased

from ..models import Account, Membership
from ..rules.roles import MemberRole


def has_another_admin(portal_id: Any, account_id: Any) -> ColumnElement[bool]:
    """In SQL: whether somebody else, not suspended, is an admin of the portal."""
    theirs, other = aliased(Membership), aliased(Account)
    return exists().where(
        theirs.portal_id == portal_id,
        theirs.role == MemberRole.ADMIN,
        theirs.account_id != account_id,
        other.id == theirs.account_id,
        other.suspended_at.is_(None),
    )


def lock_admins(session: Session, *portal_ids: int) -> None:
    """Nobody else changes who these portals' admins are until the end of the transaction."""
    session.scalars(
        select(Membership.account_id)
        .where(Membership.portal_id.in_(portal_ids), Membership.role == MemberRole.ADMIN)
        .order_by(Membership.portal_id, Membership.account_id)
        .with_for_update()
    ).all()
