"""The four lines of stages, and that the first one that matches wins."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfaportal.rules.lifetimes import LoginLimits
from mfaportal.rules.stages import LoginFacts, Stage, requires, stage_of

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LIMITS = LoginLimits(idle=timedelta(hours=12), max_age=timedelta(hours=24))
SECOND = timedelta(seconds=1)
PLAIN = LoginFacts(
    password_at=NOW,
    second_factor_at=None,
    last_seen_at=NOW,
    ended_at=None,
    suspended_at=None,
    has_authenticator=False,
    required_since=None,
)


def _stage(**facts: object) -> Stage:
    return stage_of(PLAIN._replace(**facts), NOW, LIMITS)  # type: ignore[arg-type]


def test_without_a_login_one_is_anonymous() -> None:
    assert stage_of(None, NOW, LIMITS) is Stage.ANONYMOUS


def test_without_an_app_and_without_a_rule_the_password_is_enough() -> None:
    assert _stage() is Stage.COMPLETE


def test_whoever_has_set_up_is_asked_for_a_code_whatever_the_rule() -> None:
    assert _stage(has_authenticator=True) is Stage.CODE
    assert _stage(has_authenticator=True, required_since=NOW) is Stage.CODE


def test_the_second_factor_completes_the_login() -> None:
    assert _stage(has_authenticator=True, second_factor_at=NOW) is Stage.COMPLETE


def test_a_rule_leads_whoever_has_no_app_to_set_up() -> None:
    assert _stage(required_since=NOW) is Stage.SET_UP
    assert _stage(required_since=NOW - timedelta(days=900)) is Stage.SET_UP


def test_a_second_factor_given_before_the_app_was_taken_away_does_not_meet_the_rule() -> None:
    assert _stage(second_factor_at=NOW, required_since=NOW - SECOND) is Stage.SET_UP


def test_a_rule_raised_while_the_clock_was_ahead_is_in_force_once_it_is_put_right() -> None:
    assert _stage(required_since=NOW + timedelta(minutes=1)) is Stage.COMPLETE
    assert _stage(required_since=NOW + timedelta(minutes=1, microseconds=1)) is Stage.SET_UP
    assert _stage(required_since=NOW + timedelta(days=1)) is Stage.SET_UP


def test_a_rule_applied_now_does_not_let_an_old_whole_login_set_up_an_app() -> None:
    whole = {"password_at": NOW - timedelta(minutes=25), "required_since": NOW - timedelta(days=9)}
    assert _stage(**whole, confirmed_at=NOW - timedelta(minutes=20)) is Stage.SET_UP
    assert _stage(**whole, confirmed_at=NOW - timedelta(minutes=20) - SECOND) is Stage.ANONYMOUS
    assert _stage(**whole) is Stage.SET_UP


def test_a_rule_raised_after_the_password_is_met_at_the_next_log_in() -> None:
    assert _stage(required_since=NOW + SECOND) is Stage.COMPLETE


@pytest.mark.parametrize(
    ("covered_since", "required"),
    [
        (None, False),
        (NOW - SECOND, True),
        (NOW, True),
        (NOW + timedelta(microseconds=1), False),
        (datetime(1970, 1, 1, tzinfo=UTC), True),
    ],
)
def test_a_rule_requires_logins_that_began_at_its_instant_or_later(
    covered_since: datetime | None, required: bool
) -> None:
    assert requires(covered_since, NOW, NOW) is required


AGES = [
    # what the login waits for        how long it lives      the stage until then
    ({"has_authenticator": True}, timedelta(minutes=10), Stage.CODE),
    ({"required_since": NOW - timedelta(days=9)}, timedelta(minutes=30), Stage.SET_UP),
    ({}, timedelta(hours=24), Stage.COMPLETE),
    ({"has_authenticator": True, "second_factor_at": NOW}, timedelta(hours=24), Stage.COMPLETE),
]


@pytest.mark.parametrize(("facts", "life", "stage"), AGES)
def test_a_login_lives_as_long_as_the_numbers_say(facts: dict[str, object], life: timedelta, stage: Stage) -> None:
    assert _stage(password_at=NOW - life, **facts) is stage
    assert _stage(password_at=NOW - life - SECOND, **facts) is Stage.ANONYMOUS


def test_a_login_ends_twelve_hours_after_its_last_use() -> None:
    began = NOW - timedelta(hours=13)
    assert _stage(password_at=began, last_seen_at=NOW - timedelta(hours=12)) is Stage.COMPLETE
    assert _stage(password_at=began, last_seen_at=NOW - timedelta(hours=12) - SECOND) is Stage.ANONYMOUS


moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
facts = st.builds(
    LoginFacts,
    password_at=moments,
    second_factor_at=st.none() | moments,
    last_seen_at=moments,
    ended_at=st.none() | moments,
    suspended_at=st.none() | moments,
    has_authenticator=st.booleans(),
    required_since=st.none() | moments,
)


def _is_required(login: LoginFacts, now: datetime) -> bool:
    since = login.required_since
    return since is not None and (since <= login.password_at or since > now + timedelta(minutes=1))


@given(facts, moments)
def test_the_first_line_that_matches_wins(login: LoginFacts, now: datetime) -> None:
    stage = stage_of(login, now, LIMITS)
    age = now - login.password_at
    if login.ended_at or login.suspended_at or age > LIMITS.max_age or now - login.last_seen_at > LIMITS.idle:
        assert stage is Stage.ANONYMOUS
    elif login.has_authenticator and login.second_factor_at is None:
        assert stage is (Stage.CODE if age <= timedelta(minutes=10) else Stage.ANONYMOUS)
    elif _is_required(login, now) and not login.has_authenticator:
        assert stage is (Stage.SET_UP if age <= timedelta(minutes=30) else Stage.ANONYMOUS)
    else:
        assert stage is Stage.COMPLETE


@given(facts, moments, moments)
def test_an_ended_or_suspended_login_never_comes_back(login: LoginFacts, when: datetime, now: datetime) -> None:
    assert stage_of(login._replace(ended_at=when), now, LIMITS) is Stage.ANONYMOUS
    assert stage_of(login._replace(suspended_at=when), now, LIMITS) is Stage.ANONYMOUS
