"""Seals over batches of events: a keyed digest of the batch and of the seal before, so that nothing goes unseen."""

from sqlalchemy import Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from ..plumbing.db import Moment
from .base import BigId, Model, PrimaryKey


class EventSeal(Model):
    """`batch` is the digest of the events from `first_event` to `last_event`; `seal` chains it to the seal before.

    When retention removes a batch's events, the row stays: `pruned_at`, and `pruned` as the proof that it was us.
    """

    __tablename__ = "event_seals"
    __table_args__ = (
        Index("ix_event_seals_kept", "last_event", sqlite_where=text("pruned_at IS NULL")),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[PrimaryKey]
    after_event: Mapped[int] = mapped_column(BigId, unique=True)
    """Where the batch before ended, 0 for the first. Unique, so that two who seal at once cannot fork the chain."""
    first_event: Mapped[int] = mapped_column(BigId)
    last_event: Mapped[int] = mapped_column(BigId, unique=True)
    events: Mapped[int] = mapped_column(BigId)
    batch: Mapped[bytes] = mapped_column(LargeBinary(32))
    key: Mapped[str] = mapped_column(String(20))
    seal: Mapped[bytes] = mapped_column(LargeBinary(32))
    sealed_at: Mapped[Moment]
    pruned_at: Mapped[Moment | None]
    pruned: Mapped[bytes | None] = mapped_column(LargeBinary(32))
