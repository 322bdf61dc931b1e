"""A clock that goes back and a proxy that nobody declared: noticed once, remembered, and said to whoever asks."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import delete

from mfaportal.domain import clock_watch, proxy_watch
from mfaportal.domain.caller import the_portal_itself
from mfaportal.models import Event, EventKind, Setting
from mfaportal.plumbing.db import transaction
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.people import Cast
from tests.rows import counted_statements
from tests.stored import stored

CLIENT = "203.0.113.9"


def through_a_proxy(browser: Browser) -> None:
    browser.address = "127.0.0.1"
    browser.client.environ_base["HTTP_X_FORWARDED_FOR"] = CLIENT


def leaps(app: Flask) -> list[dict[str, int]]:
    return [event.details for event in stored(app, Event, kind=EventKind.CLOCK_WENT_BACK)]


def watch(app: Flask) -> str | None:
    with app.app_context():
        clock_watch.watch(the_portal_itself())
        return clock_watch.look()


def test_a_clock_that_goes_on_is_nothing_to_speak_of(app: Flask, clock: MovableClock) -> None:
    assert watch(app) is None
    clock.advance(hours=1)
    assert watch(app) is None
    clock.advance(seconds=-60)
    assert watch(app) is None
    assert leaps(app) == []


def test_a_clock_that_went_back_is_noted_once_and_spoken_of_for_a_week(
    app: Flask, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    watch(app)
    clock.advance(minutes=-10)
    with app.app_context():
        assert "600 seconds behind" in (clock_watch.look() or ""), "also before upkeep has seen it"
    for _ in range(3):
        assert "went back by 600 seconds" in (watch(app) or "")
        clock.advance(hours=1)
    assert leaps(app) == [{"seconds": 600}]
    assert caplog.text.count("the clock went back by 600 seconds") == 1
    clock.advance(days=8)
    assert watch(app) is None
    clock.advance(days=-400)
    assert "went back by" in (watch(app) or ""), "the next leap is news again"
    assert len(leaps(app)) == 2


@pytest.fixture
def noted(app: Flask) -> Callable[[], list[str]]:
    return lambda: [row.value for row in stored(app, Setting, name="undeclared-proxy")]


def doctor(app: Flask) -> str | None:
    with app.app_context():
        return proxy_watch.look()


def test_a_proxy_that_nobody_declared_is_noted_without_anybodys_address(
    app: Flask, people: Cast, browser: Browser, clock: MovableClock, noted: Callable[[], list[str]]
) -> None:
    assert doctor(app) is None
    browser.log_in(people.reader)
    assert noted() == []
    through_a_proxy(browser)
    clock.advance(minutes=2)
    assert browser.get("/account").status == 200
    (value,) = noted()
    assert '"127.0.0.1"' in value
    assert CLIENT not in value
    assert "MFAPORTAL_TRUSTED_PROXIES=127.0.0.1" in (doctor(app) or "")


def test_it_costs_requests_nothing_and_is_forgotten_when_it_is_over(
    app: Flask, people: Cast, browser: Browser, clock: MovableClock, noted: Callable[[], list[str]]
) -> None:
    browser.log_in(people.reader)
    through_a_proxy(browser)
    clock.advance(minutes=2)
    browser.get("/account")
    (before,) = noted()
    with counted_statements(app) as statements:
        for _ in range(3):
            clock.advance(minutes=2)
            browser.get("/account")
    assert not [statement for statement in statements if "settings" in statement]
    clock.advance(hours=2)
    browser.get("/account")
    assert noted() == [before], "once a day is enough"
    clock.advance(days=1)
    browser.log_in(people.reader)
    assert noted() != [before]
    clock.advance(days=8)
    assert doctor(app) is None


def test_a_database_that_does_not_take_it_fails_no_request(
    app: Flask, people: Cast, browser: Browser, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    browser.log_in(people.reader)
    with app.app_context(), transaction() as session:
        session.execute(delete(Setting))
        session.connection().exec_driver_sql("ALTER TABLE settings RENAME TO gone")
    through_a_proxy(browser)
    clock.advance(minutes=2)
    assert browser.get("/account").status == 200
    assert "could not note the proxy" in caplog.text
