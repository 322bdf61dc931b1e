"""Setting up an app: the key that a login is offered, and the code that proves the app holds it.

The first set-up, that no code serves twice, and that a lost app goes only with the new one, are decided here.
"""

import logging
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..models import Account, Authenticator, EventKind, Login, MailKind
from ..models.authenticator import app_key, owner_of
from ..models.identity import AccountSeen, Identity
from ..plumbing.db import change, transaction
from ..plumbing.runtime import runtime
from ..plumbing.sealing import SealBroken
from ..rules.access import Audience, Destination, SendTo
from ..rules.lifetimes import PENDING_SECRET, STEP_UP, STEP_UP_GRACE
from ..rules.names import APP_MAX, clean_name
from ..rules.stages import Stage
from ..rules.throttling import Kind
from ..rules.totp import ClockOff, check, clean_code, new_secret
from . import attempts, audit, log_in_notes, login_rows, notices, recovery_rows, throttles
from .authority import NotAllowed, is_fresh, require
from .caller import Caller
from .outcomes import (
    ClockWrong,
    CodeRefusal,
    NameRefusal,
    PausedUntil,
    SetUpDone,
    SetUpRefusal,
    WrongCode,
)
from .throttles import Subject

APPS_MAX = 20
_WITHIN = STEP_UP + STEP_UP_GRACE
_log = logging.getLogger("mfaportal.set_up")


def begin(caller: Caller) -> str:
    """The set-up key that this login is offered: the same until it is used, left, or half an hour old.

    Made by the server alone and kept sealed on the login's row, so that no client chooses it.
    """
    with transaction() as session:
        identity = require(session, caller, Audience.SETTING_UP, Audience.ACCOUNT)
        login = session.get_one(Login, caller.login_id)
        pending = _pending(login, caller.now)
        # the ten minutes on top are for a form that was opened in time, and such a form has its key
        _checked(identity, caller, confirmed_within=_WITHIN if pending else STEP_UP)
        if pending is not None:
            return pending
        secret = new_secret()
        login.pending_secret = runtime().keys.sealer.seal(owner_of(login.account_id), secret)
        login.pending_at = caller.now
        return secret


def leave(caller: Caller) -> None:
    """Throw the offered key away."""
    with transaction() as session:
        require(session, caller, Audience.ACCOUNT)
        login = session.get_one(Login, caller.login_id)
        login.pending_secret = login.pending_at = None


def finish(
    caller: Caller, typed: str, name: str, *, end_others: bool, replaced: int | None = None
) -> SetUpDone | CodeRefusal | NameRefusal | SetUpRefusal:
    """Add the app whose key this login was offered, proven by a code of it, which is thereby used up.

    The account's first app ends its other logins, counts as this login's second factor, and brings recovery codes.
    `replaced` is the number of an app that goes in the same instant: the account is never without one.
    """
    code, cleaned = clean_code(typed), clean_name(name, APP_MAX)
    if cleaned is None:
        return NameRefusal.BAD
    if code is None:
        return attempts.count_malformed(caller)
    offered = _count_attempt(caller, cleaned, replaced)
    if not isinstance(offered, bytes):
        return offered
    step = _judge(caller, offered, code)
    if not isinstance(step, int):
        _note_wrong(caller)
        return step
    try:
        with transaction() as session:
            return _add(session, caller, cleaned, offered, step, replaced, end_others=end_others)
    except IntegrityError:
        return NameRefusal.TAKEN


def _count_attempt(
    caller: Caller, name: str, replaced: int | None
) -> bytes | PausedUntil | NameRefusal | SetUpRefusal:
    """Count the attempt; the sealed key on offer. What the person can put right at no cost is not counted."""
    with transaction() as session:
        identity = _may_set_up(session, caller)
        login = session.get_one(Login, caller.login_id)
        if _pending(login, caller.now) is None or login.pending_secret is None:
            return SetUpRefusal.EXPIRED
        refusal = _room_for(session, login.account_id, name, replaced)
        if refusal:
            return refusal
        paused = throttles.count(session, [_set_up_subject(caller)], caller.now)
        if paused:
            attempts.note_pause(session, caller, paused, account_id=identity.id, what="set-up")
            return paused
        return login.pending_secret


def _judge(caller: Caller, offered: bytes, code: str) -> int | ClockWrong | WrongCode | SetUpRefusal:
    try:
        secret = runtime().keys.sealer.open(owner_of(caller.account_id or 0), offered)
    except SealBroken:
        return SetUpRefusal.EXPIRED
    found = check(secret, code, caller.now)
    if isinstance(found, ClockOff):
        return ClockWrong(found.seconds)
    return max(found.steps) if found else WrongCode()


def _note_wrong(caller: Caller) -> None:
    with transaction() as session:
        audit.record(session, caller, EventKind.CODE_WRONG, account_id=caller.account_id, at="set-up")


def _add(
    session: Session,
    caller: Caller,
    name: str,
    offered: bytes,
    step: int,
    replaced: int | None,
    *,
    end_others: bool,
) -> SetUpDone | NameRefusal | SetUpRefusal:
    session.scalars(select(Account.id).where(Account.id == caller.account_id).with_for_update()).one()
    account = _may_set_up(session, caller)
    login = session.get_one(Login, caller.login_id)
    half, offered = login.confirmed_at is None, _as_sealed_now(login, offered)
    first = not account.has_authenticator
    refusal = _room_for(session, account.id, name, replaced) or _use_up(session, caller, offered)
    if refusal:
        return refusal
    if replaced is not None:
        _remove(session, caller, account.id, replaced)
    app = Authenticator(account_id=account.id, sealed_secret=offered, last_step=step, added_at=caller.now)
    app.rename(name)
    session.add(app)
    session.flush()
    throttles.clear(session, [_set_up_subject(caller)])
    if first or end_others:
        login_rows.end_of_account(session, caller, account.id, but=caller.login_id)
    audit.record(session, caller, EventKind.AUTHENTICATOR_ADDED, account_id=account.id, app=app.id, first=first)
    notices.tell(session, caller, MailKind.APP_ADDED, account.id, app=name)
    if first:
        recovery_rows.make_set(session, caller, account.id)
        audit.record(session, caller, EventKind.RECOVERY_CODES_MADE, account_id=account.id)
    mark = _note_log_in(session, caller, account.id) if half else ""
    facts = {"second_factor_at": caller.now, "last_seen_at": caller.now, "recovered_at": None}
    facts |= {"confirmed_at": caller.now} if half else {}
    return SetUpDone(login_rows.renew(session, caller.login_id or 0, **facts), name, first, mark)


def _note_log_in(session: Session, caller: Caller, account_id: int) -> str:
    """The log-in is whole by it; its owner is told of the app, and so of no browser. The browser's mark."""
    throttles.clear(session, [Subject(Kind.CODE_OF_ACCOUNT, str(account_id))])
    before, both = log_in_notes.read(session, account_id), ["password", "totp"]
    return log_in_notes.write(session, caller, account_id, before, factors=both, device=None, told=True)


def _as_sealed_now(login: Login, offered: bytes) -> bytes:
    """The key that was judged as it stands on the login: a rotation may have sealed it again meanwhile."""
    present = login.pending_secret
    return present if present and runtime().keys.sealer.hold_the_same(present, offered) else offered


def _use_up(session: Session, caller: Caller, offered: bytes) -> SetUpRefusal | None:
    """Take the key off the login, once: of two tabs that send it, one is too late."""
    used = change(
        session,
        update(Login)
        .where(Login.id == caller.login_id, Login.pending_secret == offered)
        .values(pending_secret=None, pending_at=None),
    )
    return None if used == 1 else SetUpRefusal.EXPIRED


def _remove(session: Session, caller: Caller, account_id: int, app_id: int) -> None:
    """Delete the app that is being replaced; `_room_for` has seen it in this transaction."""
    app = session.get_one(Authenticator, app_id)
    session.delete(app)
    session.flush()  # before the new one, which may have its name
    audit.record(session, caller, EventKind.AUTHENTICATOR_DELETED, account_id=account_id, app=app_id, replaced=True)
    notices.tell(session, caller, MailKind.APP_DELETED, account_id, app=app.name)


def _may_set_up(session: Session, caller: Caller) -> AccountSeen:
    identity = require(session, caller, Audience.SETTING_UP, Audience.ACCOUNT)
    return _checked(identity, caller, confirmed_within=_WITHIN)


def _checked(identity: Identity | None, caller: Caller, *, confirmed_within: timedelta) -> AccountSeen:
    """The account, if its step-up is young enough; in the middle of a log-in there is none to ask for.

    Nor after a log-in by a recovery code: whoever lost their app must be able to set one up.
    """
    if identity is None or identity.account is None:
        raise TypeError("only a browser sets up an app")
    excused = identity.stage is not Stage.COMPLETE or identity.recovered
    if not excused and not is_fresh(identity, caller, confirmed_within):
        raise NotAllowed(SendTo(Destination.CONFIRM), identity)
    return identity.account


def _room_for(
    session: Session, account_id: int, name: str, replaced: int | None
) -> NameRefusal | SetUpRefusal | None:
    """Why there is no room for one more app of this name; the one that is replaced makes room, and must be there."""
    apps = session.execute(
        select(Authenticator.id, Authenticator.name_key).where(Authenticator.account_id == account_id)
    ).all()
    stay = {app.name_key for app in apps if app.id != replaced}
    if replaced is not None and len(stay) == len(apps):
        return SetUpRefusal.GONE
    if len(stay) >= APPS_MAX:
        return SetUpRefusal.TOO_MANY
    return NameRefusal.TAKEN if app_key(name) in stay else None


def _pending(login: Login, now: datetime) -> str | None:
    if login.pending_secret is None or login.pending_at is None:
        return None
    if now - login.pending_at > PENDING_SECRET:
        return None
    try:
        return runtime().keys.sealer.open(owner_of(login.account_id), login.pending_secret)
    except SealBroken:
        _log.warning("the pending set-up of login %d does not open; a new key is offered", login.id)
        return None


def _set_up_subject(caller: Caller) -> Subject:
    return Subject(Kind.CODE_OF_SET_UP, str(caller.login_id))
