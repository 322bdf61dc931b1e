"""Logins: the row for one browser, from the password to the log-out. It says what happened and when, nothing else."""

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from ..plumbing.db import Moment
from .base import BigId, Model, PrimaryKey

BROWSER_MAX = 200


class Login(Model):
    """The browser holds a token, the row its digest. The pending secret is a set-up that has not been finished."""

    __tablename__ = "logins"
    __table_args__ = (
        Index("ix_logins_account_id", "account_id", "ended_at"),
        Index("ix_logins_password_at", "password_at"),
        Index("ix_logins_pending_at", "pending_at", sqlite_where=text("pending_at IS NOT NULL")),
        Index("ix_logins_shown_at", "shown_at", sqlite_where=text("shown_at IS NOT NULL")),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[PrimaryKey]
    token_digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    password_at: Mapped[Moment]
    second_factor_at: Mapped[Moment | None]
    confirmed_at: Mapped[Moment | None]
    last_seen_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]
    address: Mapped[str | None] = mapped_column(String(45))
    browser: Mapped[str] = mapped_column(String(BROWSER_MAX), default="")
    pending_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    pending_at: Mapped[Moment | None]
    recovered_at: Mapped[Moment | None]
    """Let in by a recovery code, which stands for step-up when it adds an app; empty again once it did."""
    shown_codes: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Sealed: the recovery codes that this login has just made, until they are saved or too old to be shown."""
    shown_at: Mapped[Moment | None]
