"""One's own live logins: listed, and ended one by one or all but the present one."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from ..models import EventKind, LinkKind, Login
from ..models.identity import AccountSeen
from ..plumbing.db import reading, transaction
from ..rules.access import Audience
from ..rules.lifetimes import STEP_UP, STEP_UP_GRACE, LoginLimits
from ..rules.stages import LoginFacts, Stage, stage_of
from . import audit, link_rows, login_rows
from .authority import require
from .caller import Caller

SHOWN = 100
"""Nobody uses more browsers than that in a day; all of them can be ended at once."""
_WITHIN = STEP_UP + STEP_UP_GRACE


@dataclass(frozen=True, slots=True)
class LoginSeen:
    """A login that is not over. `half`: only the password was given so far."""

    id: int
    address: str | None
    browser: str
    since: datetime
    last_seen_at: datetime
    half: bool


class NoSuchLogin:
    """The account has none of this number; somebody else may."""


def live(account: AccountSeen, now: datetime, limits: LoginLimits) -> list[LoginSeen]:
    """The account's logins that are not ended and within their limits, the one used last first."""
    statement = (
        select(Login)
        .where(
            Login.account_id == account.id,
            Login.ended_at.is_(None),
            Login.password_at >= now - limits.max_age,
            Login.last_seen_at >= now - limits.idle,
        )
        .order_by(Login.last_seen_at.desc(), Login.id.desc())
        .limit(SHOWN)
    )
    with reading() as session:
        found = [(login, _stage(login, account, now, limits)) for login in session.scalars(statement)]
    return [
        LoginSeen(
            id=login.id,
            address=login.address,
            browser=login.browser,
            since=login.password_at,
            last_seen_at=login.last_seen_at,
            half=stage is not Stage.COMPLETE,
        )
        for login, stage in found
        if stage is not Stage.ANONYMOUS
    ]


def _stage(login: Login, account: AccountSeen, now: datetime, limits: LoginLimits) -> Stage:
    facts = LoginFacts(
        password_at=login.password_at,
        second_factor_at=login.second_factor_at,
        last_seen_at=login.last_seen_at,
        ended_at=login.ended_at,
        suspended_at=None,
        has_authenticator=account.has_authenticator,
        required_since=account.covered_since,
        confirmed_at=login.confirmed_at,
    )
    return stage_of(facts, now, limits)


def end(caller: Caller, login_id: int) -> int | NoSuchLogin:
    """End one of one's own logins, also the present one; 0 if it had ended before."""
    with transaction() as session:
        require(session, caller, Audience.ACCOUNT, confirmed_within=_WITHIN)
        own = select(Login.id).where(Login.id == login_id, Login.account_id == caller.account_id)
        if session.scalar(own) is None:
            return NoSuchLogin()
        ended = login_rows.end_by_id(session, caller, login_id)
        if ended:
            audit.record(session, caller, EventKind.LOGIN_ENDED, account_id=caller.account_id, login=login_id)
        return ended


def end_others(caller: Caller) -> int:
    """End all of one's logins but the present one; how many there were."""
    with transaction() as session:
        require(session, caller, Audience.ACCOUNT, confirmed_within=_WITHIN)
        ended = login_rows.end_of_account(session, caller, caller.account_id or 0, but=caller.login_id)
        link_rows.void(session, caller.account_id or 0, caller.now, LinkKind.EMAIL)  # a thief may have asked for it
        audit.record(session, caller, EventKind.LOGINS_ENDED, account_id=caller.account_id, logins=ended)
        return ended
