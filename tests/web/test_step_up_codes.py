from collections.abc import Callable

import pytest
from flask import Flask

from mfaportal.models import EventKind
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.looking import Seen
from tests.people import Cast, Person, give_app

WRONG = "This code is wrong."


@pytest.fixture
def operator(browser: Browser, app: Flask, people: Cast, clock: MovableClock) -> Person:
    """The operator, who has an app and has just logged in."""
    with app.app_context():
        give_app(people.operator, clock)
    browser.log_in(people.operator)
    return people.operator


def code_of(person: Person, clock: MovableClock) -> str:
    assert person.phone is not None
    return person.phone.code(clock())


def test_the_code_of_the_log_in_does_not_confirm_and_the_other_way_round(
    browser: Browser, new_browser: Callable[[], Browser], app: Flask, clock: MovableClock, operator: Person
) -> None:
    again = browser.submit("/confirm", code=code_of(operator, clock))
    assert again.status == 422
    assert "already used. Wait for the next one." in Seen(again).error_of("One-time code")
    (event,) = rows.events(app, EventKind.CODE_REUSED)
    assert (event.account_id, event.details["at"]) == (operator.id, "step-up")
    clock.advance(seconds=30)
    assert browser.submit("/confirm", code=code_of(operator, clock)).status == 303
    elsewhere = new_browser()
    elsewhere.give_password(operator)
    refused = elsewhere.submit("/log-in/code", code=code_of(operator, clock))
    assert refused.status == 422
    assert "already used. Wait for the next one." in refused.text
    (used,) = rows.apps(app, operator)
    assert used.last_step == int(clock().timestamp()) // 30


def test_an_older_code_than_the_last_one_taken_is_refused(
    browser: Browser, clock: MovableClock, operator: Person
) -> None:
    assert operator.phone is not None
    assert browser.submit("/confirm", code=operator.phone.code(clock(), -1)).status == 422
    assert browser.submit("/confirm", code=operator.phone.code(clock(), +1)).status == 303


@pytest.mark.parametrize(
    "typed",
    [
        "12345",
        "1234567",
        "12 34 5",
        "abcdef",
        "\uff11\uff12\uff13\uff14\uff15\uff16",
        "\u0661\u0662\u0663\u0664\u0665\u0666",
        "-12345",
        "1e5000",
    ],
)
def test_what_is_no_code_is_a_form_error_and_no_wrong_code(
    browser: Browser, app: Flask, operator: Person, typed: str
) -> None:
    page = browser.submit("/confirm", code=typed)
    assert page.status == 422
    assert "Enter the six digits that your app shows." in Seen(page).error_of("One-time code")
    assert rows.events(app, EventKind.CODE_WRONG) == []


def test_spaces_in_a_code_do_no_harm(browser: Browser, clock: MovableClock, operator: Person) -> None:
    clock.advance(minutes=11)
    code = code_of(operator, clock)
    assert browser.submit("/confirm", code=f" {code[:3]} {code[3:]} ").status == 303


def test_five_wrong_codes_pause_step_up_and_say_until_when(
    browser: Browser, app: Flask, clock: MovableClock, operator: Person
) -> None:
    assert operator.phone is not None
    for _ in range(5):
        assert WRONG in browser.submit("/confirm", code=operator.phone.wrong_code(clock())).text
    clock.advance(minutes=1)
    page = browser.submit("/confirm", code=code_of(operator, clock))
    assert page.status == 429
    assert page.response.headers["Retry-After"] in ("240", "241")
    assert "Too many wrong codes. Try again in 4 minutes, at 09:05 UTC." in Seen(page).error_of("One-time code")
    assert browser.get("/account").status == 200
    clock.advance(minutes=4)
    assert browser.submit("/confirm", code=code_of(operator, clock)).status == 303


def test_a_right_code_forgets_the_wrong_ones_before(browser: Browser, clock: MovableClock, operator: Person) -> None:
    assert operator.phone is not None
    for _ in range(3):
        for _ in range(4):
            assert browser.submit("/confirm", code=operator.phone.wrong_code(clock())).status == 422
        clock.advance(seconds=30)
        assert browser.submit("/confirm", code=code_of(operator, clock)).status == 303


def test_wrong_passwords_pause_step_up_too(browser: Browser, people: Cast, clock: MovableClock) -> None:
    browser.log_in(people.admin)
    for _ in range(5):
        assert browser.submit("/confirm", password="not this one at all").status == 422
    page = browser.submit("/confirm", password=people.admin.password)
    assert page.status == 429
    assert "Too many attempts." in Seen(page).error_of("Password")
    clock.advance(minutes=5)
    assert browser.submit("/confirm", password=people.admin.password).status == 303


def test_wrong_codes_at_the_log_in_do_not_keep_the_owner_from_confirming(
    browser: Browser, new_browser: Callable[[], Browser], clock: MovableClock, operator: Person
) -> None:
    assert operator.phone is not None
    thief = new_browser()
    thief.address = "198.51.100.66"
    thief.give_password(operator)
    for _ in range(5):
        thief.submit("/log-in/code", code=operator.phone.wrong_code(clock()))
    assert thief.submit("/log-in/code", code=operator.phone.wrong_code(clock())).status == 429
    clock.advance(seconds=30)
    assert browser.submit("/confirm", code=code_of(operator, clock)).status == 303


def test_wrong_codes_at_step_up_pause_neither_the_log_in_nor_other_logins(
    browser: Browser, new_browser: Callable[[], Browser], clock: MovableClock, operator: Person
) -> None:
    assert operator.phone is not None
    for _ in range(5):
        browser.submit("/confirm", code=operator.phone.wrong_code(clock()))
    assert browser.submit("/confirm", code=operator.phone.wrong_code(clock())).status == 429
    elsewhere = new_browser()
    clock.advance(seconds=30)
    elsewhere.log_in(operator)
    clock.advance(seconds=30)
    assert elsewhere.submit("/confirm", code=code_of(operator, clock)).status == 303
    assert browser.submit("/confirm", code=code_of(operator, clock)).status == 429
