"""What counts as an attempt although there is nothing to judge."""

from typing import Any

from sqlalchemy.orm import Session

from ..models import EventKind, MailKind
from ..plumbing.db import transaction
from ..rules.throttling import Kind
from . import audit, notices, throttles
from .caller import Caller
from .outcomes import MalformedCode, PausedUntil
from .throttles import Subject


def subjects_of_code(caller: Caller) -> list[Subject]:
    """What a code at log-in counts on, of an app or a recovery code: the account, and where it comes from."""
    subjects = [Subject(Kind.CODE_OF_ACCOUNT, str(caller.account_id))]
    return subjects + ([throttles.from_address(Kind.CODE_FROM_ADDRESS, caller.address)] if caller.address else [])


def subjects_of_password(caller: Caller, email: str, *, at_home: bool) -> list[Subject]:
    """What a password at log-in counts on; `at_home`: in a browser that completed a log-in to the account before."""
    if at_home:
        return [throttles.of_email(Kind.PASSWORD_FROM_DEVICE, email)]
    subjects = [throttles.of_email(Kind.PASSWORD_TO_ACCOUNT, email)]
    if caller.address is not None:
        subjects += [
            throttles.from_address(Kind.PASSWORD_FROM_ADDRESS_TO_ACCOUNT, caller.address, email=email),
            throttles.from_address(Kind.PASSWORD_FROM_ADDRESS, caller.address),
        ]
    return subjects


def note_pause(session: Session, caller: Caller, paused: PausedUntil, **about: Any) -> None:
    """Write that attempts are refused: once a window, for a guesser would otherwise write the log full."""
    if paused.first:
        audit.record(session, caller, EventKind.ATTEMPTS_PAUSED, **about)


def note_wrong(session: Session, caller: Caller, account_id: int) -> None:
    """A code at log-in was wrong. The one that uses up the account's budget is told to its owner, once a pause."""
    if throttles.is_news(session, Subject(Kind.CODE_OF_ACCOUNT, str(account_id)), caller.now):
        audit.record(session, caller, EventKind.ATTEMPTS_PAUSED, account_id=account_id, what="code")
        notices.tell(session, caller, MailKind.WRONG_CODES, account_id)


def count_malformed(caller: Caller) -> MalformedCode | PausedUntil:
    """What is no code is not judged and is no wrong code, but it is counted, so that it costs something too."""
    with transaction() as session:
        paused = throttles.count(session, [Subject(Kind.MALFORMED_CODE, str(caller.login_id))], caller.now)
    return paused or MalformedCode()
