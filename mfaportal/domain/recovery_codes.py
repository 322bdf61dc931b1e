"""Recovery codes: shown to the login that made them, said to be saved, replaced, and given in place of an app's code.

A first set comes with the first app (`set_up`); how a code is kept and taken is `recovery_rows`' business.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session

from ..models import Account, EventKind, Login, MailKind, RecoveryCode
from ..models.identity import AccountSeen, Identity
from ..plumbing.db import change, reading, transaction
from ..plumbing.runtime import runtime
from ..plumbing.sealing import SealBroken
from ..rules.access import Audience
from ..rules.lifetimes import SHOWN_CODES, STEP_UP, STEP_UP_GRACE
from ..rules.recovery_codes import clean
from ..rules.stages import Stage
from ..rules.throttling import Kind
from . import attempts, audit, log_in_notes, login_rows, notices, recovery_rows, throttles
from .authority import require
from .caller import Caller
from .outcomes import (
    Done,
    LoggedIn,
    MalformedCode,
    PausedUntil,
    Unreadable,
    UsedCode,
    WrongCode,
)
from .throttles import Attempt, Subject

_WITHIN = STEP_UP + STEP_UP_GRACE
_log = logging.getLogger("mfaportal.recovery_codes")
RecoveryRefusal = MalformedCode | WrongCode | UsedCode | PausedUntil | Unreadable


class CodesRefusal(Enum):
    """Why something cannot be done to recovery codes."""

    REPLACED = "replaced"
    """There is another set by now, or none."""
    NO_APP = "no app"
    """Without an app there is nothing that they would stand in for."""


@dataclass(frozen=True, slots=True)
class CodesSeen:
    """How many of a set are left, and whether its owner said that it is saved. Without a set `set_id` is None."""

    left: int
    saved: bool
    set_id: int | None


def look(account_id: int) -> CodesSeen:
    """What there is to say about an account's recovery codes, by one statement."""
    unused = func.count(case((RecoveryCode.used_at.is_(None), RecoveryCode.id)))
    statement = (
        select(unused, Account.codes_saved_at, func.min(RecoveryCode.id))
        .select_from(Account)
        .outerjoin(RecoveryCode, RecoveryCode.account_id == Account.id)
        .where(Account.id == account_id)
        .group_by(Account.id)
    )
    with reading() as session:
        row = session.execute(statement).one_or_none()
    left, saved_at, set_id = row or (0, None, None)
    return CodesSeen(left, saved_at is not None, set_id)


def shown_to(login_id: int, account_id: int, now: datetime) -> tuple[str, ...]:
    """The codes that this login made and may still see; none once they are saved, replaced or half an hour old."""
    statement = select(Login.shown_codes, Login.shown_at).where(Login.id == login_id, Login.account_id == account_id)
    with reading() as session:
        row = session.execute(statement).one_or_none()
    if row is None or row.shown_codes is None or now - row.shown_at > SHOWN_CODES:
        return ()
    try:
        text = runtime().keys.sealer.open(recovery_rows.owner_of_shown(account_id), row.shown_codes)
    except SealBroken:
        _log.warning("the new recovery codes of login %d do not open; they can be replaced", login_id)
        return ()
    return tuple(text.split("\n"))


def save(caller: Caller, set_id: int | None) -> Done | CodesRefusal:
    """Note that the owner has kept this set (None: whichever there is); from now on nobody is shown it.

    Not of one that was replaced since.
    """
    with transaction() as session:
        account = _account(require(session, caller, Audience.ACCOUNT, confirmed_within=_WITHIN))
        first = session.scalar(select(func.min(RecoveryCode.id)).where(RecoveryCode.account_id == account.id))
        if first is None or set_id not in (None, first):
            return CodesRefusal.REPLACED
        noted = change(
            session,
            update(Account)
            .where(Account.id == account.id, Account.codes_saved_at.is_(None))
            .values(codes_saved_at=caller.now),
        )
        if noted:
            audit.record(session, caller, EventKind.RECOVERY_CODES_SAVED, account_id=account.id)
        gone = {"shown_codes": None, "shown_at": None}
        change(session, update(Login).where(Login.account_id == account.id).values(**gone))
    return Done()


def replace(caller: Caller) -> Done | CodesRefusal:
    """Ten new codes, shown to this login; all old ones are void at once."""
    with transaction() as session:
        session.scalars(select(Account.id).where(Account.id == caller.account_id).with_for_update()).one()
        account = _account(require(session, caller, Audience.ACCOUNT, confirmed_within=_WITHIN))
        if not account.has_authenticator:
            return CodesRefusal.NO_APP
        before = recovery_rows.count_left(session, account.id)
        recovery_rows.make_set(session, caller, account.id)
        audit.record(session, caller, EventKind.RECOVERY_CODES_REPLACED, account_id=account.id, void=before)
        notices.tell(session, caller, MailKind.CODES_REPLACED, account.id)
    return Done()


def enter(caller: Caller, typed: str, *, device: str | None = None) -> LoggedIn | RecoveryRefusal:
    """The second factor of a log-in by a recovery code. The login may then add an app without a step-up.

    `device`: the mark of a browser that completed a log-in to this account before.
    """
    subjects = attempts.subjects_of_code(caller)
    counted = _counted(caller, typed, Audience.ENTERING_CODE, subjects)
    if not isinstance(counted, tuple):
        return counted
    code, tried = counted
    with transaction() as session:
        account = _account(require(session, caller, Audience.ENTERING_CODE))
        left = _take(session, caller, account.id, code, "log-in")
        if not isinstance(left, int):
            attempts.note_wrong(session, caller, account.id)
            return left
        wrong = throttles.give_back(session, tried, caller.now, clear_too=Kind.CODE_OF_ACCOUNT)
        before = log_in_notes.read(session, account.id)
        factors = ["password", "recovery"]
        mark = log_in_notes.write(session, caller, account.id, before, factors=factors, device=device)
        token = login_rows.renew(
            session,
            caller.login_id or 0,
            second_factor_at=caller.now,
            confirmed_at=caller.now,
            recovered_at=caller.now,
            last_seen_at=caller.now,
        )
        return LoggedIn(token, Stage.COMPLETE, account.id, account.email, mark, wrong)


def confirm(caller: Caller, typed: str) -> Done | RecoveryRefusal:
    """Step-up by a recovery code, out of the login's own budget."""
    subjects = [Subject(Kind.CODE_OF_STEP_UP, str(caller.login_id))]
    counted = _counted(caller, typed, Audience.ACCOUNT, subjects)
    if not isinstance(counted, tuple):
        return counted
    with transaction() as session:
        account = _account(require(session, caller, Audience.ACCOUNT))
        left = _take(session, caller, account.id, counted[0], "step-up")
        if not isinstance(left, int):
            return left
        throttles.clear(session, subjects)
        login_rows.confirm(session, caller, account.id)
    return Done()


def _counted(
    caller: Caller, typed: str, audience: Audience, subjects: list[Subject]
) -> tuple[str, Attempt] | MalformedCode | PausedUntil:
    """The code that was typed and the attempt, which is counted before it is judged, whatever comes of it."""
    code = clean(typed)
    if code is None:
        return attempts.count_malformed(caller)
    with transaction(followed=True) as session:
        account = _account(require(session, caller, audience))
        tried = throttles.attempt(session, subjects, caller.now)
        if isinstance(tried, PausedUntil):
            attempts.note_pause(session, caller, tried, account_id=account.id, what="recovery code")
            return tried
    return code, tried


def _take(
    session: Session, caller: Caller, account_id: int, code: str, where: str
) -> int | WrongCode | UsedCode | Unreadable:
    """Take the code, and note what came of it."""
    left = recovery_rows.take(session, account_id, code, caller.now)
    if isinstance(left, int):
        audit.record(session, caller, EventKind.RECOVERY_CODE_USED, account_id=account_id, at=where, left=left)
        recovery_rows.tell_used(session, caller, account_id, left)
        return left
    if isinstance(left, Unreadable):
        _log.error("a recovery code cannot be judged: is this the key ring the database was made with?")
    kind = EventKind.CODE_REUSED if isinstance(left, UsedCode) else EventKind.CODE_WRONG
    why: dict[str, Any] = {"why": "Unreadable"} if isinstance(left, Unreadable) else {}
    audit.record(session, caller, kind, account_id=account_id, at=where, what="recovery code", **why)
    return left


def _account(identity: Identity | None) -> AccountSeen:
    if identity is None or identity.account is None:
        raise TypeError("only a browser has recovery codes")
    return identity.account
