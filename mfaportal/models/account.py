"""Accounts: one person each, belonging to the installation, not to a portal."""

from datetime import datetime

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from ..plumbing.db import Moment
from ..rules.names import key_of
from .base import Model, PrimaryKey

KEY_MAX = 400
"""Of what a name sorts by. One character may stand for eighteen, and what follows then tells nobody apart."""


class Account(Model):
    """Without a password digest nobody can log in: the person still has to choose a password by a link."""

    __tablename__ = "accounts"
    __table_args__ = (
        Index("ix_accounts_name_key", "name_key", "id"),
        Index("ix_accounts_operators", "name_key", "id", sqlite_where=text("is_operator = 1")),
        Index("ix_accounts_suspended", "name_key", "id", sqlite_where=text("suspended_at IS NOT NULL")),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[PrimaryKey]
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(String(KEY_MAX))
    password_digest: Mapped[str | None] = mapped_column(String(255))
    is_operator: Mapped[bool] = mapped_column(default=False)
    suspended_at: Mapped[Moment | None]
    created_at: Mapped[Moment]
    last_login_at: Mapped[Moment | None]
    email_confirmed_at: Mapped[Moment | None]
    """Empty where nobody ever proved that the address is theirs: marked wherever admins see it."""
    codes_saved_at: Mapped[Moment | None]
    """When the owner said that the present recovery codes are saved; empty again when new ones are made."""

    def rename(self, name: str) -> None:
        self.name, self.name_key = name, key_of(name)[:KEY_MAX]


def new_account(
    *,
    email: str,
    name: str,
    password_digest: str | None,
    now: datetime,
    operator: bool = False,
    confirmed: bool = True,
) -> Account:
    """`confirmed`: an operator vouches for the address, or its owner proved it."""
    account = Account(
        email=email,
        password_digest=password_digest,
        is_operator=operator,
        created_at=now,
        email_confirmed_at=now if confirmed else None,
    )
    account.rename(name)
    return account
