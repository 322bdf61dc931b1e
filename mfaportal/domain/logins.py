"""Logging in, step by step: the password, the code; confirming again; logging out.

Each step counts the attempt first, judges outside any transaction, and then writes what came of it.
"""

from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from ..models import Account, EventKind, Login
from ..models import identity as identities
from ..models.identity import Identity
from ..plumbing.db import change, transaction
from ..plumbing.passwords import hash_password, is_outdated, verify_password
from ..rules.access import Audience
from ..rules.stages import Stage
from ..rules.throttling import Kind
from ..rules.totp import clean_code
from . import admission, attempts, audit, devices, login_rows, throttles, verifier
from .admission import Right
from .authority import require
from .caller import Caller
from .outcomes import (
    CodeRefusal,
    Done,
    LoggedIn,
    LoginRefusal,
    PausedUntil,
    StillAsking,
    UsedCode,
    WrongCode,
    WrongPassword,
)
from .throttles import Subject


def log_in(
    caller: Caller, email: str, password: str, *, device: str | None, old_token: bytes | None
) -> LoggedIn | WrongPassword | LoginRefusal | StillAsking | PausedUntil:
    """Judge e-mail and password, and begin a login. Whoever asked for access and waits is told so.

    `device`: the mark of a browser that completed a log-in to this e-mail before. As long as the password is the one
    of then, such browsers have a budget of their own.
    `old_token`: the digest of the token that the browser still holds; that login ends.
    """
    known = admission.look_up(email, caller.now)
    at_home = devices.is_known(device, known.account_digest)
    subjects = _password_subjects(caller, email, at_home=at_home)
    with transaction() as session:
        paused = throttles.count(session, subjects, caller.now)
        if paused:
            attempts.note_pause(session, caller, paused, what="password")
            return paused
    right = admission.judge(known, password)
    new_digest = None
    if right is Right.ACCOUNT and is_outdated(known.account_digest or ""):
        new_digest = hash_password(password)
    with transaction() as session:
        holder = admission.holder_of(session, known, right)
        if holder is None:
            audit.record(session, caller, EventKind.LOGIN_PASSWORD_WRONG, account_id=known.account_id)
            return WrongPassword()
        throttles.give_back(session, subjects, caller.now, caller.now)
        admitted = admission.admit(session, holder, caller.now)
        if not isinstance(admitted, Account):
            audit.record(session, caller, EventKind.LOGIN_REFUSED, account_id=known.account_id, reason=admitted.value)
            return admitted
        if new_digest:
            admitted.password_digest = new_digest
        return _begin(session, caller, admitted, old_token, at_home=at_home)


def _password_subjects(caller: Caller, email: str, *, at_home: bool) -> list[Subject]:
    if at_home:
        return [throttles.of_email(Kind.PASSWORD_FROM_DEVICE, email)]
    subjects = [throttles.of_email(Kind.PASSWORD_TO_ACCOUNT, email)]
    if caller.address is not None:
        subjects += [
            throttles.from_address(Kind.PASSWORD_FROM_ADDRESS_TO_ACCOUNT, caller.address, email=email),
            throttles.from_address(Kind.PASSWORD_FROM_ADDRESS, caller.address),
        ]
    return subjects


def _begin(session: Session, caller: Caller, account: Account, old_token: bytes | None, *, at_home: bool) -> LoggedIn:
    if old_token is not None:
        login_rows.end_one(session, caller, old_token)
    login, token = login_rows.begin(session, caller, account.id)
    mark = devices.mark_of(account.password_digest) if at_home else ""
    stage = identities.of_login(session, login.id, slug=None, now=caller.now, limits=caller.limits).stage
    if stage is Stage.COMPLETE:
        login.confirmed_at = caller.now
        mark = login_rows.complete(session, caller, account.id, factors=["password"], device=mark).device
    else:
        audit.record(session, caller, EventKind.LOGIN_PASSWORD_RIGHT, account_id=account.id)
    return LoggedIn(token, stage, account.id, account.email, mark)


def enter_code(caller: Caller, typed: str, *, device: str | None = None) -> LoggedIn | CodeRefusal:
    """The second factor of a log-in: take a code of any of the account's apps. `device`: as for `log_in`."""
    code = clean_code(typed)
    if code is None:
        return attempts.count_malformed(caller)
    subjects = attempts.subjects_of_code(caller)
    judged = _count_and_judge(caller, Audience.ENTERING_CODE, subjects, code)
    if isinstance(judged, PausedUntil):
        return judged
    with transaction() as session:
        identity = _identity(require(session, caller, Audience.ENTERING_CODE))
        account_id = _account_id(identity)
        taken = verifier.take(session, account_id, judged, caller.now)
        if not isinstance(taken, int):
            _note_refusal(session, caller, account_id, taken, "log-in")
            attempts.note_wrong(session, caller, account_id)
            return taken
        throttles.give_back(session, subjects, caller.now, caller.now)
        whole = login_rows.complete(session, caller, account_id, factors=["password", "totp"], device=device)
        token = login_rows.renew(
            session,
            caller.login_id or 0,
            second_factor_at=caller.now,
            confirmed_at=caller.now,
            last_seen_at=caller.now,
        )
        email = identity.account.email if identity.account else ""
        return LoggedIn(token, Stage.COMPLETE, account_id, email, whole.device, whole.wrong_codes)


def confirm_by_code(caller: Caller, typed: str) -> Done | CodeRefusal:
    """Step-up with a code. Its budget is the login's own: strangers cannot use it up."""
    code = clean_code(typed)
    if code is None:
        return attempts.count_malformed(caller)
    subjects = [Subject(Kind.CODE_OF_STEP_UP, str(caller.login_id))]
    judged = _count_and_judge(caller, Audience.ACCOUNT, subjects, code)
    if isinstance(judged, PausedUntil):
        return judged
    with transaction() as session:
        account_id = _account_id(_identity(require(session, caller, Audience.ACCOUNT)))
        taken = verifier.take(session, account_id, judged, caller.now)
        if not isinstance(taken, int):
            _note_refusal(session, caller, account_id, taken, "step-up")
            return taken
        _confirmed(session, caller, account_id, subjects)
    return Done()


def confirm_by_password(caller: Caller, password: str) -> Done | WrongPassword | PausedUntil:
    """Step-up with the password, for accounts without an app only."""
    subjects = [Subject(Kind.CODE_OF_STEP_UP, str(caller.login_id))]
    with transaction() as session:
        require(session, caller, Audience.ACCOUNT)
        paused = throttles.count(session, subjects, caller.now)
        if paused:
            attempts.note_pause(session, caller, paused, account_id=caller.account_id, what="step-up")
            return paused
        account = session.get_one(Account, caller.account_id)
        stored = account.password_digest
    right = verify_password(password, stored)
    with transaction() as session:
        identity = _identity(require(session, caller, Audience.ACCOUNT))
        account = session.get_one(Account, caller.account_id)
        has_app = identity.account is not None and identity.account.has_authenticator
        if not right or has_app or account.password_digest != stored:
            audit.record(session, caller, EventKind.LOGIN_PASSWORD_WRONG, account_id=account.id, at="step-up")
            return WrongPassword()
        _confirmed(session, caller, account.id, subjects)
    return Done()


def _confirmed(session: Session, caller: Caller, account_id: int, subjects: list[Subject]) -> None:
    throttles.clear(session, subjects)
    login_rows.confirm(session, caller, account_id)


def log_out(caller: Caller, token_digest: bytes) -> None:
    """End this browser's login, whatever its stage."""
    with transaction() as session:
        if login_rows.end_one(session, caller, token_digest):
            audit.record(session, caller, EventKind.LOGIN_ENDED, account_id=caller.account_id)


def touch(caller: Caller) -> None:
    """Note that the login is in use. Called once a minute at most, and never worth failing a page for."""
    with transaction() as session:
        change(
            session,
            update(Login)
            .where(Login.id == caller.login_id, Login.last_seen_at < caller.now)
            .values(last_seen_at=caller.now),
        )


def _count_and_judge(
    caller: Caller, audience: Audience, subjects: list[Subject], code: str
) -> verifier.Judgement | PausedUntil:
    with transaction() as session:
        account_id = _account_id(_identity(require(session, caller, audience)))
        paused = throttles.count(session, subjects, caller.now)
        if paused:
            attempts.note_pause(session, caller, paused, account_id=account_id, what="code")
            return paused
        apps = verifier.apps_of(session, account_id)
    return verifier.judge(apps, code, caller.now)


def _note_refusal(session: Session, caller: Caller, account_id: int, refusal: CodeRefusal, where: str) -> None:
    kind = EventKind.CODE_REUSED if isinstance(refusal, UsedCode) else EventKind.CODE_WRONG
    details: dict[str, Any] = {} if isinstance(refusal, UsedCode | WrongCode) else {"why": type(refusal).__name__}
    audit.record(session, caller, kind, account_id=account_id, at=where, **details)


def _identity(identity: Identity | None) -> Identity:
    if identity is None:
        raise TypeError("only a browser logs in")
    return identity


def _account_id(identity: Identity) -> int:
    if identity.account is None:
        raise TypeError("a login without an account")
    return identity.account.id
