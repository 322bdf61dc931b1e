from collections.abc import Callable

from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.people import Cast, give_app


def test_the_right_password_opens_the_portal(browser: Browser, people: Cast) -> None:
    page = browser.log_in(people.reader)
    assert page.location == "/"
    assert "City data" in browser.get("/").text


def test_with_an_app_a_code_is_asked_for_and_nothing_else_opens(
    browser: Browser, people: Cast, clock: MovableClock
) -> None:
    with browser.client.application.app_context():
        phone = give_app(people.reader, clock)
    assert browser.give_password(people.reader).location == "/log-in/code"
    assert browser.get("/account").location == "/log-in/code"
    page = browser.submit("/log-in/code", code=phone.code(clock()))
    assert (page.status, page.location) == (303, "/")
    assert browser.get("/account").status == 200


def test_a_code_works_only_once(
    browser: Browser, new_browser: Callable[[], Browser], people: Cast, clock: MovableClock
) -> None:
    with browser.client.application.app_context():
        phone = give_app(people.reader, clock)
    browser.log_in(people.reader)
    other = new_browser()
    other.give_password(people.reader)
    page = other.submit("/log-in/code", code=phone.code(clock()))
    assert page.status == 422
    assert "already used. Wait for the next one." in page.text
