"""Invitations: a link that lets one address into a portal. Taken once, by one UPDATE; revoked by deleting it."""

from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, LargeBinary, String, and_, exists, false, or_
from sqlalchemy.orm import Mapped, aliased, mapped_column

from ..plumbing.db import Moment
from ..rules.roles import MemberRole
from .account import Account
from .base import BigId, Model, PrimaryKey
from .membership import Membership


class Invitation(Model):
    """`still_works` says whether its link is taken. `made_by` names an account that may be gone by now."""

    __tablename__ = "invitations"
    __table_args__ = (
        Index("ix_invitations_portal_id", "portal_id", "id"),
        Index("ix_invitations_email", "email"),
        Index("ix_invitations_expires_at", "expires_at"),
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
    mailed: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether the present link went out by mail and was shown to nobody: whoever takes it has the address."""


def still_works(now: Any) -> ColumnElement[bool]:
    """In SQL: not used, not too old, and whoever made it could make it now. The command line always could."""
    by, place = aliased(Account), aliased(Membership)
    is_admin = (
        exists()
        .where(place.account_id == by.id, place.portal_id == Invitation.portal_id, place.role == MemberRole.ADMIN)
        .correlate(by, Invitation)  # by itself it would look at invitations of any portal
    )
    may = exists().where(by.id == Invitation.made_by, by.suspended_at.is_(None), or_(by.is_operator, is_admin))
    return and_(Invitation.used_at.is_(None), Invitation.expires_at > now, or_(Invitation.made_by.is_(None), may))
