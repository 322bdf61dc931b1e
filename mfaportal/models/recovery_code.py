"""Recovery codes: ten a set, each good for one second factor. Taken once, by one conditional UPDATE."""

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..plumbing.db import Moment
from .base import BigId, Model, PrimaryKey


class RecoveryCode(Model):
    """Only a keyed digest is kept; `key` names the digest key of the ring that it was made with."""

    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("account_id", "digest"), {"sqlite_autoincrement": True})

    id: Mapped[PrimaryKey]
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(20))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    made_at: Mapped[Moment]
    used_at: Mapped[Moment | None]
