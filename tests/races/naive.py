"""The portal as it must not be: it looks, judges, and then writes. The races prove their power on it.

Taken away are transactions (each statement stands alone), the condition under which a code or a recovery code is
taken, the one statement that counts an attempt, the conditions under which a login begins and becomes whole, the one
under which an invitation is taken, and the second look at a link; and logging out only empties the cookie, and
portals are deleted without the lock on files. A rule that is applied now reaches only those who were
inside when it began.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Insert, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from mfaportal import create_app
from mfaportal.domain import (
    accepting,
    access_requests,
    access_security,
    admission,
    audit,
    half_logins,
    hand_offs,
    link_rows,
    login_rows,
    logins,
    one_time_links,
    password_changes,
    portals,
    recovery_rows,
    request_decisions,
    throttle_rows,
    verifier,
)
from mfaportal.domain.caller import Caller
from mfaportal.domain.half_logins import Begun
from mfaportal.domain.one_time_links import LinkRefusal
from mfaportal.domain.outcomes import (
    Done,
    PortalRefusal,
    RuleRefusal,
    UsedCode,
    WrongCode,
)
from mfaportal.domain.request_decisions import Decision, Verdict
from mfaportal.domain.throttle_rows import Question, Row, Subject
from mfaportal.domain.verifier import App, Judgement
from mfaportal.models import (
    AccessRequest,
    Account,
    Authenticator,
    EventKind,
    Invitation,
    LinkKind,
    Login,
    LoginPass,
    OneTimeLink,
    RecoveryCode,
    RequestState,
    Throttle,
    Visibility,
)
from mfaportal.models.throttle import packed
from mfaportal.plumbing import db, postgresql, sqlite
from mfaportal.plumbing.db import change, insert_or_ignore, reading, transaction
from mfaportal.plumbing.passwords import hash_password
from mfaportal.plumbing.tokens import digest
from mfaportal.rules.mfa_rule import MfaRule
from mfaportal.rules.throttling import History

_judge = verifier.judge
_change_rule = access_security.change


def _begin_nothing(connection: Connection) -> None:
    """Every statement commits by itself."""


def _judge_with_last_steps(apps: Sequence[App], code: str, now: datetime) -> Judgement:
    """Whether a step was used is found out here, by what was read before."""
    steps = select(Authenticator.id, Authenticator.last_step).where(Authenticator.id.in_([app.id for app in apps]))
    with reading() as session:
        last = dict(session.execute(steps).tuples().all())
    found = _judge(apps, code, now)
    return replace(found, right=tuple((app, step) for app, step in found.right if last[app] < step))


def _take_whatever(session: Session, account_id: int, judgement: Judgement, now: datetime) -> int | UsedCode:
    for app_id, step in judgement.right:
        change(
            session,
            update(Authenticator).where(Authenticator.id == app_id).values(last_step=step, last_used_at=now),
        )
        return app_id
    return UsedCode()


def _take_recovery_code(session: Session, account_id: int, code: str, now: datetime) -> int | WrongCode | UsedCode:
    """It was unused when it was looked at."""
    for row in session.query(RecoveryCode).filter_by(account_id=account_id).all():
        if row.digest == recovery_rows.digest_of(account_id, code, row.key):
            if row.used_at is not None:
                return UsedCode()
            change(session, update(RecoveryCode).where(RecoveryCode.id == row.id).values(used_at=now))
            return recovery_rows.count_left(session, account_id)
    return WrongCode()


def _read_add_one_write(
    session: Session, subjects: Sequence[Subject], now: datetime, question: Question, about: Mapping[str, Any]
) -> tuple[list[Row], tuple[Any, ...]]:
    """A failure counter as it is often written."""
    rows = [throttle_rows.look(session, subject) or Row(subject, History(), "", 0) for subject in subjects]
    after, asked = [], question.make()
    answer = tuple(session.execute(select(*asked), dict(about)).one()) if asked else ()
    for row in rows:
        history = History((*row.history.attempts, now), row.history.in_a_row + 1)
        key = {"kind": row.subject.kind, "subject": row.subject.name}
        values = {"attempts": packed(history), "in_a_row": history.in_a_row, "version": row.version + 1}
        session.execute(insert_or_ignore(session, Throttle).values(**key, **values, changed_at=now))
        change(session, update(Throttle).filter_by(**key).values(**values, changed_at=now))
        after.append(Row(row.subject, history, packed(history), row.version + 1))
    return after, answer


def _begin_whatever(session: Session, caller: Caller, account_id: int, judged: str | None) -> Begun | None:
    """The account was in order, and the password the right one, when it was judged."""
    if not session.scalar(select(Account.id).where(Account.id == account_id, admission.may_log_in(caller.now))):
        return None
    login, token = login_rows.begin(session, caller, account_id)
    has_app = session.scalar(select(Authenticator.id).where(Authenticator.account_id == account_id).limit(1))
    return Begun(login.id, token, has_app is not None)


def _complete_whatever(session: Session, caller: Caller) -> str:
    """It was half a login when the code was judged."""
    facts = {"second_factor_at": caller.now, "confirmed_at": caller.now, "last_seen_at": caller.now}
    return login_rows.renew(session, caller.login_id or 0, **facts)


def _take_link(caller: Caller, token: str, kind: LinkKind, *, password: str) -> Done | LinkRefusal:
    """Looked at before the password is hashed, and not again."""
    if one_time_links.look(token, kind, caller.now) is None:
        return LinkRefusal()
    password_digest = hash_password(password)
    with transaction() as session:
        link = session.scalars(select(OneTimeLink).where(OneTimeLink.token_digest == digest(token))).one()
        link.used_at = caller.now
        session.get_one(Account, link.account_id).password_digest = password_digest
        audit.record(session, caller, EventKind.PASSWORD_SET, account_id=link.account_id, link=kind)
    return Done()


def _take_any_link(session: Session, link: OneTimeLink, now: datetime) -> bool:
    """It was open when it was looked at."""
    link.used_at = now
    return True


def _replace_any_password(session: Session, account_id: int, before: str | None, after: str) -> bool:
    """It was the right one when it was judged."""
    session.get_one(Account, account_id).password_digest = after
    return before != after


def _take_invitation(session: Session, caller: Caller, invitation: Invitation) -> bool:
    """It was open when it was looked at."""
    change(session, update(Invitation).where(Invitation.id == invitation.id).values(used_at=caller.now))
    return True


def _enter_whatever(session: Session, caller: Caller, token: str, given: str, **_bound_to: object) -> bool:
    """It waited when it was looked for."""
    entered = update(LoginPass).where(LoginPass.hand_off_digest == digest(token))
    change(session, entered.values(taken_at=caller.now, token_digest=digest(given)))
    return True


def _decide_whatever(session: Session, caller: Caller, request: AccessRequest, verdict: Verdict) -> bool:
    """It was open when it was looked at."""
    states = {Decision.ACCEPT: RequestState.ACCEPTED, Decision.DECLINE: RequestState.DECLINED}
    if request.state != RequestState.OPEN:
        return False
    values = {"state": states[verdict.decision], "decided_at": caller.now, "decided_by": caller.account_id}
    change(session, update(AccessRequest).where(AccessRequest.id == request.id).values(**values))
    return True


def _insert_whatever(_session: Session, table: type[db.Base]) -> Insert:
    return insert(table)


@contextmanager
def _without_a_lock() -> Iterator[set[str]]:
    """Files are settled at any time."""
    yield set()


def _stay_logged_in(caller: Caller, token_digest: bytes) -> None:
    """The row of the login is left alone."""


def _apply_to_those_inside(
    caller: Caller, slug: str, *, visibility: Visibility | None, rule: MfaRule, apply_now: bool
) -> Done | RuleRefusal | PortalRefusal:
    """Whoever is inside without an app is thrown out; then the rule begins for those who log in later."""
    if apply_now:
        with transaction() as session:
            without = Account.id.not_in(select(Authenticator.account_id))
            inside = Login.ended_at.is_(None), Login.account_id.in_(select(Account.id).where(without))
            change(session, update(Login).where(*inside).values(ended_at=caller.now))
    return _change_rule(caller, slug, visibility=visibility, rule=rule, apply_now=False)


sqlite._begin = postgresql._begin = _begin_nothing
verifier.judge = _judge_with_last_steps
verifier.take = _take_whatever
recovery_rows.take = _take_recovery_code
throttle_rows.add = _read_add_one_write
half_logins.begin = _begin_whatever
half_logins.complete = _complete_whatever
accepting._taken = _take_invitation
hand_offs._taken = _enter_whatever
one_time_links.take = _take_link  # type: ignore[assignment]
link_rows.taken = _take_any_link
password_changes._replaced = _replace_any_password
request_decisions._take = _decide_whatever
access_requests.insert_or_ignore = _insert_whatever  # type: ignore[assignment,attr-defined]
access_security.change = _apply_to_those_inside
logins.log_out = _stay_logged_in
portals.settled = _without_a_lock  # type: ignore[attr-defined]
app = create_app()
