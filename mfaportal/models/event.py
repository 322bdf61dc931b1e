"""The audit log: typed events, written with the change they tell of. They outlive the people in them."""

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ..plumbing.db import Moment
from .base import BigId, Model, PrimaryKey


class EventKind(StrEnum):
    """`subject:what happened`."""

    ACCOUNT_CREATED = "account:created"
    ACCOUNT_RENAMED = "account:renamed"
    ACCOUNT_SUSPENDED = "account:suspended"
    ACCOUNT_RESTORED = "account:restored"
    ACCOUNT_DELETED = "account:deleted"
    ACCOUNT_UNLOCKED = "account:unlocked"
    OPERATOR_CHANGED = "account:operator-changed"
    EMAIL_CHANGE_ASKED = "account:e-mail-change-asked"
    EMAIL_CHANGED = "account:e-mail-changed"
    PASSWORD_SET = "password:set"  # noqa: S105
    RESET_IGNORED = "password:reset-ignored"
    RESET_ASKED = "password:reset-asked"
    LINK_MADE = "link:made"
    LOGIN_PASSWORD_WRONG = "login:password-wrong"  # noqa: S105
    LOGIN_REFUSED = "login:refused"
    LOGIN_PASSWORD_RIGHT = "login:password-right"  # noqa: S105
    LOGIN_COMPLETED = "login:completed"
    LOGIN_ENDED = "login:ended"
    LOGINS_ENDED = "login:all-ended"
    LOGIN_CONFIRMED = "login:confirmed"
    CODE_WRONG = "code:wrong"
    CODE_REUSED = "code:reused"
    ATTEMPTS_PAUSED = "throttle:paused"
    AUTHENTICATOR_ADDED = "authenticator:added"
    AUTHENTICATOR_RENAMED = "authenticator:renamed"
    AUTHENTICATOR_DELETED = "authenticator:deleted"
    MFA_RESET = "authenticator:all-reset"
    RECOVERY_CODES_MADE = "recovery-codes:made"
    RECOVERY_CODES_SAVED = "recovery-codes:saved"
    RECOVERY_CODES_REPLACED = "recovery-codes:replaced"
    RECOVERY_CODE_USED = "recovery-codes:used"
    PORTAL_CREATED = "portal:created"
    PORTAL_RENAMED = "portal:renamed"
    PORTAL_DELETED = "portal:deleted"
    PORTAL_GUARDS = "portal:guards-changed"
    SIGN_UP_CHANGED = "portal:sign-up-changed"
    PORTAL_ACCESS_CHANGED = "portal:access-changed"
    GUARDED_HOST_ENTERED = "gateway:entered"
    ROLE_CHANGED = "membership:role-changed"
    MEMBER_ADDED = "membership:added"
    MEMBER_REMOVED = "membership:removed"
    MEMBER_LEFT = "membership:left"
    REQUEST_SENT_TO_CONFIRM = "request:sent-to-confirm"
    REQUEST_MADE = "request:made"
    REQUEST_IGNORED = "request:ignored"
    REQUEST_WITHDRAWN = "request:withdrawn"
    REQUEST_ACCEPTED = "request:accepted"
    REQUEST_DECLINED = "request:declined"
    INVITATION_MADE = "invitation:made"
    INVITATION_MADE_AGAIN = "invitation:made-again"
    INVITATION_REVOKED = "invitation:revoked"
    INVITATION_ACCEPTED = "invitation:accepted"
    KEYS_ROTATED = "keys:rotated"
    BACKUP_MADE = "backup:made"
    RESTORED = "backup:restored"
    DATABASE_COPIED = "database:copied"
    PEOPLE_EXPORTED = "people:exported"
    EVENTS_EXPORTED = "events:exported"
    CLOCK_WENT_BACK = "clock:went-back"
    MAIL_RETRIED = "mail:tried-again"
    DATASET_ADDED = "dataset:added"
    DATASET_CHANGED = "dataset:changed"
    DATASET_DELETED = "dataset:deleted"


class Event(Model):
    """No foreign keys: an event outlives account and portal. `actor_id` is empty for the command line."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_account_id", "account_id", "id"),
        Index("ix_events_actor_id", "actor_id", "id"),
        Index("ix_events_kind", "kind", "id"),
        Index("ix_events_portal_id", "portal_id", "id"),
        Index("ix_events_portal_kind", "portal_id", "kind", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[PrimaryKey]
    kind: Mapped[str] = mapped_column(String(40))
    at: Mapped[Moment]
    source: Mapped[str] = mapped_column(String(10))
    actor_id: Mapped[int | None] = mapped_column(BigId)
    account_id: Mapped[int | None] = mapped_column(BigId)
    portal_id: Mapped[int | None] = mapped_column(BigId)
    address: Mapped[str | None] = mapped_column(String(45))
    browser: Mapped[str] = mapped_column(String(200), default="")
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
