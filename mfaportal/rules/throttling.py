"""How often one may be wrong. Windows slide: no window of that length ever holds more attempts than its limit.

Pure: what happened is a `History`, and counting gives a new one. Keeping it is `domain.throttles`' job.
"""

import ipaddress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class Kind(StrEnum):
    """What is counted; a subject (account, login, address, digest of an e-mail) has one history of each."""

    CODE_OF_ACCOUNT = "code:account"
    CODE_OF_STEP_UP = "code:step-up"
    CODE_OF_SET_UP = "code:set-up"
    CODE_FROM_ADDRESS = "code:address"
    MALFORMED_CODE = "code:malformed"
    PASSWORD_FROM_ADDRESS_TO_ACCOUNT = "password:address+account"  # noqa: S105
    PASSWORD_TO_ACCOUNT = "password:account"  # noqa: S105
    PASSWORD_FROM_DEVICE = "password:device"  # noqa: S105
    LIFTED_BY_MAIL = "code:lifted-by-mail"
    TOLD_OF_BROWSER = "mail:new-browser"
    PASSWORD_OF_REQUEST = "password:request"  # noqa: S105
    PASSWORD_FROM_ADDRESS = "password:address"  # noqa: S105
    REQUEST_FROM_ADDRESS = "request:address"
    REQUEST_OF_EMAIL = "request:e-mail"
    REQUEST_TO_PORTAL = "request:portal"
    RESET_FROM_ADDRESS = "reset:address"
    RESET_OF_EMAIL = "reset:e-mail"
    EMAIL_CHANGE = "e-mail-change:account"
    HAND_OFF_OF_LOGIN = "hand-off:login"


@dataclass(frozen=True, slots=True)
class Window:
    attempts: int
    length: timedelta


@dataclass(frozen=True, slots=True)
class Limit:
    """The windows of a kind, and how many in a row without a success stop it for good."""

    windows: tuple[Window, ...]
    in_a_row: int | None = None


@dataclass(frozen=True, slots=True)
class History:
    """The attempts that still matter, oldest first, and how many came in a row."""

    attempts: tuple[datetime, ...] = ()
    in_a_row: int = 0


@dataclass(frozen=True, slots=True)
class Paused:
    """Not now. `until`: when the next attempt is free; None: not before somebody lifts it.

    `within` is the length of the window that is full (the one that stays so for longest).
    """

    until: datetime | None
    within: timedelta | None = field(default=None, compare=False)


_MINUTES_5 = timedelta(minutes=5)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_IPV6_PREFIX = 64
_CODES = Limit(
    (Window(5, _MINUTES_5), Window(20, _HOUR), Window(50, _DAY)),
    in_a_row=100,
)
"""RFC 4226 §7.3 asks for a limit across sessions; NIST SP 800-63B-4 §3.2.2 for at most 100 in a row."""

LIMITS: dict[Kind, Limit] = {
    Kind.CODE_OF_ACCOUNT: _CODES,
    Kind.CODE_OF_STEP_UP: _CODES,
    Kind.CODE_OF_SET_UP: _CODES,
    Kind.CODE_FROM_ADDRESS: Limit((Window(30, _MINUTES_5),)),
    Kind.MALFORMED_CODE: Limit((Window(30, _MINUTES_5),)),
    Kind.PASSWORD_FROM_ADDRESS_TO_ACCOUNT: Limit((Window(5, _MINUTES_5),)),
    Kind.PASSWORD_TO_ACCOUNT: Limit((Window(100, _DAY),)),
    Kind.PASSWORD_FROM_DEVICE: Limit((Window(5, _MINUTES_5), Window(100, _DAY))),
    Kind.LIFTED_BY_MAIL: Limit((Window(1, _DAY),)),
    Kind.TOLD_OF_BROWSER: Limit((Window(1, _HOUR),)),
    Kind.PASSWORD_OF_REQUEST: Limit((Window(5, _MINUTES_5),)),
    Kind.PASSWORD_FROM_ADDRESS: Limit((Window(50, _MINUTES_5),)),
    Kind.REQUEST_FROM_ADDRESS: Limit((Window(10, _HOUR), Window(20, _DAY))),
    Kind.REQUEST_OF_EMAIL: Limit((Window(3, _HOUR),)),
    Kind.REQUEST_TO_PORTAL: Limit((Window(100, _DAY),)),
    Kind.RESET_FROM_ADDRESS: Limit((Window(10, _HOUR),)),
    Kind.RESET_OF_EMAIL: Limit((Window(3, _HOUR),)),
    Kind.EMAIL_CHANGE: Limit((Window(3, _HOUR),)),
    Kind.HAND_OFF_OF_LOGIN: Limit((Window(20, _MINUTES_5), Window(60, _HOUR))),
}
"""OWASP's device cookies: browsers that completed a log-in keep a budget that strangers cannot use up.

One address alone cannot use up the day of a portal's strangers.
"""


def network_of(address: str) -> str:
    """What an address counts as: IPv4 as itself, IPv6 as its /64, all of which one subscriber has to choose from.

    Raises:
        ValueError: this is no address.
    """
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(ipaddress.IPv6Network((parsed, _IPV6_PREFIX), strict=False))


def counted(history: History, limit: Limit, now: datetime) -> History | Paused:
    """The history with one more attempt at `now`, or why there can be none.

    Attempts that lie ahead count, too: of parallel requests the later one may be faster. Those further ahead than a
    window is long do not: the clock was put back, and a pause must still end (after two lengths at most).
    """
    if limit.in_a_row is not None and history.in_a_row >= limit.in_a_row:
        return Paused(None)
    full = [
        (until, window.length) for window in limit.windows if (until := _full_until(history.attempts, window, now))
    ]
    if full:
        return Paused(*max(full))
    longest = max(window.length for window in limit.windows)
    return History(tuple(sorted((*_near(history.attempts, longest, now), now))), history.in_a_row + 1)


def _full_until(attempts: tuple[datetime, ...], window: Window, now: datetime) -> datetime | None:
    near = sorted(_near(attempts, window.length, now))
    return near[-window.attempts] + window.length if len(near) >= window.attempts else None


def _near(attempts: tuple[datetime, ...], length: timedelta, now: datetime) -> list[datetime]:
    return [attempt for attempt in attempts if abs(now - attempt) < length]


def given_back(history: History, at: datetime) -> History:
    """The history without the attempt made at `at`, which turned out right."""
    attempts = list(history.attempts)
    if at in attempts:
        attempts.remove(at)
    return History(tuple(attempts), max(0, history.in_a_row - 1))
