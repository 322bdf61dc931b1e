"""Too many wrong codes: a pause that says until when, for the account whatever the browser, and who can lift it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from mfaportal.domain import accounts, throttles
from mfaportal.domain.throttles import Subject
from mfaportal.models import Authenticator, Event, Login, Throttle
from mfaportal.plumbing.db import transaction
from mfaportal.rules.throttling import Kind
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.people import Cast, Person, add_person, give_app, on_the_command_line
from tests.phone import Phone
from tests.stored import stored, the_one

FOR_GOOD = "Too many wrong codes in a row. Whoever runs this portal has to unlock your account."


@pytest.fixture
def phone(app: Flask, people: Cast, clock: MovableClock) -> Phone:
    """The reader's only app."""
    with app.app_context():
        return give_app(people.reader, clock)


def guess(browser: Browser, person: Person, times: int) -> list[int]:
    """Enter wrong codes."""
    assert person.phone is not None
    wrong = person.phone.wrong_code(browser.clock())
    return [browser.submit("/log-in/code", code=wrong).status for _ in range(times)]


def count_wrong_codes(app: Flask, person: Person, clock: MovableClock, times: int, apart: timedelta) -> None:
    """As many wrong codes as if they had been entered so far apart, the last one just now."""
    subject = [Subject(Kind.CODE_OF_ACCOUNT, str(person.id))]
    with app.app_context():
        for number in range(times, 0, -1):
            with transaction() as session:
                assert throttles.count(session, subject, clock() - apart * number) is None


def paused(page: Page, words: str) -> bool:
    return page.status == 429 and words in page.text


def test_after_five_wrong_codes_even_the_right_one_has_to_wait(
    app: Flask, browser: Browser, people: Cast, phone: Phone, clock: MovableClock
) -> None:
    browser.give_password(people.reader)
    assert guess(browser, people.reader, 5) == [422] * 5
    clock.advance(minutes=2)
    page = browser.submit("/log-in/code", code=phone.code(clock()))
    assert paused(page, "Too many wrong codes. Try again in 3 minutes, at 09:05 UTC.")
    assert 180 <= int(page.response.headers["Retry-After"]) <= 181
    assert 'id="code-error"' in page.html
    assert the_one(app, Authenticator).last_step == -1, "nothing was judged"
    event = stored(app, Event)[-1]
    assert (event.kind, event.account_id, event.details) == ("throttle:paused", people.reader.id, {"what": "code"})
    clock.advance(minutes=3)
    assert browser.submit("/log-in/code", code=phone.code(clock())).status == 303


def test_another_browser_and_another_address_share_the_pause(
    browser: Browser, new_browser: Callable[[], Browser], people: Cast, phone: Phone, clock: MovableClock
) -> None:
    browser.give_password(people.reader)
    guess(browser, people.reader, 3)
    other = new_browser()
    other.address = "198.51.100.20"
    other.give_password(people.reader)
    assert guess(other, people.reader, 3) == [422, 422, 429]
    assert browser.submit("/log-in/code", code=phone.code(clock())).status == 429


def test_a_right_password_lifts_nothing(
    browser: Browser, new_browser: Callable[[], Browser], people: Cast, phone: Phone, clock: MovableClock
) -> None:
    browser.give_password(people.reader)
    guess(browser, people.reader, 5)
    other = new_browser()
    assert other.give_password(people.reader).location == "/log-in/code", "strangers can't block the password"
    assert other.submit("/log-in/code", code=phone.code(clock())).status == 429


def test_a_whole_log_in_clears_the_count(
    app: Flask, browser: Browser, new_browser: Callable[[], Browser], people: Cast, phone: Phone, clock: MovableClock
) -> None:
    browser.give_password(people.reader)
    guess(browser, people.reader, 4)
    assert browser.submit("/log-in/code", code=phone.code(clock())).status == 303
    assert stored(app, Throttle, kind=Kind.CODE_OF_ACCOUNT) == []
    other = new_browser()
    other.give_password(people.reader)
    assert guess(other, people.reader, 5) == [422] * 5


def test_a_used_code_and_a_clock_that_is_off_count_as_well(
    browser: Browser, new_browser: Callable[[], Browser], people: Cast, phone: Phone, clock: MovableClock
) -> None:
    new_browser().log_in(people.reader)
    browser.give_password(people.reader)
    codes = [phone.code(clock(), step) for step in (0, -1, 4, 5, -5, 6)]
    assert [browser.submit("/log-in/code", code=code).status for code in codes] == [422] * 5 + [429]


@pytest.mark.parametrize(
    ("times", "apart", "words"),
    [
        (20, timedelta(minutes=2), "Try again in 20 minutes, at 09:20 UTC."),
        (50, timedelta(minutes=28), "Try again in 40 minutes, at 09:40 UTC."),
    ],
    ids=["20 in an hour", "50 in a day"],
)
def test_slower_guessing_is_paused_for_longer(
    app: Flask,
    browser: Browser,
    people: Cast,
    phone: Phone,
    clock: MovableClock,
    times: int,
    apart: timedelta,
    words: str,
) -> None:
    count_wrong_codes(app, people.reader, clock, times, apart)
    browser.give_password(people.reader)
    assert paused(browser.submit("/log-in/code", code=phone.code(clock())), words)


def test_after_a_hundred_in_a_row_only_an_operator_helps(
    app: Flask, browser: Browser, people: Cast, phone: Phone, clock: MovableClock
) -> None:
    count_wrong_codes(app, people.reader, clock, 99, timedelta(minutes=30))
    browser.give_password(people.reader)
    assert guess(browser, people.reader, 1) == [422], "the hundredth"
    clock.advance(days=40)
    browser.give_password(people.reader)
    page = browser.submit("/log-in/code", code=phone.code(clock()))
    assert paused(page, FOR_GOOD)
    assert "Retry-After" not in page.response.headers
    with app.app_context():
        accounts.unlock(on_the_command_line(clock), people.reader.id)
    assert browser.submit("/log-in/code", code=phone.code(clock())).status == 303
    assert "account:unlocked" in [event.kind for event in stored(app, Event)]


def test_what_is_no_code_is_no_wrong_code(
    app: Flask, browser: Browser, people: Cast, phone: Phone, clock: MovableClock
) -> None:
    browser.give_password(people.reader)
    for _ in range(12):
        assert browser.submit("/log-in/code", code="1234").status == 422
    assert stored(app, Throttle, kind=Kind.CODE_OF_ACCOUNT) == []
    assert browser.submit("/log-in/code", code=phone.code(clock())).status == 303


def test_but_thirty_of_them_are_enough_for_one_login(
    app: Flask,
    browser: Browser,
    new_browser: Callable[[], Browser],
    people: Cast,
    phone: Phone,
    clock: MovableClock,
) -> None:
    browser.give_password(people.reader)
    subject = [Subject(Kind.MALFORMED_CODE, str(the_one(app, Login).id))]
    with app.app_context():
        for _ in range(29):
            with transaction() as session:
                throttles.count(session, subject, clock())
    assert browser.submit("/log-in/code", code="1234").status == 422
    page = browser.submit("/log-in/code", code="1234")
    assert page.status == 429
    assert int(page.response.headers["Retry-After"]) > 0
    other = new_browser()
    other.give_password(people.reader)
    assert other.submit("/log-in/code", code="1234").status == 422


def test_one_address_guesses_thirty_times_whoever_it_claims_to_be(
    app: Flask, new_browser: Callable[[], Browser], people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        crowd = [add_person(clock, f"reader{number}@example.org", "One of many", "reader") for number in range(7)]
        for person in crowd:
            give_app(person, clock)
    browsers = [new_browser() for _ in crowd]
    for person, browser in zip(crowd, browsers, strict=True):
        assert browser.give_password(person).location == "/log-in/code"
    for person, browser in zip(crowd[:6], browsers, strict=False):
        assert guess(browser, person, 5) == [422] * 5
    last, phone = browsers[6], crowd[6].phone
    assert phone is not None
    assert last.submit("/log-in/code", code=phone.code(clock())).status == 429
    last.address = "198.51.100.20"
    assert last.submit("/log-in/code", code=phone.code(clock())).status == 303


def test_those_who_get_it_right_use_up_nobodys_budget(
    app: Flask, new_browser: Callable[[], Browser], people: Cast, phone: Phone, clock: MovableClock
) -> None:
    """Forty people behind one address log in within minutes."""
    for _ in range(8):
        assert new_browser().log_in(people.reader).status == 303
        clock.advance(seconds=30)
    assert stored(app, Throttle, kind=Kind.CODE_FROM_ADDRESS) == []
