"""Passes: what lets a login into one guarded host. The login's end is theirs, too.

A row begins as a hand-off: a single-use token on its way from the portal's own host to the guarded one. Taking it is
one conditional UPDATE, which gives the row the digest of the token that the browser keeps for that host.
"""

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from ..plumbing.db import Moment
from .base import BigId, Model, PrimaryKey
from .guarded_address import HOST_MAX


class LoginPass(Model):
    __tablename__ = "login_passes"
    __table_args__ = (
        Index("ix_login_passes_login_id", "login_id", "host"),
        Index("ix_login_passes_not_taken", "made_at", sqlite_where=text("taken_at IS NULL")),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[PrimaryKey]
    login_id: Mapped[int] = mapped_column(BigId, ForeignKey("logins.id", ondelete="CASCADE"))
    host: Mapped[str] = mapped_column(String(HOST_MAX))
    hand_off_digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    browser_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    """Of what the guarded host gave the browser that asked: a hand-off is no use to another."""
    made_at: Mapped[Moment]
    taken_at: Mapped[Moment | None]
    token_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
