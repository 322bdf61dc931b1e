"""Sentences for outcomes, and times as people read them. The words that pages must use are fixed in pages.md."""

from datetime import datetime
from typing import assert_never

from ..domain.outcomes import (
    AccountRefusal,
    ClockWrong,
    CodeRefusal,
    MalformedCode,
    NameRefusal,
    PausedUntil,
    SetUpRefusal,
    Unreadable,
    UsedCode,
    WrongCode,
)

_MINUTE = 60
_HOUR = 3600
_DAY = 86400


def of_code(refusal: CodeRefusal, now: datetime) -> str:
    """What is wrong with a code, and what to do."""
    match refusal:
        case MalformedCode():
            return "Enter the six digits that your app shows."
        case WrongCode():
            return "This code is wrong. Enter the one that your app shows now."
        case UsedCode():
            return "This code was already used. Wait for the next one."
        case ClockWrong(seconds):
            direction = "fast" if seconds > 0 else "slow"
            return (
                f"The clock of your device is about {_about(abs(seconds))} {direction}, so its codes do not fit."
                " Set it to the automatic time, then enter a new code."
            )
        case PausedUntil():
            return of_pause("wrong codes", refusal, now)
        case Unreadable():
            return (
                "The portal cannot check codes of your app at present. This is not your fault:"
                " tell whoever runs this portal."
            )
        case _:
            assert_never(refusal)


def of_pause(what: str, pause: PausedUntil, now: datetime) -> str:
    """Until when to wait, or who can lift it."""
    if pause.until is None:
        return f"Too many {what} in a row. Whoever runs this portal has to unlock your account."
    seconds = (pause.until - now).total_seconds()
    return f"Too many {what}. Try again in {_about(seconds)}, at {pause.until:%H:%M} UTC."


def of_app_name(refusal: NameRefusal) -> str:
    match refusal:
        case NameRefusal.BAD:
            return "Give the app a name of 1 to 64 visible characters."
        case NameRefusal.TAKEN:
            return "You have an app of this name already. Choose another name."
        case _:
            assert_never(refusal)


def of_set_up(refusal: SetUpRefusal) -> str:
    match refusal:
        case SetUpRefusal.EXPIRED:
            return "The QR code was used or is too old. Scan the new one below."
        case SetUpRefusal.TOO_MANY:
            return "You have 20 apps. Delete one that you no longer use first."
        case _:
            assert_never(refusal)


OF_ACCOUNT = {
    AccountRefusal.UNKNOWN: "There is no such account.",
    AccountRefusal.EXISTS: "There is an account with this e-mail already.",
    AccountRefusal.BAD_EMAIL: "Enter an e-mail address such as name@example.org.",
    AccountRefusal.BAD_NAME: "Enter a name of 1 to 100 visible characters.",
    AccountRefusal.LAST_OPERATOR: "This is the last operator who can log in. Make somebody else an operator first.",
    AccountRefusal.LAST_ADMIN: "This is the portal's last admin. Only an operator can change that.",
    AccountRefusal.ONESELF: "You cannot do this to your own account.",
    AccountRefusal.AN_OPERATOR: "For another operator, only the command line does this.",
    AccountRefusal.UNKNOWN_PORTAL: "There is no such portal.",
    AccountRefusal.NO_CHANGE: "Nothing to change.",
}


def _about(seconds: float) -> str:
    """A length of time in its largest sensible unit, rounded up."""
    for unit, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds > unit or (unit == _MINUTE and seconds > unit / 2):
            number = int(-(-seconds // unit))
            return f"{number} {name}{'' if number == 1 else 's'}"
    number = max(1, int(-(-seconds // 1)))
    return f"{number} second{'' if number == 1 else 's'}"


def moment(instant: datetime | None, now: datetime) -> str:
    """A point in time, in UTC: `today, 09:12` or `2 October 2026`."""
    if instant is None:
        return "never"
    days = (now.date() - instant.date()).days
    if days == 0:
        return f"today, {instant:%H:%M} UTC"
    if days == 1:
        return f"yesterday, {instant:%H:%M} UTC"
    return f"{instant.day} {instant:%B %Y}"


def since(instant: datetime | None, now: datetime) -> str:
    """How long ago: `3 days ago`."""
    if instant is None:
        return "never"
    seconds = (now - instant).total_seconds()
    return "just now" if seconds < _MINUTE else f"{_about(seconds - _MINUTE / 2)} ago"
