"""Attempts in one statement: none is lost, a refused one leaves nothing, and a right one takes only itself back."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from mfaportal.domain import throttles
from mfaportal.domain.outcomes import PausedUntil
from mfaportal.domain.throttles import Attempt, Subject
from mfaportal.models import Throttle
from mfaportal.plumbing.db import transaction
from mfaportal.rules.throttling import Kind
from tests.clock import MovableClock
from tests.people import Cast

ACCOUNT = Subject(Kind.CODE_OF_ACCOUNT, "7")
ADDRESS = Subject(Kind.CODE_FROM_ADDRESS, "192.0.2.7")
BOTH = [ACCOUNT, ADDRESS]


@pytest.fixture
def session(app: Flask, people: Cast) -> Iterator[Session]:
    with app.app_context(), transaction() as session:
        yield session


def _rows(session: Session) -> dict[str, tuple[int, int]]:
    """How many attempts each row holds, and how many came in a row."""
    found = session.execute(select(Throttle.kind, Throttle.attempts, Throttle.in_a_row))
    return {kind: (len(attempts.split()), in_a_row) for kind, attempts, in_a_row in found}


def _attempt(session: Session, clock: MovableClock, subjects: list[Subject] = BOTH) -> Attempt:
    tried = throttles.attempt(session, subjects, clock())
    assert isinstance(tried, Attempt)
    return tried


def test_an_attempt_is_written_into_every_row(session: Session, clock: MovableClock) -> None:
    _attempt(session, clock)
    clock.advance(seconds=1)
    _attempt(session, clock)
    assert _rows(session) == {"code:account": (2, 2), "code:address": (2, 2)}


def test_a_refused_one_leaves_all_rows_as_they_were_and_makes_none(session: Session, clock: MovableClock) -> None:
    for _ in range(5):
        _attempt(session, clock, [ACCOUNT])
    before = _rows(session)
    for _ in range(2):
        assert isinstance(throttles.attempt(session, BOTH, clock()), PausedUntil)
    assert _rows(session) == before == {"code:account": (5, 5)}
    clock.advance(minutes=5)
    _attempt(session, clock)
    assert _rows(session) == {"code:account": (6, 6), "code:address": (1, 1)}


def test_what_no_window_reaches_any_more_goes_with_the_next_attempt(session: Session, clock: MovableClock) -> None:
    for _ in range(4):
        _attempt(session, clock)
    clock.advance(minutes=6)
    _attempt(session, clock)
    assert _rows(session) == {"code:account": (5, 5), "code:address": (1, 5)}


def test_a_right_one_is_taken_back_and_an_empty_row_goes(session: Session, clock: MovableClock) -> None:
    assert throttles.give_back(session, _attempt(session, clock), clock()) == 0
    assert _rows(session) == {}
    _attempt(session, clock)
    right, at = _attempt(session, clock), clock()
    throttles.give_back(session, right, at)
    assert _rows(session) == {"code:account": (1, 1), "code:address": (1, 1)}


@pytest.mark.parametrize("anew", [False, True])
def test_an_attempt_that_comes_in_between_stays_counted(session: Session, clock: MovableClock, anew: bool) -> None:
    """Also where somebody has cleared the row meanwhile, so that it begins anew with the same version."""
    right, at = _attempt(session, clock), clock()
    if anew:
        throttles.clear(session, BOTH)
    clock.advance(seconds=1)
    _attempt(session, clock)
    throttles.give_back(session, right, at)
    assert {attempts for attempts, _in_a_row in _rows(session).values()} == {1}


@pytest.mark.parametrize(("before", "meanwhile"), [(0, 0), (3, 0), (0, 1), (3, 1)])
def test_of_one_kind_all_are_forgotten_and_the_wrong_ones_told(
    session: Session, clock: MovableClock, before: int, meanwhile: int
) -> None:
    for _ in range(before):
        _attempt(session, clock)
    right, at = _attempt(session, clock), clock()
    for _ in range(meanwhile):
        clock.advance(seconds=1)
        _attempt(session, clock)
    wrong = throttles.give_back(session, right, at, clear_too=Kind.CODE_OF_ACCOUNT)
    assert wrong == before + meanwhile
    left = before + meanwhile
    assert _rows(session) == ({"code:address": (left, left)} if left else {})
