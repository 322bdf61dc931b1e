"""Who asks for an operation, from where, and when: the first argument of each."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ..plumbing.runtime import runtime
from ..rules.lifetimes import LoginLimits


class Source(StrEnum):
    WEB = "web"
    COMMAND_LINE = "cli"
    UPKEEP = "upkeep"
    """The portal itself, when nobody asks it to."""


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


def the_portal_itself() -> Caller:
    """Who does what nobody asked for: a start, and the upkeep."""
    settings = runtime().settings
    return Caller(runtime().now(), Source.UPKEEP, LoginLimits(settings.login_idle, settings.login_max_age))
