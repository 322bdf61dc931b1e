"""Every limit on passwords, through the log-in form. The numbers are the design's, written out."""

from collections.abc import Callable

import pytest

from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.guesser import DAY, MINUTE, NETWORKS, is_paused
from tests.people import Cast, Person


def _wrong_passwords(browser: Browser, email: str, times: int) -> None:
    for number in range(times):
        page = browser.submit("/log-in", email=email, password="not the password")
        assert page.status == 422, f"wrong password {number + 1}: {page.text}"


@pytest.mark.parametrize(("addresses", "elsewhere"), NETWORKS)
@pytest.mark.parametrize("email", ["reader@example.org", "nobody@example.org"])
def test_five_wrong_passwords_in_five_minutes_pause_an_account_for_that_address(
    browser: Browser, people: Cast, clock: MovableClock, addresses: list[str], elsewhere: str, email: str
) -> None:
    person = Person(0, email, "")
    for number in range(5):
        browser.address = addresses[number % len(addresses)]
        _wrong_passwords(browser, [email, email.upper(), f" {email} "][number % 3], 1)
        clock.advance(minutes=1)
    clock.advance(seconds=-20)
    assert is_paused(browser.give_password(person), 20)
    assert browser.give_password(people.editor).location == "/"
    browser.log_out()
    browser.address = elsewhere
    assert browser.give_password(person).status == (303 if email == people.reader.email else 422)


def test_right_passwords_use_up_nothing(new_browser: Callable[[], Browser], people: Cast) -> None:
    for _ in range(8):
        new_browser().log_in(people.reader)


@pytest.mark.slow
def test_a_hundred_wrong_passwords_a_day_pause_an_account_for_browsers_that_never_logged_in_to_it(
    new_browser: Callable[[], Browser], people: Cast, clock: MovableClock
) -> None:
    known, known_to_another = new_browser(), new_browser()
    for browser, person in ((known, people.reader), (known_to_another, people.editor)):
        browser.log_in(person)
        browser.log_out()
    for number in range(20):
        browser = new_browser()
        browser.address = f"198.51.100.{number}"
        _wrong_passwords(browser, people.reader.email, 5)
    unknown = new_browser()
    unknown.address = "203.0.113.1"
    assert is_paused(unknown.give_password(people.reader), DAY)
    assert known_to_another.give_password(people.reader).status == 429
    assert known.give_password(people.reader).location == "/"
    clock.advance(days=1)
    assert unknown.give_password(people.reader).location == "/"


def test_a_known_browser_has_a_budget_of_its_own(
    new_browser: Callable[[], Browser], people: Cast, clock: MovableClock
) -> None:
    known, unknown = new_browser(), new_browser()
    known.log_in(people.reader)
    known.log_out()
    _wrong_passwords(known, people.reader.email, 5)
    assert is_paused(known.give_password(people.reader), 5 * MINUTE)
    assert unknown.give_password(people.reader).location == "/"


@pytest.mark.parametrize(("addresses", "elsewhere"), NETWORKS)
def test_fifty_wrong_passwords_in_five_minutes_pause_an_address_for_whatever_account(
    browser: Browser, people: Cast, addresses: list[str], elsewhere: str
) -> None:
    for number in range(50):
        browser.address = addresses[number % len(addresses)]
        _wrong_passwords(browser, f"nobody{number}@example.org", 1)
    assert is_paused(browser.give_password(people.reader), 5 * MINUTE)
    browser.address = elsewhere
    assert browser.give_password(people.reader).location == "/"


def test_behind_an_undeclared_proxy_nothing_counts_by_address(browser: Browser, people: Cast) -> None:
    browser.address = "127.0.0.1"
    form = browser.get("/log-in").form()
    for _ in range(7):
        data = {**form.fields, "email": people.reader.email, "password": "not the password"}
        page = browser.open("POST", "/log-in", data=data, headers={"X-Forwarded-For": "192.0.2.7"})
        assert page.status == 422
