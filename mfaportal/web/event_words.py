"""Events as people read them: what happened, to whom, by whom, from where, and when."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..domain.activity import EventLine
from ..domain.caller import Source
from ..models import EventKind
from ..plumbing.browsers import in_words

_WHAT = {
    EventKind.ACCOUNT_CREATED: "Account made",
    EventKind.ACCOUNT_RENAMED: "Name changed",
    EventKind.ACCOUNT_SUSPENDED: "Account suspended",
    EventKind.ACCOUNT_RESTORED: "Account restored",
    EventKind.ACCOUNT_DELETED: "Account deleted",
    EventKind.ACCOUNT_UNLOCKED: "Unlocked after too many wrong tries",
    EventKind.EMAIL_CHANGE_ASKED: "Change of e-mail asked for; the new address is still to be confirmed",
    EventKind.EMAIL_CHANGED: "E-mail changed",
    EventKind.OPERATOR_CHANGED: "Rights of an operator changed",
    EventKind.PASSWORD_SET: "New password set",
    EventKind.RESET_ASKED: "Link to set a new password asked for",
    EventKind.RESET_IGNORED: "No link to set a new password was sent: no account that could use one has this address",
    EventKind.LINK_MADE: "Link made",
    EventKind.LOGIN_PASSWORD_WRONG: "Wrong password",
    EventKind.LOGIN_REFUSED: "Log-in refused after the right password",
    EventKind.LOGIN_PASSWORD_RIGHT: "Right password; a code is still to come",
    EventKind.LOGIN_COMPLETED: "Logged in",
    EventKind.LOGIN_ENDED: "Logged out",
    EventKind.LOGINS_ENDED: "Logins ended",
    EventKind.LOGIN_CONFIRMED: "Confirmed who it is, before something sensitive",
    EventKind.CODE_WRONG: "Wrong code",
    EventKind.CODE_REUSED: "A code that was used before",
    EventKind.ATTEMPTS_PAUSED: "Too many wrong tries: paused",
    EventKind.AUTHENTICATOR_ADDED: "App added",
    EventKind.AUTHENTICATOR_RENAMED: "App renamed",
    EventKind.AUTHENTICATOR_DELETED: "App deleted",
    EventKind.MFA_RESET: "MFA reset: all apps deleted, all logins ended",
    EventKind.RECOVERY_CODES_MADE: "Recovery codes made",
    EventKind.RECOVERY_CODES_SAVED: "Recovery codes saved",
    EventKind.RECOVERY_CODES_REPLACED: "Recovery codes replaced",
    EventKind.RECOVERY_CODE_USED: "Recovery code used",
    EventKind.PORTAL_CREATED: "Portal added",
    EventKind.PORTAL_RENAMED: "Name or slug of the portal changed",
    EventKind.PORTAL_DELETED: "Portal deleted",
    EventKind.PORTAL_GUARDS: "Guarded addresses changed",
    EventKind.GUARDED_HOST_ENTERED: "Entered a guarded host",
    EventKind.SIGN_UP_CHANGED: "Log in & Sign up changed",
    EventKind.PORTAL_ACCESS_CHANGED: "Access changed",
    EventKind.ROLE_CHANGED: "Role changed",
    EventKind.MEMBER_ADDED: "Added to the portal",
    EventKind.MEMBER_REMOVED: "Removed from the portal",
    EventKind.MEMBER_LEFT: "Left the portal",
    EventKind.REQUEST_MADE: "Asked for access",
    EventKind.REQUEST_IGNORED: "Somebody who is not logged in asked for access with the address of this account",
    EventKind.REQUEST_SENT_TO_CONFIRM: "Asked for access; the address is still to be confirmed",
    EventKind.REQUEST_WITHDRAWN: "Request for access withdrawn",
    EventKind.REQUEST_ACCEPTED: "Request for access accepted",
    EventKind.REQUEST_DECLINED: "Request for access declined",
    EventKind.INVITATION_MADE: "Invitation made",
    EventKind.INVITATION_MADE_AGAIN: "Invitation sent again",
    EventKind.INVITATION_REVOKED: "Invitation revoked",
    EventKind.INVITATION_ACCEPTED: "Invitation accepted",
    EventKind.KEYS_ROTATED: "New key for what is sealed",
    EventKind.BACKUP_MADE: "Backup made",
    EventKind.RESTORED: "Restored from a backup",
    EventKind.DATABASE_COPIED: "Everything copied into another database",
    EventKind.MAIL_RETRIED: "Mails that did not get through are tried again",
    EventKind.PEOPLE_EXPORTED: "List of people taken as CSV",
    EventKind.EVENTS_EXPORTED: "Events taken as a file",
    EventKind.CLOCK_WENT_BACK: "The clock of the server went back",
    EventKind.DATASET_ADDED: "Dataset added",
    EventKind.DATASET_CHANGED: "Dataset changed",
    EventKind.DATASET_DELETED: "Dataset deleted",
}
_BY_PASSWORD = {EventKind.LOGIN_COMPLETED, EventKind.LOGIN_PASSWORD_RIGHT, EventKind.LOGIN_REFUSED}
"""Nobody is logged in yet, but whoever knows the password counts as the account's owner."""
_AT = {
    "log-in": "at log-in",
    "step-up": "when confirming",
    "set-up": "when setting up an app",
    "new password": "when changing it",
}
_FACTORS = {"password": "password", "totp": "a code", "recovery code": "a recovery code"}
_WHY = {"ClockWrong": "a clock that is off", "Unreadable": "the portal could not check it"}
_LINKS = {
    "invitation": "to choose the first password",
    "reset": "to set a new password",
    "email": "to confirm a new e-mail",
}
_RULES = {"off": "nobody", "back_office": "users with access to the back office", "everyone": "all users"}


def _number(of: str) -> Callable[[Any], str]:
    return lambda value: f"{of} {value}"


def _if_so(words: str) -> Callable[[Any], str]:
    return lambda value: words if value is True else ""


def _known(words: dict[str, str]) -> Callable[[Any], str]:
    return lambda value: words.get(str(value), str(value))


def _change(of: str, words: dict[str, str] | None = None) -> Callable[[Any], str]:
    """Of before and after; nothing where both are alike. A value alone is what it was made."""

    def say(value: Any) -> str:
        told = _known(words or {})
        if not isinstance(value, list):
            return f"{of} {told(value)}" if value else ""
        before, after = value
        return "" if before == after else f"{of} {told(before)} → {told(after)}"

    return say


def _every(of: str, nothing: str) -> Callable[[Any], str]:
    return lambda value: f"{of} {' '.join(map(str, value)) or nothing}"


_MORE: dict[str, Callable[[Any], str]] = {
    "operator": lambda value: "operator" if value else "",
    "role": _change("role"),
    "rule": _change("MFA for", _RULES),
    "apply_now": _if_so("at once"),
    "visibility": _change("visible:"),
    "policy": _change("sign-up"),
    "message_required": _change("message required:", {"True": "yes", "False": "no"}),
    "contact_changed": _if_so("new contact"),
    "slug": _change("slug"),
    "addresses": _every("guards", "nothing"),
    "back_office_paths": _every("back office:", "no paths"),
    "factors": lambda value: f"with {' and '.join(_FACTORS.get(each, each) for each in value)}",
    "at": _known(_AT),
    "why": _known(_WHY),
    "what": str,
    "link": _known(_LINKS),
    "first": _if_so("the first one"),
    "replaced": _if_so("replaced by another"),
    "left": lambda value: f"{value} left",
    "void": lambda value: f"{value} older ones void",
    "ended": lambda value: f"other logins ended: {value}" if value else "",
    "logins": lambda value: f"{value} of them",
    "apps": _number("apps:"),
    "app": _number("app"),
    "dataset": _number("dataset"),
    "new_file": _if_so("with a new file"),
    "request": _number("request"),
    "invitation": _number("invitation"),
    "mfa": _number("filter"),
    "group": _number("filter"),
    "searched": _if_so("searched"),
    "format": lambda value: str(value).upper(),
    "since": _number("from"),
    "until": _number("until"),
    "mails": lambda value: f"{value} of them",
    "seconds": lambda value: f"by {value} seconds",
    "key": _number("key"),
    "reason": lambda value: f"“{value}”" if value else "",
}
"""What the details of an event say. What stands here for no key is left to the files, which hold all details."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One line of a list of events."""

    id: int
    when: str
    what: str
    more: str
    whom: str
    by: str
    portal: str
    address: str
    browser: str


def shown(event: EventLine, reader: int | None = None) -> Shown:
    """An event in words. `reader` is the account whose own events these are: "you", to whom goes without saying."""
    return Shown(
        id=event.id,
        when=f"{event.at.day} {event.at:%B %Y, %H:%M} UTC",
        what=_WHAT[EventKind(event.kind)] if event.kind in _WHAT else event.kind,
        more=more(event.details),
        whom="" if event.account_id == reader else _person(event.account_id, event.account, reader),
        by=_doer(event, reader),
        portal="" if event.portal_id is None else event.portal or f"a deleted portal ({event.portal_id})",
        address=event.address or "",
        browser=_browser(event.browser),
    )


def more(details: dict[str, Any]) -> str:
    """The details in words; those that say nothing are left out."""
    said = [_MORE[name](value) for name, value in details.items() if name in _MORE and value is not None]
    return ", ".join(words for words in said if words)


def _person(number: int | None, name: str | None, reader: int | None) -> str:
    if number is None:
        return ""
    if number == reader:
        return "you"
    return name or f"a deleted account ({number})"


def _doer(event: EventLine, reader: int | None) -> str:
    match event.source:
        case Source.COMMAND_LINE:
            return "the command line"
        case Source.UPKEEP:
            return "the portal itself"
        case _ if event.actor_id is None and event.kind in _BY_PASSWORD:
            return _person(event.account_id, event.account, reader)
        case _:
            return _person(event.actor_id, event.actor, reader) or "somebody not logged in"


def _browser(header: str) -> str:
    return in_words(header) if header else ""
