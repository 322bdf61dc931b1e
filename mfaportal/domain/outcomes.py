"""What operations answer. An expected refusal is a value: one that raised would roll back its own count and event."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from ..rules.stages import Stage


@dataclass(frozen=True, slots=True)
class Done:
    """It is done; nothing more to tell."""


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A login begun or carried on. The browser gets `token`; the row keeps only its digest.

    `device`: the mark that the browser keeps for the next time, if it is one that is known; `wrong_codes`: how many
    there were since the last whole log-in.
    """

    token: str
    stage: Stage
    account_id: int
    email: str
    device: str = ""
    wrong_codes: int = 0


@dataclass(frozen=True, slots=True)
class WrongPassword:
    """E-mail or password is wrong; which of them is nobody's business."""


class LoginRefusal(Enum):
    """The right password of an account that may not log in."""

    SUSPENDED = "suspended"
    NO_PORTAL = "no portal"


@dataclass(frozen=True, slots=True)
class StillAsking:
    """The right password of somebody who may not log in yet: their request waits, or was declined, or its address is
    still to be confirmed by the link that was mailed to it.

    `contact`: whom to ask at the portal where they asked; empty where it names nobody.
    """

    portal: str
    declined: bool
    reason: str
    contact: str
    unconfirmed: bool = False

    @property
    def value(self) -> str:
        """The same in one word, as a `LoginRefusal` has it."""
        if self.unconfirmed:
            return "unconfirmed"
        return "declined" if self.declined else "waiting"


@dataclass(frozen=True, slots=True)
class PausedUntil:
    """Too many attempts. `until` is None when only an operator or a new password lifts it.

    `full`: the kinds of budget that are used up; `first`: no refusal of theirs has been written down in this window.
    """

    until: datetime | None
    full: frozenset[str] = field(default=frozenset(), compare=False)
    first: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class MalformedCode:
    """Not six digits: not judged, not counted as wrong."""


@dataclass(frozen=True, slots=True)
class WrongCode:
    """Six digits that are nobody's."""


@dataclass(frozen=True, slots=True)
class UsedCode:
    """Right, but taken before (or an older step than one taken before)."""


@dataclass(frozen=True, slots=True)
class ClockWrong:
    """Right at another time: the device's clock is this many seconds fast, or slow when negative."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """No key of the ring opens the account's secrets: an operator must look, nobody else can help."""


CodeRefusal = MalformedCode | WrongCode | UsedCode | ClockWrong | PausedUntil | Unreadable


class NameRefusal(Enum):
    BAD = "bad"
    TAKEN = "taken"


class SetUpRefusal(Enum):
    EXPIRED = "expired"
    """The pending key is gone: used by another tab, or older than half an hour."""
    TOO_MANY = "too many"
    GONE = "gone"
    """The app that was to be replaced is not there (any more)."""


@dataclass(frozen=True, slots=True)
class SetUpDone:
    """An app was added under `name`; `first` if it is the account's only one. `token` replaces the browser's.

    `device`: the mark that the browser keeps from now on, where this made a log-in whole.
    """

    token: str
    name: str
    first: bool
    device: str = ""


class DeleteRefusal(Enum):
    GONE = "gone"
    LAST_OF_COVERED = "last of covered"


class AccountRefusal(Enum):
    """Why something cannot be done to an account."""

    UNKNOWN = "unknown"
    EXISTS = "exists"
    BAD_EMAIL = "bad e-mail"
    BAD_NAME = "bad name"
    LAST_OPERATOR = "last operator"
    LAST_ADMIN = "last admin"
    ONESELF = "oneself"
    AN_OPERATOR = "an operator"
    UNKNOWN_PORTAL = "unknown portal"
    NEEDS_MAIL = "needs mail"
    """Without a mail server nobody can show that an address is theirs."""
    NO_CHANGE = "no change"


@dataclass(frozen=True, slots=True)
class Created:
    """The account that was made, and the invitation's token where it has no password yet."""

    account_id: int
    token: str | None = None


@dataclass(frozen=True, slots=True)
class LinkMade:
    """The token of a one-time link, to be shown once."""

    token: str


@dataclass(frozen=True, slots=True)
class Invited:
    """An address and the token of its link, to be shown once; no token for somebody who is a member already.

    `mailed`: the link is on its way to the address, and is shown to nobody.
    """

    email: str
    token: str | None
    mailed: bool = False


class InvitationRefusal(Enum):
    GONE = "gone"
    """Used, expired, revoked or never made: one answer for all."""
    HAS_ACCOUNT = "has account"
    """The address has an account: its owner logs in to accept."""
    ANOTHERS = "another's"
    """It is for another address than the account's."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody is in a portal now; `before`: they were already, and their role stays."""

    before: bool = False


class PortalRefusal(Enum):
    BAD_NAME = "bad name"
    BAD_SLUG = "bad slug"
    SLUG_TAKEN = "slug taken"
    UNKNOWN = "unknown"
    LAST = "last"
    """An installation has at least one portal."""


class RequestRefusal(Enum):
    """Why somebody cannot ask for access, or take it back."""

    CLOSED = "closed"
    """There is no such portal, or it takes no requests (any more)."""
    MEMBER = "member"
    ALREADY_OPEN = "already open"
    NOT_OPEN = "not open"


class WelcomeRefusal(Enum):
    TOO_LATE = "too late"


class RuleRefusal(Enum):
    WOULD_COVER_YOU = "would cover you"
    """ "Apply now" by somebody whom the rule would cover and who has no app."""


@dataclass(frozen=True, slots=True)
class AppsReset:
    """How many apps went; a link to set a new password where one was asked for."""

    apps: int
    link_token: str | None = None


@dataclass(frozen=True, slots=True)
class DatasetAdded:
    """Where it stands from now on: its slug never changes."""

    slug: str


class DatasetRefusal(Enum):
    BAD_TITLE = "bad title"
    UNKNOWN = "unknown"
    CONFLICT = "conflict"
    """Somebody else saved since the form was opened."""
