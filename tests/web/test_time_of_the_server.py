"""ASVS 6.5.8: the time is the server's. What a browser says about it makes no code right and keeps no login."""

from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest
from flask import Flask

from mfaportal.models import Login
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.people import Cast, give_app
from tests.phone import Phone
from tests.stored import the_one

LEAPS = [timedelta(hours=-1), timedelta(minutes=-3), timedelta(minutes=3), timedelta(hours=5, minutes=30)]


@pytest.fixture
def phone(app: Flask, people: Cast, clock: MovableClock) -> Phone:
    with app.app_context():
        return give_app(people.reader, clock)


def _claims(now: datetime) -> tuple[dict[str, str], dict[str, str]]:
    """Headers and fields of a browser that says it is another time, and that it is somewhere else."""
    seconds = str(int(now.timestamp()))
    headers = {
        "Date": format_datetime(now, usegmt=True),
        "X-Date": format_datetime(now, usegmt=True),
        "X-Request-Start": f"t={seconds}",
    }
    headers |= {"X-Timestamp": seconds, "X-Timezone": "Asia/Kolkata", "Time-Zone": "Asia/Kolkata"}
    headers |= {"If-Unmodified-Since": format_datetime(now, usegmt=True)}
    fields = dict.fromkeys(("time", "now", "timestamp", "date", "for_time", "counter"), seconds)
    return headers, fields | {"timezone": "Asia/Kolkata", "tz": "Asia/Kolkata", "utc_offset": "-330"}


def _send(browser: Browser, path: str, code: str, leap: timedelta) -> Page:
    headers, fields = _claims(browser.clock() + leap)
    given = browser.get(path, headers=headers).form().fields
    return browser.open("POST", path, data={**given, **fields, "code": code}, headers=headers, query_string=fields)


@pytest.mark.parametrize("leap", LEAPS, ids=str)
def test_a_code_is_judged_by_the_clock_of_the_server_alone(
    app: Flask, browser: Browser, people: Cast, phone: Phone, clock: MovableClock, leap: timedelta
) -> None:
    """The code of the claimed time is wrong, that of the server's is right, and the latter is written down."""
    browser.give_password(people.reader)
    assert _send(browser, "/log-in/code", phone.code(clock() + leap), leap).status == 422
    assert the_one(app, Login).second_factor_at is None
    assert _send(browser, "/log-in/code", phone.code(clock()), leap).status == 303
    assert the_one(app, Login).second_factor_at == clock()


def test_a_login_ends_by_it_whatever_time_the_browser_says(
    browser: Browser, people: Cast, phone: Phone, clock: MovableClock
) -> None:
    browser.log_in(people.reader)
    then, fields = _claims(clock())
    clock.advance(hours=12, seconds=1)
    page = browser.get("/account", headers=then, query_string=fields)
    assert page.location.startswith("/log-in")
