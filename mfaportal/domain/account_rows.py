"""What several operations ask of accounts as a whole, inside their transactions."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..models import Account, Setting
from ..models.setting import WELCOMED


def another_operator(session: Session, account_id: int) -> bool:
    """Whether somebody else, not suspended, runs the installation. Operations take turns, so it stays so."""
    others = select(func.count()).where(Account.is_operator, Account.suspended_at.is_(None), Account.id != account_id)
    return bool(session.scalar(others))


def no_account(session: Session) -> bool:
    """Whether nobody was ever made here."""
    made = session.scalar(select(Setting.name).where(Setting.name == WELCOMED))
    return made is None and session.scalar(select(Account.id).limit(1)) is None
