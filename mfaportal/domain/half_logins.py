"""How a login begins with a password and becomes whole with a code, in as few statements as there can be.

Each is one conditional change: whether it may still be made is asked where it is made.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, LargeBinary, String, bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from ..models import Account, Authenticator, Login, LoginPass
from ..plumbing.clock import from_microseconds
from ..plumbing.db import Instant, change
from ..plumbing.prepared_change import Insert, PreparedChange
from ..plumbing.tokens import digest, new_token
from ..rules.access import Audience
from ..rules.stages import LoginFacts, Stage, stage_of
from . import admission, authority, log_in_notes, verifier
from .caller import Caller
from .log_in_notes import Notes
from .throttle_rows import Question
from .verifier import App

_ACCOUNT = log_in_notes.ACCOUNT
_LOGIN: Any = bindparam("login", type_=BigInteger)


class Begun(NamedTuple):
    """A login that has just begun, and whether its account has an app, of which a code is asked next."""

    id: int
    token: str
    has_app: bool


def begin(session: Session, caller: Caller, account_id: int, judged: str | None) -> Begun | None:
    """A new login of an account that may log in, as long as its password's digest is still the one `judged`."""
    token = new_token()
    values = {
        "token_digest": digest(token),
        "account": account_id,
        "judged": judged,
        "now": caller.now,
        "address": caller.address,
        "browser": caller.browser,
    }
    rows = _BEGIN.run(session, values).rows
    return Begun(rows[0][0], token, bool(rows[0][1])) if rows else None


def _beginning(insert: Insert) -> Any:
    now = bindparam("now", type_=Instant)
    row = {
        "token_digest": bindparam("token_digest", type_=LargeBinary),
        "account_id": Account.id,
        "password_at": now,
        "last_seen_at": now,
        "address": bindparam("address", type_=String),
        "browser": bindparam("browser", type_=String),
    }
    whose = select(*row.values()).where(
        Account.id == _ACCOUNT,
        Account.password_digest == bindparam("judged", type_=String),
        admission.may_log_in(now),
    )
    has_app = select(Authenticator.id).where(Authenticator.account_id == _ACCOUNT).exists()
    return insert(_LOGINS).from_select(list(row), whose).returning(_LOGINS.c.id, has_app)


class HalfLogin(NamedTuple):
    """What a code is judged by, and what is written once it is right."""

    email: str
    apps: Sequence[App]
    notes: Notes


def _columns() -> list[Any]:
    """In the order that `seen` reads them in."""
    login = (Login.password_at, Login.second_factor_at, Login.last_seen_at, Login.ended_at)
    mine = [Login.id == _LOGIN, Login.account_id == _ACCOUNT]
    apps = select(Authenticator.id).where(Authenticator.account_id == _ACCOUNT)
    first = apps.order_by(Authenticator.id).limit(1)
    return [
        *(select(column).where(*mine).scalar_subquery() for column in login),
        *(select(column).where(Account.id == _ACCOUNT).scalar_subquery() for column in _OF_ACCOUNT),
        apps.with_only_columns(func.count()).scalar_subquery(),
        first.scalar_subquery(),
        first.with_only_columns(Authenticator.sealed_secret).scalar_subquery(),
        *log_in_notes.columns(),
    ]


_OF_ACCOUNT = (Account.suspended_at, Account.email)
_OWN = 9
WAITING = Question(_columns)


def about(caller: Caller) -> dict[str, Any]:
    """What `WAITING` wants to know."""
    return {"login": caller.login_id, **log_in_notes.about(caller.account_id or 0)}


def seen(session: Session, caller: Caller, answer: Sequence[Any]) -> HalfLogin:
    """The half login that waits for a code, as the answer to `WAITING` tells it. Most people have one app.

    Raises:
        NotAllowed: no code is asked of this login (any more).
    """
    *times, suspended_at, email, apps, app_id, secret = answer[:_OWN]
    password_at, second_factor_at, last_seen_at, ended_at = map(_instant, times)
    facts = None
    if password_at is not None and last_seen_at is not None:
        facts = LoginFacts(
            password_at, second_factor_at, last_seen_at, ended_at, _instant(suspended_at), bool(apps), None
        )
    if stage_of(facts, caller.now, caller.limits) is not Stage.CODE:
        authority.require(session, caller, Audience.ENTERING_CODE)
        raise TypeError("a login at the code is not at the code")
    account_id = caller.account_id or 0
    one = [App(app_id, account_id, secret)]
    found = one if apps == 1 else verifier.apps_of(session, account_id)
    return HalfLogin(email, found, Notes(*answer[_OWN:]))


def _instant(number: int | None) -> datetime | None:
    return None if number is None else from_microseconds(number)


def complete(session: Session, caller: Caller) -> str:
    """Give the caller's login its second factor and a new token.

    The old token is dead from now on, and so is what anybody has got by it: passes into guarded hosts.

    Raises:
        NotAllowed: it is over, or whole, by now.
    """
    token = new_token()
    values = {"login": caller.login_id, "token_digest": digest(token), "now": caller.now}
    rows = _COMPLETE.run(session, values).rows
    if not rows:
        authority.require(session, caller, Audience.ENTERING_CODE)
        raise TypeError("a login at the code cannot be completed")
    if rows[0][0]:
        change(session, delete(LoginPass).where(LoginPass.login_id == caller.login_id))
    return token


def _completing(_insert: Insert) -> Any:
    login, now = _LOGINS.c, bindparam("now", type_=Instant)
    here = select(Account.id).where(Account.id == login.account_id, Account.suspended_at.is_(None)).exists()
    has_passes = select(LoginPass.id).where(LoginPass.login_id == _LOGIN).exists()
    return (
        update(_LOGINS)
        .where(login.id == _LOGIN, login.ended_at.is_(None), login.second_factor_at.is_(None), here)
        .values(token_digest=bindparam("token_digest"), second_factor_at=now, confirmed_at=now, last_seen_at=now)
        .returning(has_passes)
    )


_LOGINS = Login.metadata.tables[Login.__tablename__]
_BEGIN = PreparedChange(_beginning)
_COMPLETE = PreparedChange(_completing)
