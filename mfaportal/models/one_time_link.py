"""One-time links: to choose the first password, a new one, or to confirm a new e-mail. Taken once, by one UPDATE."""

from enum import StrEnum

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from ..plumbing.db import Moment
from .base import BigId, Model, PrimaryKey


class LinkKind(StrEnum):
    INVITATION = "invitation"
    RESET = "reset"
    EMAIL = "email"


class OneTimeLink(Model):
    __tablename__ = "one_time_links"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[PrimaryKey]
    kind: Mapped[str] = mapped_column(String(20))
    token_digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    made_at: Mapped[Moment]
    expires_at: Mapped[Moment] = mapped_column(index=True)
    used_at: Mapped[Moment | None]
    email: Mapped[str | None] = mapped_column(String(254))
    """The address that the link confirms, where that is what it is for."""
