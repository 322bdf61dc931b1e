"""Sentences for outcomes, and times as people read them. The words that pages must use are fixed in pages.md."""

from datetime import datetime
from typing import assert_never

from ..domain.guard_lines import ADDRESSES_MAX, PATHS_MAX, GuardRefusal, GuardWrong
from ..domain.outcomes import (
    AccountRefusal,
    ClockWrong,
    CodeRefusal,
    MalformedCode,
    NameRefusal,
    PausedUntil,
    PortalRefusal,
    SetUpRefusal,
    Unreadable,
    UsedCode,
    WrongCode,
)
from ..domain.recovery_codes import RecoveryRefusal
from ..domain.request_decisions import Decided, Decision

_MINUTE = 60
_HOUR = 3600
_DAY = 86400
_KB = 1024
_MB = 1024 * 1024
_ROUND = 9.95
"""From here on a digit behind the point says nothing."""


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


def of_recovery_code(refusal: RecoveryRefusal, now: datetime) -> str:
    """What is wrong with a recovery code, and what to do."""
    match refusal:
        case MalformedCode():
            return "Enter one of your recovery codes: 16 letters and digits."
        case WrongCode():
            return "This is none of your recovery codes. Look at each letter again."
        case UsedCode():
            return "This recovery code was already used. Each works once: take another one."
        case PausedUntil():
            return of_pause("wrong codes", refusal, now)
        case Unreadable():
            return (
                "The portal cannot check recovery codes at present. This is not your fault:"
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


def of_browsers(ended: int) -> str:
    """How many other logins ended; nothing where there were none."""
    if not ended:
        return ""
    return "One other browser was logged out." if ended == 1 else f"{ended} other browsers were logged out."


def of_app_name(refusal: NameRefusal) -> str:
    match refusal:
        case NameRefusal.BAD:
            return "Give the app a name of 1 to 64 visible characters."
        case NameRefusal.TAKEN:
            return "You have an app of this name already. Choose another name."
        case _:
            assert_never(refusal)


def of_decided(decided: Decided, decision: Decision) -> str:
    """What became of the requests that were chosen, in one sentence or two."""
    done = {Decision.ACCEPT: "accepted", Decision.DECLINE: "declined"}[decision]
    parts = [f"{decided.done} {done}"] if decided.done else []
    if decided.not_open:
        parts.append(f"{decided.not_open} {'was' if decided.not_open == 1 else 'were'} not open any more")
    if decided.has_account:
        parts.append(f"{decided.has_account} left alone")
    if decided.sharing:
        parts.append(f"{decided.sharing} left alone for having one address: accept only the right one of them")
    more = " For an address that has an account by now, invite that address instead." if decided.has_account else ""
    return f"{', '.join(parts)}.{more}"


def of_set_up(refusal: SetUpRefusal) -> str:
    match refusal:
        case SetUpRefusal.EXPIRED:
            return "The QR code was used or is too old. Scan the new one below."
        case SetUpRefusal.TOO_MANY:
            return "You have 20 apps. Delete one that you no longer use first."
        case SetUpRefusal.GONE:
            return "The app that you were replacing is not there any more. Add the new one instead."
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
    AccountRefusal.NEEDS_MAIL: "This portal sends no e-mail, so a new address cannot be confirmed.",
    AccountRefusal.NO_CHANGE: "Nothing to change.",
}

OF_PORTAL = {
    PortalRefusal.UNKNOWN: "There is no such portal.",
    PortalRefusal.BAD_NAME: "Give the portal a name of 1 to 80 visible characters.",
    PortalRefusal.BAD_SLUG: (
        "Use 1 to 40 characters of a-z, 0-9 and -, with no - at either end. The word new is taken."
    ),
    PortalRefusal.SLUG_TAKEN: "There is a portal with this slug already. Choose another one.",
    PortalRefusal.LAST: "This is the only portal. Add another one first, then delete this one.",
}

_OF_GUARD = {
    GuardWrong.NO_ADDRESS: "is no address such as https://data.example.org or https://example.org/app.",
    GuardWrong.NOT_ENCRYPTED: "has to begin with https://. Only names of this machine itself may do without.",
    GuardWrong.OWN_NAME: "is this portal's own name. What it guards needs another one, whatever the port.",
    GuardWrong.TAKEN: "is guarded by the portal {portal} already.",
    GuardWrong.ALIKE: "differs too little from another line: some programs would take both for one address.",
    GuardWrong.NO_PATH: "is no path such as /admin: letters, digits and - _ . ~ , = : @ & between slashes.",
    GuardWrong.WHOLE_ADDRESS: (
        "would be all of it. To keep readers out of an address, make its portal private and let in no readers."
    ),
}
_LINE_SHOWN = 80
"""Characters of a wrong line that are said again."""


def of_guard(refusal: GuardRefusal) -> str:
    """Which line cannot be guarded, and why."""
    if refusal.line is None:
        if refusal.why is GuardWrong.TOO_MANY_PATHS:
            return f"A portal has at most {PATHS_MAX} back-office paths."
        return f"A portal guards at most {ADDRESSES_MAX} addresses."
    text = refusal.line.text
    shown = text if len(text) <= _LINE_SHOWN else f"{text[:_LINE_SHOWN]}…"
    return f"Line {refusal.line.number}: {shown} {_OF_GUARD[refusal.why].format(portal=refusal.portal)}"


def _about(seconds: float) -> str:
    """A length of time in its largest sensible unit, rounded up."""
    for unit, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds > unit or (unit == _MINUTE and seconds > unit / 2):
            number = int(-(-seconds // unit))
            return f"{number} {name}{'' if number == 1 else 's'}"
    number = max(1, int(-(-seconds // 1)))
    return f"{number} second{'' if number == 1 else 's'}"


def of_size(size: int | None) -> str:
    """How large a file is: `3.4 MB`, never broken. A MB has 1024 kB, as in the limit of 200 MB."""
    if size is None:
        return "no file"
    if size < _KB:
        return f"{size}\u00a0byte{'' if size == 1 else 's'}"
    unit, name = (_MB, "MB") if size >= _MB else (_KB, "kB")
    amount = size / unit
    return f"{amount:.1f}\u00a0{name}" if amount < _ROUND else f"{amount:.0f}\u00a0{name}"


def moment(instant: datetime | None, now: datetime) -> str:
    """A point in time, in UTC: `today, 09:12` or `2 October 2026`."""
    if instant is None:
        return "never"
    days = (now.date() - instant.date()).days
    if days == 0:
        return f"today, {instant:%H:%M} UTC"
    if days == 1:
        return f"yesterday, {instant:%H:%M} UTC"
    if days == -1:
        return f"tomorrow, {instant:%H:%M} UTC"
    return f"{instant.day} {instant:%B %Y}"


def since(instant: datetime | None, now: datetime) -> str:
    """How long ago: `3 days ago`."""
    if instant is None:
        return "never"
    seconds = (now - instant).total_seconds()
    return "just now" if seconds < _MINUTE else f"{_about(seconds - _MINUTE / 2)} ago"
