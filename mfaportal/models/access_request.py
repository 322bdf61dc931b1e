"""Access requests: somebody's wish to enter a portal. A stranger's carries its own name, e-mail and password."""

from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from ..plumbing.db import Moment
from ..rules.names import MESSAGE_MAX, PERSON_MAX, REASON_MAX
from .base import BigId, Model, PrimaryKey

_OPEN = text("state = 'open'")


class RequestState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    UNCONFIRMED = "unconfirmed"
    """A stranger's where mail works: it comes into the queue once the address is confirmed."""
    DECOY = "decoy"
    """Asked for with an account's address. Nobody decides it and no page shows it: it only waits, as others do."""


class AccessRequest(Model):
    """Without `account_id` a stranger's, who has `email`, `name` and `password_digest` until it is accepted.

    Acceptance moves all three into the account that it makes, whose number the row then holds. `decided_by` names an
    account that may be gone by now.
    """

    __tablename__ = "access_requests"
    __table_args__ = (
        Index("ix_access_requests_portal_id", "portal_id", "state", "id"),
        Index("ix_access_requests_account_id", "account_id"),
        Index("ix_access_requests_email", "email", "id"),
        Index("ix_access_requests_confirm_digest", "confirm_digest", unique=True),
        Index("ix_access_requests_decided_at", "portal_id", "decided_at", "id"),
        Index("ix_access_requests_strangers", "state", "made_at", sqlite_where=text("account_id IS NULL")),
        Index(
            "uq_access_requests_open",
            "portal_id",
            "account_id",
            unique=True,
            sqlite_where=_OPEN,  # PostgreSQL's own is in its migration: naming it here loads its dialect, 2 MiB
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[PrimaryKey]
    portal_id: Mapped[int] = mapped_column(BigId, ForeignKey("portals.id", ondelete="CASCADE"))
    account_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    email: Mapped[str | None] = mapped_column(String(254))
    name: Mapped[str | None] = mapped_column(String(PERSON_MAX))
    password_digest: Mapped[str | None] = mapped_column(String(255))
    message: Mapped[str] = mapped_column(String(MESSAGE_MAX), default="")
    state: Mapped[str] = mapped_column(String(20), default=RequestState.OPEN)
    made_at: Mapped[Moment]
    decided_at: Mapped[Moment | None]
    decided_by: Mapped[int | None] = mapped_column(BigId)
    role: Mapped[str | None] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(REASON_MAX), default="")
    confirm_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """Of the mailed link's token; empty once it was taken, and where there is no mail."""
    email_confirmed_at: Mapped[Moment | None]
