"""What becomes of open invitations when somebody's place in a portal changes, inside somebody's transaction."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ..models import Account, Invitation
from ..plumbing.db import change


def close(session: Session, portal_id: int, account_id: int) -> None:
    """Delete the account's open invitations to the portal: they would undo what was decided about it just now."""
    email = select(Account.email).where(Account.id == account_id).scalar_subquery()
    change(
        session,
        delete(Invitation).where(
            Invitation.portal_id == portal_id, Invitation.email == email, Invitation.used_at.is_(None)
        ),
    )
