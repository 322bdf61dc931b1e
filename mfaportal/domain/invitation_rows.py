"""What becomes of open invitations when somebody's place in a portal changes, inside somebody's transaction."""

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from ..models import Account, Invitation
from ..plumbing.db import change
from . import notices


def about(invitation_id: int) -> str:
    """How a mail with this invitation's link is found again."""
    return f"invitation:{invitation_id}"


def delete_open(session: Session, *which: ColumnElement[bool]) -> int:
    """Delete those that nobody has accepted; what was to be mailed about them does not leave any more. How many."""
    found = list(session.scalars(select(Invitation.id).where(*which, Invitation.used_at.is_(None)).with_for_update()))
    if found:
        change(session, delete(Invitation).where(Invitation.id.in_(found)))
        notices.drop(session, *map(about, found))
    return len(found)


def close(session: Session, portal_id: int, account_id: int) -> None:
    """Delete the account's open invitations to the portal: they would undo what was decided about it just now."""
    email = select(Account.email).where(Account.id == account_id).scalar_subquery()
    delete_open(session, Invitation.portal_id == portal_id, Invitation.email == email)
