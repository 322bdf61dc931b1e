"""The stage of a login, computed from facts on each request. Nothing stores "is authenticated"."""

from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from .lifetimes import HALF_LOGIN_AT_CODE, HALF_LOGIN_AT_SET_UP, STEP_UP, STEP_UP_GRACE, LoginLimits

CLOCKS_APART = timedelta(minutes=1)
"""What the clocks of two workers, or of two requests that overlap, may differ by."""


class Stage(Enum):
    ANONYMOUS = "anonymous"
    CODE = "code"
    SET_UP = "set-up"
    COMPLETE = "complete"


class LoginFacts(NamedTuple):
    """What happened to a login and its account, and when."""

    password_at: datetime
    second_factor_at: datetime | None
    last_seen_at: datetime
    ended_at: datetime | None
    suspended_at: datetime | None
    has_authenticator: bool
    required_since: datetime | None
    """The oldest instant since which a rule covers the account; None where none does."""
    confirmed_at: datetime | None = None
    """The last step-up; None for a login that was never whole."""


def stage_of(facts: LoginFacts | None, now: datetime, limits: LoginLimits) -> Stage:
    """The first of design.md §2's lines that matches."""
    if facts is None or facts.ended_at is not None or facts.suspended_at is not None:
        return Stage.ANONYMOUS
    age = now - facts.password_at
    if age > limits.max_age or now - facts.last_seen_at > limits.idle:
        return Stage.ANONYMOUS
    if facts.has_authenticator and facts.second_factor_at is None:
        return Stage.CODE if age <= HALF_LOGIN_AT_CODE else Stage.ANONYMOUS
    if not facts.has_authenticator and requires(facts.required_since, facts.password_at, now):
        stale = facts.confirmed_at is not None and now - facts.confirmed_at > STEP_UP + STEP_UP_GRACE
        # a rule applied now must not let an old cookie set up an app, for which it would have to confirm otherwise
        return Stage.SET_UP if age <= HALF_LOGIN_AT_SET_UP and not stale else Stage.ANONYMOUS
    return Stage.COMPLETE


def requires(covered_since: datetime | None, password_at: datetime, now: datetime) -> bool:
    """Whether a rule that covers an account since then is met by this login: only by those that began later.

    An instant that has not come yet was written while the clock was ahead. It counts as past: otherwise the rule
    would be in force on the page and for nobody until then.
    """
    if covered_since is None:
        return False
    return covered_since <= password_at or covered_since - now > CLOCKS_APART
