"""The same without a server, by the tests' own clock: for machines that have no libfaketime, and to the second."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from flask import Flask

from mfaportal.rules.mfa_rule import MfaRule
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.people import Cast, give_app, set_rule
from tests.phone import Phone

SECOND = timedelta(seconds=1)


@pytest.fixture
def clock(request: pytest.FixtureRequest) -> MovableClock:
    """It starts at the test's parameter, if it has one."""
    return MovableClock(request.param) if hasattr(request, "param") else MovableClock()


@pytest.fixture
def covered(app: Flask, people: Cast, clock: MovableClock) -> Cast:
    """Everybody needs an app, and all but the reader have one."""
    with app.app_context():
        for person in people.everybody[1:]:
            give_app(person, clock)
        set_rule(MfaRule.EVERYONE, clock, apply_now=True)
    return people


def is_inside(browser: Browser) -> bool:
    return browser.get("/account").status == 200


@pytest.mark.parametrize(
    "clock",
    [
        datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC),
        datetime(2038, 1, 20, tzinfo=UTC),
        datetime(2106, 2, 7, 6, 28, 15, tzinfo=UTC),
        datetime(2106, 2, 8, tzinfo=UTC),
    ],
    indirect=True,
    ids=lambda instant: f"{instant:%Y-%m-%d}",
)
def test_setting_up_and_logging_in_work_when_seconds_no_longer_fit_32_bits(
    browser: Browser, covered: Cast, clock: MovableClock
) -> None:
    assert browser.give_password(covered.reader).location == "/log-in/set-up"
    page = browser.get("/log-in/set-up")
    key = page.html.partition('<code class="key">')[2].partition("<")[0]
    covered.reader.phone = Phone(key)
    page = browser.send(page, code=covered.reader.phone.code(clock()), name="Phone")
    assert page.location == "/account/security/recovery-codes?next=/"
    browser.log_out()
    clock.advance(seconds=30)
    assert browser.log_in(covered.reader).location == "/"
    assert is_inside(browser)


@pytest.mark.parametrize(
    ("who", "path", "minutes"), [("editor", "/log-in/code", 10), ("reader", "/log-in/set-up", 30)]
)
def test_half_a_log_in_lives_so_many_minutes_and_no_second_more(
    browser: Browser, covered: Cast, clock: MovableClock, who: str, path: str, minutes: int
) -> None:
    browser.give_password(getattr(covered, who))
    clock.now += timedelta(minutes=minutes)
    assert browser.get(path).status == 200
    clock.now += SECOND
    assert urlsplit(browser.get(path).location).path == "/log-in"


def test_a_password_works_unchanged_after_four_hundred_days(
    browser: Browser, people: Cast, clock: MovableClock
) -> None:
    """ASVS 6.2.10: nobody is made to change it, nor led anywhere else than by the first log-in."""
    assert browser.log_in(people.reader).location == "/"
    clock.advance(days=400)
    assert not is_inside(browser)
    assert browser.log_in(people.reader).location == "/"
    assert is_inside(browser)


def test_a_login_ends_twelve_hours_after_its_last_use(
    browser: Browser, new_browser: Callable[[], Browser], covered: Cast, clock: MovableClock
) -> None:
    other = new_browser()
    browser.log_in(covered.editor)
    other.log_in(covered.admin)
    clock.advance(hours=12)
    assert is_inside(browser)
    clock.now += SECOND
    assert not is_inside(other)
    clock.advance(hours=11)
    assert is_inside(browser)


def test_a_login_ends_twenty_four_hours_after_its_password_however_busy(
    browser: Browser, covered: Cast, clock: MovableClock
) -> None:
    browser.log_in(covered.editor)
    for _ in range(24):
        clock.advance(hours=1)
        assert is_inside(browser)
    clock.now += SECOND
    assert not is_inside(browser)


@pytest.mark.parametrize("leap", [timedelta(minutes=10), timedelta(days=1), timedelta(days=400)], ids=str)
def test_after_a_leap_that_is_put_right_codes_are_refused_no_longer_than_the_leap(
    browser: Browser, new_browser: Callable[[], Browser], covered: Cast, clock: MovableClock, leap: timedelta
) -> None:
    clock.now += leap
    browser.log_in(covered.editor)
    clock.now -= leap
    other = new_browser()
    other.give_password(covered.editor)
    assert covered.editor.phone is not None
    page = other.submit("/log-in/code", code=covered.editor.phone.code(clock()))
    assert (page.status, "already used" in page.text) == (422, True)
    clock.now += leap + timedelta(seconds=30)
    assert other.log_in(covered.editor).location == "/"


def test_a_login_of_the_wrong_time_outlives_its_limits_by_the_leap_at_most(
    browser: Browser, covered: Cast, clock: MovableClock
) -> None:
    clock.advance(hours=1)
    browser.log_in(covered.editor)
    clock.advance(hours=-1)
    for _ in range(25):
        clock.advance(hours=1)
        assert is_inside(browser)
    clock.now += SECOND
    assert not is_inside(browser)
