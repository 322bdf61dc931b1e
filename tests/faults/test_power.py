"""The tests of faults prove that they would see the flaws: portals that have them fail."""

from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from mfaportal.domain import login_rows, verifier
from mfaportal.models import Authenticator, identity, pass_holder
from mfaportal.plumbing import postgresql, sqlite
from mfaportal.plumbing.db import change
from mfaportal.rules import stages
from mfaportal.rules.stages import Stage
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.faults import model
from tests.faults.deeds import Days
from tests.faults.driver import ERRORS, At, broken_driver
from tests.faults.model import CODE
from tests.faults.test_invariants import world_of
from tests.faults.test_nth_statement import Trial
from tests.input.bench import Bench
from tests.input.database import Database
from tests.input.forms import FORMS
from tests.input.scenes import Scene
from tests.people import Cast


def test_changes_that_stand_alone_are_seen_as_half_done(
    monkeypatch: pytest.MonkeyPatch, make_app: Callable[..., Flask], clock: MovableClock, database: Database
) -> None:
    """Nothing begins a transaction, so that each statement is a commit of its own."""
    for module in (sqlite, postgresql):
        monkeypatch.setattr(module, "_begin", lambda _connection: None)
    app = make_app()
    case = next(form for form in FORMS if form.name == "account.finish_replace_app")
    trial = Trial(Bench(Scene(app, Browser(app, clock), clock), database, case), broken_driver(app))
    for number in range(1, trial.statements + 1):
        trial.fail(number, At.BEFORE, ERRORS[1])
    assert any("half of it was done" in fault for fault in trial.unexpected), trial.unexpected


@pytest.fixture
def days(make_app: Callable[..., Flask], clock: MovableClock, people: Cast, database: Database) -> Days:
    """A day on which the reader has set up an app in the first browser, and is half logged in there again."""

    class Here(Days):
        pass

    Here.world = world_of(make_app, clock, people, database)
    day = Here()
    day.begin({0})
    clock.advance(seconds=60)
    day.log_out_of(0)
    return day


def _take_whatever(session: Session, account_id: int, judged: verifier.Judgement, now: datetime) -> int:
    """What was judged to be right is taken, whatever was taken meanwhile."""
    app_id, step = judged.right[0]
    change(session, update(Authenticator).where(Authenticator.id == app_id).values(last_step=step))
    return app_id


def test_a_code_that_is_taken_twice_is_seen(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifier, "take", _take_whatever)
    code = days.humans[0].apps[0].phone.code(days.clock())
    for number in (0, 1):
        days.enter(number, 0)
    days.give(*_at_the_code(days), code=code)
    with pytest.raises(AssertionError, match="accepted True, model None"):
        days.give(*_at_the_code(days), code=code)


def _at_the_code(days: Days) -> tuple[int, model.Session]:
    found = days.at(0, CODE)
    assert found is not None
    return found


def test_half_a_log_in_that_counts_as_a_whole_one_is_seen(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    days.enter(0, 0)
    days.look_around()
    right = stages.stage_of
    monkeypatch.setattr(
        identity, "stage_of", lambda *facts: Stage.COMPLETE if right(*facts) is Stage.CODE else right(*facts)
    )
    with pytest.raises(AssertionError, match="browser 0 is at 200, not code"):
        days.look_around()


def test_a_pass_that_outlives_its_login_is_seen(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    days.come_in(0, 1)
    days.come_to_a_guarded_page(0)
    days.look_around()
    monkeypatch.setattr(pass_holder, "stage_of", lambda *_facts: Stage.COMPLETE)
    days.log_out_of(0)
    with pytest.raises(AssertionError, match="the gateway says 200 to somebody at anonymous"):
        days.look_around()


def test_a_login_that_outlives_a_new_password_is_seen(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    days.enter(0, 0)
    monkeypatch.setattr(login_rows, "end_of_account", lambda *_all, **_but: 0)
    days.reset_password(0)
    with pytest.raises(AssertionError, match="browser 0 is at /log-in/code, not anonymous"):
        days.look_around()
