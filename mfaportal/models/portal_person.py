"""What lists of people are read from: who stands in which portal's list, ready in its order. Kept by triggers.

Nothing of the portal writes these rows: the triggers of migration 0005 keep them with every change of an account, a
membership or an app, whoever makes it. A test compares them with what they are made of after random changes.
"""

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import BigId, Model

IN_NO_PORTAL = 0
"""In place of a portal: those who are members of none, and no operators either."""
UNREADABLE = "none"
"""A membership whose role cannot be read: it gives nothing, and a rule for all users covers it still."""
KEPT_BY_TRIGGERS = {"kept_by_triggers": True}
"""Marks tables that follow from others: whoever copies rows leaves these alone."""


class PortalPerson(Model):
    """A line of a portal's list of users: its members, and the operators, who count as admins of every portal.

    `counts_as` is a role, `operator` whatever the membership, or `none`. The key is the order of the list.
    """

    __tablename__ = "portal_people"
    __table_args__ = (
        Index("ix_portal_people_account_id", "account_id", "portal_id", unique=True),
        Index("ix_portal_people_counts_as", "portal_id", "counts_as", "set_up", "name_key", "account_id"),
        Index("ix_portal_people_set_up", "portal_id", "set_up", "account_id"),
        {"sqlite_with_rowid": False, "info": KEPT_BY_TRIGGERS},
    )

    portal_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    name_key: Mapped[str] = mapped_column(String(400), primary_key=True)
    account_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    email: Mapped[str] = mapped_column(String(254))
    counts_as: Mapped[str] = mapped_column(String(20))
    set_up: Mapped[bool]
