"""Who asks for an operation, from where, and when: the first argument of each."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ..rules.lifetimes import LoginLimits


class Source(StrEnum):
    WEB = "web"
    COMMAND_LINE = "cli"


@dataclass(frozen=True, slots=True)
class Caller:
    """`now` is the request's one instant. Without an `address` that can be trusted nothing counts by address.

    The command line has neither account nor login: whoever may run it may do everything.
    """

    now: datetime
    source: Source
    limits: LoginLimits
    account_id: int | None = None
    login_id: int | None = None
    address: str | None = None
    browser: str = ""
