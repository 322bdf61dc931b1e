"""Authenticators: what an account proves itself with. On pages an "app"."""

from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..plumbing.db import Moment
from ..rules.names import key_of
from .base import BigId, Model, PrimaryKey

NO_STEP = -1
KEY_MAX = 256
"""Of what makes two names the same: one character may stand for eighteen."""


class AuthenticatorKind(StrEnum):
    TOTP = "totp"


class Authenticator(Model):
    """`last_step` only rises: a code is taken by raising it. `burned_step` is a step that a wrong code gave away."""

    __tablename__ = "authenticators"
    __table_args__ = (UniqueConstraint("account_id", "name_key"), {"sqlite_autoincrement": True})

    id: Mapped[PrimaryKey]
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(20), default=AuthenticatorKind.TOTP)
    name: Mapped[str] = mapped_column(String(64))
    name_key: Mapped[str] = mapped_column(String(KEY_MAX))
    sealed_secret: Mapped[bytes] = mapped_column(LargeBinary)
    last_step: Mapped[int] = mapped_column(BigInteger, default=NO_STEP)
    burned_step: Mapped[int] = mapped_column(BigInteger, default=NO_STEP)
    added_at: Mapped[Moment]
    last_used_at: Mapped[Moment | None]

    def rename(self, name: str) -> None:
        self.name, self.name_key = name, app_key(name)


def app_key(name: str) -> str:
    """What makes the names of two apps of one account the same."""
    return key_of(name)[:KEY_MAX]


def owner_of(account_id: int) -> str:
    """What stands inside a sealed secret, so that it opens for this account only."""
    return f"account:{account_id}"
