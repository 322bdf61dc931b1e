"""Addresses that a portal guards beside its own pages, and the parts of them that are its back office."""

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .base import BigId, Model, PrimaryKey

HOST_MAX = 260
"""A name of 253 characters (RFC 1035 §3.1), a colon and a port."""
PREFIX_MAX = 200


class GuardedAddress(Model):
    """`host` is what a browser's `Host` says: lower case, the port where it is not the scheme's own.

    `prefix` is empty, or begins with a slash and ends with none.
    """

    __tablename__ = "guarded_addresses"
    __table_args__ = (UniqueConstraint("host", "prefix"), {"sqlite_autoincrement": True})

    id: Mapped[PrimaryKey]
    portal_id: Mapped[int] = mapped_column(BigId, ForeignKey("portals.id", ondelete="CASCADE"), index=True)
    scheme: Mapped[str] = mapped_column(String(5))
    host: Mapped[str] = mapped_column(String(HOST_MAX))
    prefix: Mapped[str] = mapped_column(String(PREFIX_MAX))


class BackOfficePath(Model):
    """Below each address of the portal: what lies there is for its editors and admins. Ends with no slash."""

    __tablename__ = "back_office_paths"
    __table_args__ = (UniqueConstraint("portal_id", "path"), {"sqlite_autoincrement": True})

    id: Mapped[PrimaryKey]
    portal_id: Mapped[int] = mapped_column(BigId, ForeignKey("portals.id", ondelete="CASCADE"))
    path: Mapped[str] = mapped_column(String(PREFIX_MAX))
