"""Memberships: an account's place in a portal."""

from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, String, or_
from sqlalchemy.orm import Mapped, mapped_column

from ..plumbing.db import Moment
from ..rules.roles import MemberRole
from .base import BigId, Model


def works_in_back_office(role: Any) -> ColumnElement[bool]:
    """`roles.has_back_office` in SQL, for a role column."""
    return or_(role == MemberRole.EDITOR, role == MemberRole.ADMIN)


class Membership(Model):
    __tablename__ = "memberships"
    __table_args__ = (Index("ix_memberships_portal_id", "portal_id", "role"),)

    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    portal_id: Mapped[int] = mapped_column(BigId, ForeignKey("portals.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(20))
    since: Mapped[Moment]
