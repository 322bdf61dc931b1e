"""Facts about the installation as a whole, by name."""

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Model

KEY_CANARY = "key-canary"
"""Fingerprints of the keys that this database was used with."""
SIGNED_WITH = "signed-with"
"""A fingerprint of the key that the web process which started last signs with."""
LATEST_INSTANT = "latest-instant"
"""The latest instant that upkeep or a start has seen, in microseconds since 1970."""
CLOCK_WENT_BACK = "clock-went-back"
"""When that was last found to lie ahead, and by how many seconds."""
UNDECLARED_PROXY = "undeclared-proxy"
"""Which proxy forwards requests without being trusted, and when that was last seen."""
RESTORED_AS = "restored-as"
"""The token of the restore that these rows came with, where the database is on a server (`plumbing/staging`)."""
SEARCH_TO_SWEEP = "search-to-sweep"
"""Stands while SQLite's search index still holds what was taken out of it; a trigger writes it (migration 0005)."""
WELCOMED = "welcomed"
"""Stands once the first account was made; inserting it is what makes the first operator the only first one."""


class Setting(Model):
    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
