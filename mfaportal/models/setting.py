"""Facts about the installation as a whole, by name."""

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Model

KEY_CANARY = "key-canary"
"""Fingerprints of the keys that this database was used with."""
LATEST_INSTANT = "latest-instant"
"""The latest instant that upkeep or a start has seen, in microseconds since 1970."""
CLOCK_WENT_BACK = "clock-went-back"
"""When that was last found to lie ahead, and by how many seconds."""
UNDECLARED_PROXY = "undeclared-proxy"
"""Which proxy forwards requests without being trusted, and when that was last seen."""
WELCOMED = "welcomed"
"""Stands once the first account was made; inserting it is what makes the first operator the only first one."""


class Setting(Model):
    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
