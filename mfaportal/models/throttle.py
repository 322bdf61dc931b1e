"""Throttles: one row a subject and kind, replaced as a whole by one conditional UPDATE."""

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ..plumbing.clock import from_microseconds, to_microseconds
from ..plumbing.db import Moment
from ..rules.throttling import History
from .base import Model


class Throttle(Model):
    """`attempts` holds the instants as numbers; `version` counts the replacements and lets only one writer win."""

    __tablename__ = "throttles"
    __table_args__ = (Index("ix_throttles_changed_at", "changed_at"),)

    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    subject: Mapped[str] = mapped_column(String(128), primary_key=True)
    attempts: Mapped[str] = mapped_column(Text, default="")
    in_a_row: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[Moment]
    noted_at: Mapped[Moment | None]
    """When a refusal was last written into the log: once a window, however many follow."""


def packed(history: History) -> str:
    return " ".join(str(to_microseconds(attempt)) for attempt in history.attempts)


def unpacked(attempts: str, in_a_row: int) -> History:
    return History(tuple(from_microseconds(int(number)) for number in attempts.split()), in_a_row)
