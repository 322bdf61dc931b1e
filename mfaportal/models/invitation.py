"""Invitations: a link that lets one address into a portal. Taken once, by one UPDATE; revoked by deleting it."""

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from ..plumbing.db import Moment
from .base import BigId, Model, PrimaryKey


class Invitation(Model):
    """Open until `used_at` or `expires_at`. `made_by` names an account that may be gone by now."""

    __tablename__ = "invitations"
    __table_args__ = (
        Index("ix_invitations_portal_id", "portal_id", "id"),
        Index("ix_invitations_email", "email"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[PrimaryKey]
    portal_id: Mapped[int] = mapped_column(BigId, ForeignKey("portals.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(String(254))
    role: Mapped[str] = mapped_column(String(20))
    token_digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    made_by: Mapped[int | None] = mapped_column(BigId)
    made_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None]
