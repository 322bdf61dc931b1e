"""Between which numbers the events of a day lie, so that a page of one week does not look through years of them.

Kept by a trigger. Numbers rise with time, but for clocks that are moved: so each day has bounds of its own, which
hold whatever the clock did. `before_event` is rounded up: one event in a thousand writes here.
"""

from sqlalchemy.orm import Mapped, mapped_column

from .base import BigId, Model
from .portal_person import KEPT_BY_TRIGGERS

DAY = 24 * 60 * 60 * 1_000_000
"""Microseconds."""


class EventDay(Model):
    """`day`: days since 1970, in UTC."""

    __tablename__ = "event_days"
    __table_args__ = ({"info": KEPT_BY_TRIGGERS},)

    day: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    first_event: Mapped[int] = mapped_column(BigId)
    before_event: Mapped[int] = mapped_column(BigId)
