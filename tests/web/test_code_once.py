"""Each code once: steps of an app only rise, wherever its codes are asked for."""

from collections.abc import Callable

import pytest
from flask import Flask

from mfaportal.models import Authenticator, Event
from mfaportal.rules.mfa_rule import MfaRule
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.people import Cast, Person, give_app, set_rule
from tests.phone import Phone
from tests.stored import stored, the_one

USED = "This code was already used. Wait for the next one."
CONFIRM = "/confirm?next=/account/security"


@pytest.fixture
def phone(app: Flask, people: Cast, clock: MovableClock) -> Phone:
    """The reader's only app."""
    with app.app_context():
        return give_app(people.reader, clock)


@pytest.fixture
def half(new_browser: Callable[[], Browser], people: Cast) -> Callable[[], Browser]:
    """Further browsers in which the reader has given the password."""

    def begin() -> Browser:
        browser = new_browser()
        browser.give_password(people.reader)
        return browser

    return begin


def is_used(page: Page) -> bool:
    return page.status == 422 and USED in page.text


def set_up(browser: Browser, person: Person, clock: MovableClock) -> Phone:
    """Set up an app at log-in, as a rule demands."""
    browser.give_password(person)
    page = browser.get("/log-in/set-up")
    phone = Phone(page.html.partition('class="key">')[2].partition("<")[0])
    assert browser.send(page, code=phone.code(clock()), name="My phone").status == 303
    return phone


def test_a_code_works_only_once(
    app: Flask, half: Callable[[], Browser], people: Cast, phone: Phone, clock: MovableClock
) -> None:
    code = phone.code(clock())
    first, second = half(), half()
    assert first.submit("/log-in/code", code=code).status == 303
    page = second.submit("/log-in/code", code=code)
    assert is_used(page)
    assert code not in page.html
    event = stored(app, Event)[-1]
    assert (event.kind, event.account_id, event.details) == ("code:reused", people.reader.id, {"at": "log-in"})
    assert second.get("/account").location == "/log-in/code"
    clock.advance(seconds=30)
    assert second.submit("/log-in/code", code=phone.code(clock())).status == 303


def test_it_is_still_used_one_step_later(half: Callable[[], Browser], phone: Phone, clock: MovableClock) -> None:
    code = phone.code(clock())
    half().submit("/log-in/code", code=code)
    clock.advance(seconds=30)
    assert is_used(half().submit("/log-in/code", code=code))


def test_a_code_typed_again_minutes_later_is_called_used_and_no_clock_is_blamed(
    half: Callable[[], Browser], phone: Phone, clock: MovableClock
) -> None:
    code = phone.code(clock())
    half().submit("/log-in/code", code=code)
    clock.advance(minutes=3)
    assert is_used(half().submit("/log-in/code", code=code))


def test_an_older_code_than_one_used_is_used_too(
    app: Flask, half: Callable[[], Browser], phone: Phone, clock: MovableClock
) -> None:
    half().submit("/log-in/code", code=phone.code(clock(), 1))
    for step in (0, -1):
        assert is_used(half().submit("/log-in/code", code=phone.code(clock(), step)))
    assert the_one(app, Authenticator).last_step == int(clock().timestamp()) // 30 + 1


def test_a_code_used_at_log_in_does_not_confirm(
    browser: Browser, people: Cast, phone: Phone, clock: MovableClock
) -> None:
    browser.log_in(people.reader)
    assert is_used(browser.submit(CONFIRM, code=phone.code(clock())))
    clock.advance(seconds=30)
    assert browser.submit(CONFIRM, code=phone.code(clock())).status == 303


def test_a_code_that_confirmed_does_not_log_in(
    browser: Browser, half: Callable[[], Browser], people: Cast, phone: Phone, clock: MovableClock
) -> None:
    browser.log_in(people.reader)
    clock.advance(minutes=5)
    code = phone.code(clock())
    assert browser.submit(CONFIRM, code=code).status == 303
    assert is_used(half().submit("/log-in/code", code=code))


def test_the_code_that_finished_a_set_up_neither_logs_in_nor_confirms(
    app: Flask, browser: Browser, half: Callable[[], Browser], people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock)
    phone = set_up(browser, people.reader, clock)
    code = phone.code(clock())
    assert is_used(browser.submit(CONFIRM, code=code))
    assert is_used(half().submit("/log-in/code", code=code))
    clock.advance(seconds=30)
    assert half().submit("/log-in/code", code=phone.code(clock())).status == 303


def test_of_two_apps_each_has_its_own_steps(
    app: Flask, half: Callable[[], Browser], people: Cast, phone: Phone, clock: MovableClock
) -> None:
    with app.app_context():
        tablet = give_app(people.reader, clock, "Tablet")
    assert half().submit("/log-in/code", code=phone.code(clock(), 1)).status == 303
    assert half().submit("/log-in/code", code=tablet.code(clock(), -1)).status == 303
    assert is_used(half().submit("/log-in/code", code=tablet.code(clock(), -1)))
    assert is_used(half().submit("/log-in/code", code=phone.code(clock())))
    assert half().submit("/log-in/code", code=tablet.code(clock())).status == 303
    here = int(clock().timestamp()) // 30
    assert [row.last_step for row in stored(app, Authenticator)] == [here + 1, here]


def test_a_code_explained_by_a_fast_clock_does_not_work_at_its_own_time(
    app: Flask, half: Callable[[], Browser], phone: Phone, clock: MovableClock
) -> None:
    """Who guesses would otherwise be told "right, in three minutes"."""
    code = phone.code(clock(), 6)
    assert "3 minutes fast" in half().submit("/log-in/code", code=code).text
    assert the_one(app, Authenticator).burned_step == int(clock().timestamp()) // 30 + 6
    clock.advance(minutes=3)
    assert is_used(half().submit("/log-in/code", code=code))
    assert half().submit("/log-in/code", code=phone.code(clock(), -1)).status == 303, "those beside it do"


def test_a_slow_clock_explained_in_between_does_not_give_it_back(
    half: Callable[[], Browser], phone: Phone, clock: MovableClock
) -> None:
    code = phone.code(clock(), 6)
    half().submit("/log-in/code", code=code)
    assert "slow" in half().submit("/log-in/code", code=phone.code(clock(), -6)).text
    clock.advance(minutes=3)
    assert is_used(half().submit("/log-in/code", code=code))


def test_a_clock_put_back_makes_no_used_code_good_again(
    half: Callable[[], Browser], phone: Phone, clock: MovableClock
) -> None:
    code = phone.code(clock())
    half().submit("/log-in/code", code=code)
    clock.advance(seconds=60)
    half().submit("/log-in/code", code=phone.code(clock()))
    clock.advance(seconds=-60)
    assert is_used(half().submit("/log-in/code", code=code))
