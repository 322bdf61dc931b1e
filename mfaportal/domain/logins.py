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
from . import (
    admission,
    attempts,
    audit,
    devices,
    half_logins,
    hash_places,
    log_in_notes,
    login_rows,
    throttles,
    verifier,
)
from .admission import Known, Right
from .authority import require
from .caller import Caller
from .half_logins import Begun
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
from .throttles import Attempt, Subject


def log_in(
    caller: Caller, email: str, password: str, *, device: str | None, old_token: bytes | None
) -> LoggedIn | WrongPassword | LoginRefusal | StillAsking | PausedUntil:
    """Judge e-mail and password, and begin a login. Whoever asked for access and waits is told so.

    `device`: the mark of a browser that completed a log-in to this e-mail before. As long as the password is the one
    of then, such browsers have a budget of their own.
    `old_token`: the digest of the token that the browser still holds; that login ends.
    """
    at_home = _from_home(email, device, caller)
    with hash_places.of_account(at_home) if at_home else hash_places.of_stranger(caller):
        with transaction(followed=True) as session:
            subjects = attempts.subjects_of_password(caller, email, at_home=at_home is not None)
            about = admission.about(email, caller.now)
            tried = throttles.attempt(session, subjects, caller.now, admission.WHOSE, about)
            if isinstance(tried, PausedUntil):
                attempts.note_pause(session, caller, tried, what="password")
                return tried
        known = Known(*tried.answer)
        right = admission.judge(known, password)
        new_digest = None
        if right is Right.ACCOUNT and is_outdated(known.account_digest or ""):
            new_digest = hash_password(password)
    with transaction() as session:
        begun = None
        if right is Right.ACCOUNT:
            begun = half_logins.begin(session, caller, known.account_id or 0, known.account_digest)
        if begun is None:
            return _refused(session, caller, known, right, tried)
        throttles.give_back(session, tried, caller.now)
        if new_digest:
            change(session, update(Account).where(Account.id == known.account_id).values(password_digest=new_digest))
        if old_token is not None:
            login_rows.end_one(session, caller, old_token)
        mark = devices.mark_of(new_digest or known.account_digest) if at_home else ""
        stage, mark = _after_password(session, caller, known.account_id or 0, begun, mark)
        return LoggedIn(begun.token, stage, known.account_id or 0, about["typed"], mark)


def _from_home(email: str, device: str | None, caller: Caller) -> int | None:
    """The account whose password this browser's mark knows: decided before anything is counted."""
    if device is None:
        return None
    known = admission.look_up(email, caller.now)
    return known.account_id if devices.is_known(device, known.account_digest) else None


def _refused(
    session: Session, caller: Caller, known: Known, right: Right, tried: Attempt
) -> WrongPassword | LoginRefusal | StillAsking:
    """A wrong password, or a right one that opens nothing; only who has the right one is told why."""
    holder = admission.holder_of(session, known, right)
    if holder is None:
        audit.record(session, caller, EventKind.LOGIN_PASSWORD_WRONG, account_id=known.account_id)
        return WrongPassword()
    throttles.give_back(session, tried, caller.now)
    refusal = admission.refusal_of(session, holder)
    audit.record(session, caller, EventKind.LOGIN_REFUSED, account_id=known.account_id, reason=refusal.value)
    return refusal


def _after_password(session: Session, caller: Caller, account_id: int, begun: Begun, mark: str) -> tuple[Stage, str]:
    """Where the login stands, and the browser's mark. Whoever has an app is asked for a code, whatever the rule."""
    stage = Stage.CODE
    if not begun.has_app:
        stage = identities.of_login(session, begun.id, slug=None, now=caller.now, limits=caller.limits).stage
    if stage is not Stage.COMPLETE:
        audit.record(session, caller, EventKind.LOGIN_PASSWORD_RIGHT, account_id=account_id)
        return stage, mark
    change(session, update(Login).where(Login.id == begun.id).values(confirmed_at=caller.now))
    throttles.clear(session, [Subject(Kind.CODE_OF_ACCOUNT, str(account_id))])
    before = log_in_notes.read(session, account_id)
    return stage, log_in_notes.write(session, caller, account_id, before, factors=["password"], device=mark)


def enter_code(caller: Caller, typed: str, *, device: str | None = None) -> LoggedIn | CodeRefusal:
    """The second factor of a log-in: take a code of any of the account's apps. `device`: as for `log_in`."""
    code = clean_code(typed)
    if code is None:
        return attempts.count_malformed(caller)
    with transaction(followed=True) as session:
        subjects = attempts.subjects_of_code(caller)
        tried = throttles.attempt(session, subjects, caller.now, half_logins.WAITING, half_logins.about(caller))
        if isinstance(tried, PausedUntil):
            require(session, caller, Audience.ENTERING_CODE)
            attempts.note_pause(session, caller, tried, account_id=caller.account_id, what="code")
            return tried
        half = half_logins.seen(session, caller, tried.answer)
    judged = verifier.judge(half.apps, code, caller.now)
    with transaction() as session:
        account_id = caller.account_id or 0
        taken = verifier.take(session, account_id, judged, caller.now)
        if not isinstance(taken, int):
            require(session, caller, Audience.ENTERING_CODE)
            _note_refusal(session, caller, account_id, taken, "log-in")
            attempts.note_wrong(session, caller, account_id)
            return taken
        token = half_logins.complete(session, caller)
        wrong = throttles.give_back(session, tried, caller.now, clear_too=Kind.CODE_OF_ACCOUNT)
        factors = ["password", "totp"]
        mark = log_in_notes.write(session, caller, account_id, half.notes, factors=factors, device=device)
        return LoggedIn(token, Stage.COMPLETE, account_id, half.email, mark, wrong)


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
    with hash_places.of_account(caller.account_id):
        with transaction(followed=True) as session:
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
    with transaction(aside=True) as session:
        change(
            session,
            update(Login)
            .where(Login.id == caller.login_id, Login.last_seen_at < caller.now)
            .values(last_seen_at=caller.now),
        )


def _count_and_judge(
    caller: Caller, audience: Audience, subjects: list[Subject], code: str
) -> verifier.Judgement | PausedUntil:
    with transaction(followed=True) as session:
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
