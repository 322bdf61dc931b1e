"""Sliding windows: the literal numbers, and that no order of attempts gets more out of a window than its limit."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfaportal.rules.throttling import LIMITS, History, Kind, Limit, Paused, Window, counted, given_back

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TWO = Limit((Window(2, 5 * MINUTE),))
CODES = [(5, 5 * MINUTE), (20, HOUR), (50, DAY)]


@pytest.mark.parametrize(
    ("kind", "windows", "in_a_row"),
    [
        ("code:account", CODES, 100),
        ("code:step-up", CODES, 100),
        ("code:set-up", CODES, 100),
        ("code:address", [(30, 5 * MINUTE)], None),
        ("code:malformed", [(30, 5 * MINUTE)], None),
        ("password:address+account", [(5, 5 * MINUTE)], None),
        ("password:account", [(100, DAY)], None),
        ("password:device", [(5, 5 * MINUTE), (100, DAY)], None),
        ("code:lifted-by-mail", [(1, DAY)], None),
        ("mail:new-browser", [(1, HOUR)], None),
        ("password:request", [(5, 5 * MINUTE)], None),
        ("password:address", [(50, 5 * MINUTE)], None),
        ("request:address", [(10, HOUR), (20, DAY)], None),
        ("request:e-mail", [(3, HOUR)], None),
        ("request:portal", [(100, DAY)], None),
        ("reset:address", [(10, HOUR)], None),
        ("reset:e-mail", [(3, HOUR)], None),
        ("e-mail-change:account", [(3, HOUR)], None),
    ],
)
def test_the_limits_are_those_of_the_design(
    kind: str, windows: list[tuple[int, timedelta]], in_a_row: int | None
) -> None:
    limit = LIMITS[Kind(kind)]
    assert [(window.attempts, window.length) for window in limit.windows] == windows
    assert limit.in_a_row == in_a_row


def test_every_kind_has_a_limit() -> None:
    assert set(LIMITS) == set(Kind)


def _after(limit: Limit, *minutes: float) -> History:
    history = History()
    for minute in minutes:
        outcome = counted(history, limit, START + minute * MINUTE)
        assert isinstance(outcome, History), f"paused at minute {minute}"
        history = outcome
    return history


def _at(history: History, limit: Limit, minute: float) -> History | Paused:
    return counted(history, limit, START + minute * MINUTE)


def test_a_full_window_pauses_until_its_oldest_attempt_is_out() -> None:
    history = _after(TWO, 0, 3)
    assert _at(history, TWO, 4.99) == Paused(START + 5 * MINUTE)
    assert isinstance(_at(history, TWO, 5), History)


def test_windows_slide_and_do_not_start_anew() -> None:
    history = _after(TWO, 0, 4, 5)
    assert _at(history, TWO, 6) == Paused(START + 9 * MINUTE)


def test_of_several_full_windows_the_one_that_lasts_longest_counts() -> None:
    limit = Limit((Window(2, MINUTE), Window(2, HOUR)))
    assert _at(_after(limit, 0, 0.5), limit, 0.6) == Paused(START + HOUR)


def test_a_refused_attempt_is_no_attempt() -> None:
    history = _after(TWO, 0, 1)
    for minute in (1.5, 2, 3, 4.9):
        assert _at(history, TWO, minute) == Paused(START + 5 * MINUTE)
    assert isinstance(_at(history, TWO, 5), History)


def test_a_right_attempt_is_given_back() -> None:
    history = given_back(_after(TWO, 0, 1), START + MINUTE)
    assert history == History((START,), 1)
    assert isinstance(_at(history, TWO, 2), History)


def test_of_two_attempts_at_one_instant_one_is_given_back() -> None:
    assert given_back(_after(TWO, 0, 0), START) == History((START,), 1)


def test_what_was_forgotten_meanwhile_cannot_be_given_back_below_zero() -> None:
    assert given_back(History(), START) == History()


def test_too_many_in_a_row_stop_it_for_good_until_somebody_lifts_it() -> None:
    limit = Limit((Window(5, MINUTE),), in_a_row=3)
    history = _after(limit, 0, 100, 10_000)
    assert _at(history, limit, 10_000_000) == Paused(None)
    assert isinstance(_at(History(), limit, 10_000_000), History)


def test_the_hundred_in_a_row_survive_windows_that_have_long_passed() -> None:
    limit = LIMITS[Kind.CODE_OF_ACCOUNT]
    history = _after(limit, *(day * 24 * 60 for day in range(100)))
    assert len(history.attempts) == 1
    assert _at(history, limit, 365 * 24 * 60) == Paused(None)


def test_a_parallel_request_with_an_older_clock_reading_counts_what_the_faster_one_did() -> None:
    history = _after(TWO, 0.001, 0.002)
    assert _at(history, TWO, 0) == Paused(START + 5.001 * MINUTE)


def test_a_clock_put_back_far_ends_a_pause_at_once() -> None:
    history = _after(TWO, 0, 1)
    assert isinstance(_at(history, TWO, -100), History)


def test_a_clock_put_back_a_little_does_not_give_a_new_budget() -> None:
    history = _after(TWO, 0, 1)
    assert _at(history, TWO, -2) == Paused(START + 5 * MINUTE)


def test_each_window_is_counted_over_its_own_length() -> None:
    limit = Limit((Window(5, MINUTE), Window(2, HOUR)))
    assert _at(_after(limit, 0, 30), limit, 59) == Paused(START + HOUR)


def test_a_clock_put_back_by_more_than_the_window_leaves_only_what_is_counted_afterwards() -> None:
    history = _after(TWO, 10, 11)
    for minute in (4.9, 5):  # the clock was put back by more than the window
        outcome = _at(history, TWO, minute)
        assert isinstance(outcome, History)
        history = outcome
    assert _at(history, TWO, 7) == Paused(START + 9.9 * MINUTE)
    assert isinstance(_at(history, TWO, 9.9), History)


def test_a_pause_is_said_to_last_until_the_newest_that_fill_the_window_are_out() -> None:
    limit = Limit((Window(2, 5 * MINUTE), Window(9, HOUR)))
    history = _after(limit, 10, 11)
    for minute in (4.9, 5):  # the clock was put back, but the longer window still sees the two that lie ahead
        outcome = _at(history, limit, minute)
        assert isinstance(outcome, History)
        history = outcome
    assert _at(history, limit, 7) == Paused(START + 15 * MINUTE)
    assert isinstance(_at(history, limit, 15), History)


@dataclass(frozen=True)
class Step:
    """The clock moves on by `wait`, somebody tries, and what was `right` is given back `later` steps on."""

    wait: timedelta
    right: bool
    later: int


waits = st.one_of(
    st.integers(0, 3).map(lambda number: timedelta(seconds=number)),
    st.integers(0, 400).map(lambda number: timedelta(seconds=number)),
    st.sampled_from([timedelta(0), MINUTE, 5 * MINUTE, 5 * MINUTE - timedelta(microseconds=1), HOUR, DAY]),
)
steps = st.builds(Step, waits, st.booleans(), st.integers(0, 4))
windows = st.builds(Window, st.integers(1, 5), st.sampled_from([MINUTE, 5 * MINUTE, HOUR]))
limits = st.builds(
    Limit, st.lists(windows, min_size=1, max_size=3).map(tuple), in_a_row=st.none() | st.integers(1, 12)
)


def _wrong_ones(script: list[Step], limit: Limit) -> list[datetime]:
    """When those attempts were let through that turned out wrong."""
    history, now = History(), START
    wrong: list[datetime] = []
    to_give_back: list[tuple[int, datetime]] = []
    for number, step in enumerate(script):
        now += step.wait
        outcome = counted(history, limit, now)
        if isinstance(outcome, History):
            history = outcome
            if step.right:
                to_give_back.append((number + step.later, now))
            else:
                wrong.append(now)
        for when, at in [pair for pair in to_give_back if pair[0] <= number]:
            history = given_back(history, at)
            to_give_back.remove((when, at))
    return wrong


@given(st.lists(steps, max_size=60), limits)
def test_no_window_ever_holds_more_wrong_attempts_than_its_limit(script: list[Step], limit: Limit) -> None:
    wrong = _wrong_ones(script, limit)
    for window in limit.windows:
        for first, after_last in zip(wrong, wrong[window.attempts :], strict=False):
            assert after_last - first >= window.length


@given(st.lists(steps, max_size=60), limits)
def test_never_more_in_a_row_than_allowed(script: list[Step], limit: Limit) -> None:
    if limit.in_a_row is not None:
        assert len(_wrong_ones(script, limit)) <= limit.in_a_row


both_ways = st.builds(
    timedelta,
    seconds=st.integers(-20_000, 20_000) | st.sampled_from([0, 1, -1, -300, -299, 300, -3600, -(10**8)]),
)


@given(st.lists(both_ways, max_size=40), limits)
def test_whatever_the_clock_did_a_pause_ends_after_two_lengths_at_most(moves: list[timedelta], limit: Limit) -> None:
    history, now = History(), START
    longest = max(window.length for window in limit.windows)
    for move in moves:
        now += move
        outcome = counted(history, limit, now)
        match outcome:
            case History():
                assert list(outcome.attempts) == sorted(outcome.attempts)
                history = outcome
            case Paused(None):
                assert history.in_a_row == limit.in_a_row
            case Paused(until):
                assert until is not None
                assert now < until <= now + 2 * longest
                assert isinstance(counted(history, limit, until), History)


@given(st.lists(steps, max_size=40), limits)
def test_a_history_never_grows_beyond_the_largest_window(script: list[Step], limit: Limit) -> None:
    history, now = History(), START
    for step in script:
        now += step.wait
        outcome = counted(history, limit, now)
        history = outcome if isinstance(outcome, History) else history
        assert len(history.attempts) <= max(window.attempts for window in limit.windows)
