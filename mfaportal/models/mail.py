"""The outbox: mails that were caused but have not left yet, and jobs that become mails. Written with the change."""

from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from ..plumbing.db import Moment
from .base import BigId, Model, PrimaryKey

ERROR_MAX = 200
HAS_FAILED = text("sent_at IS NULL AND (tries > 0 OR gave_up_at IS NOT NULL)")
"""Tried without success, or given up. In these words the index knows it again."""


class MailKind(StrEnum):
    """What a mail tells; its text is the template of this name in `templates/email/`."""

    APP_ADDED = "app-added"
    APP_RENAMED = "app-renamed"
    APP_DELETED = "app-deleted"
    RECOVERY_CODE_USED = "recovery-code-used"
    CODES_REPLACED = "codes-replaced"
    CODES_LOW = "codes-low"
    NEW_BROWSER = "new-browser"
    WRONG_CODES = "wrong-codes"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105
    RESET_LINK = "reset-link"
    EMAIL_CHANGE = "email-change"
    """To the new address: the link that confirms it."""
    EMAIL_CHANGED = "email-changed"
    """To the old address."""
    MFA_RESET = "mfa-reset"
    ROLE_CHANGED = "role-changed"
    RULE_RAISED = "rule-raised"
    REQUEST_RECEIVED = "request-received"
    REQUEST_ACCEPTED = "request-accepted"
    REQUEST_DECLINED = "request-declined"
    REQUEST_KNOWN = "request-known"
    """To the owner of an address with which a stranger asked for access."""
    CONFIRM_ADDRESS = "confirm-address"
    """To somebody who asked for access or signs up: the link that shows the address to be theirs."""
    INVITATION = "invitation"


class Mail(Model):
    """One mail to one address. `sealed` holds what its text is made of, and goes once the mail is sent or given up.

    `about` names what a link in it belongs to (`invitation:7`): when that is void, the mail is, too. `claimed_until`
    keeps other senders off while one of them has it.
    """

    __tablename__ = "mails"
    __table_args__ = (
        Index("ix_mails_next_try_at", "next_try_at"),
        Index("ix_mails_about", "about"),
        Index("ix_mails_account_id", "account_id"),
        Index("ix_mails_failed", "id", sqlite_where=HAS_FAILED),
        Index("ix_mails_gave_up_at", "gave_up_at", sqlite_where=text("gave_up_at IS NOT NULL")),
        Index("ix_mails_sent_at", "sent_at", sqlite_where=text("sent_at IS NOT NULL")),
        Index("ix_mails_untold", "dies_at", sqlite_where=text("sent_at IS NULL AND gave_up_at IS NULL")),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[PrimaryKey]
    kind: Mapped[str] = mapped_column(String(40))
    recipient: Mapped[str] = mapped_column(String(254))
    account_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    message_id: Mapped[str] = mapped_column(String(120), unique=True)
    about: Mapped[str | None] = mapped_column(String(60))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    made_at: Mapped[Moment]
    dies_at: Mapped[Moment]
    next_try_at: Mapped[Moment | None]
    """Empty once it was sent or given up."""
    tries: Mapped[int] = mapped_column(default=0)
    claimed_until: Mapped[Moment | None]
    sent_at: Mapped[Moment | None]
    gave_up_at: Mapped[Moment | None]
    error: Mapped[str] = mapped_column(String(ERROR_MAX), default="")


def owner_of_mail(message_id: str) -> str:
    """What stands inside a sealed mail, so that it opens as this one only."""
    return f"mail:{message_id}"


class MailJobKind(StrEnum):
    """What the sender turns into mails by itself, so that the request that causes it does one thing at one cost."""

    RESET_ASKED = "reset-asked"
    """Somebody typed an address at "Forgot your password?": only the sender looks whether it is known."""
    RULE_RAISED = "rule-raised"
    REQUEST_RECEIVED = "request-received"


class MailJob(Model):
    """`after` is how far a job over many people has come: the last account that it wrote to."""

    __tablename__ = "mail_jobs"
    __table_args__ = (Index("ix_mail_jobs_dies_at", "dies_at"), {"sqlite_autoincrement": True})

    id: Mapped[PrimaryKey]
    kind: Mapped[str] = mapped_column(String(40))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[Moment]
    dies_at: Mapped[Moment]
    after: Mapped[int] = mapped_column(BigId, default=0)


OWNER_OF_JOB = "mail-job"
"""What stands inside a sealed job."""
