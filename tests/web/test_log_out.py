"""Log out: a POST, from every stage, after which nothing that the browser kept is worth anything."""

from collections.abc import Callable

import pytest
from flask import Flask

from mfaportal.models import Event, Login
from mfaportal.rules.mfa_rule import MfaRule
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.people import Cast, give_app, set_rule
from tests.stored import HOST, cookie_name, cookie_of, plant_cookie, session_of, stored, the_one, token_of

CLEARED = '"cache", "storage"'


def test_it_ends_the_login_and_leaves_nothing_behind(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    browser.log_in(people.reader)
    clock.advance(minutes=5)
    page = browser.log_out()
    assert (page.status, page.location) == (303, "/log-in")
    assert page.response.headers["Clear-Site-Data"] == CLEARED
    login = the_one(app, Login)
    assert login.ended_at == clock()
    assert token_of(browser) == ""
    assert set(session_of(browser)) == {"_flashes"}, "neither token nor CSRF value nor wanted page"
    assert "You are logged out." in browser.get("/log-in").text
    assert browser.get("/account").location == "/log-in?next=/account"
    event = stored(app, Event)[-1]
    assert (event.kind, event.actor_id, event.account_id) == ("login:ended", people.reader.id, people.reader.id)


def test_a_cookie_saved_before_is_worth_nothing_after(
    browser: Browser, new_browser: Callable[[], Browser], people: Cast
) -> None:
    browser.log_in(people.reader)
    thief = new_browser()
    plant_cookie(thief, cookie_of(browser))
    assert thief.get("/account").status == 200, "so this is the right cookie"
    browser.log_out()
    for path in ("/account", "/account/security/methods", "/"):
        assert thief.get(path).location.startswith("/log-in")
    assert thief.open("POST", "/account", data={"name": "Thief"}).status == 303


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_link_logs_nobody_out(app: Flask, browser: Browser, people: Cast, method: str) -> None:
    browser.log_in(people.reader)
    page = browser.open(method, "/log-out")
    assert page.status == 405
    assert "POST" in page.response.headers["Allow"]
    assert "Clear-Site-Data" not in page.response.headers
    assert the_one(app, Login).ended_at is None
    assert browser.get("/account").status == 200


def test_another_site_logs_nobody_out(app: Flask, browser: Browser, people: Cast) -> None:
    browser.log_in(people.reader)
    for fields in ({}, {"csrf_token": ""}, {"csrf_token": "x" * 91}):
        assert browser.open("POST", "/log-out", data=fields).status == 400
    assert the_one(app, Login).ended_at is None


def test_somebody_half_logged_in_finds_the_button_too(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        give_app(people.reader, clock)
        set_rule(MfaRule.EVERYONE, clock)
    for person, page in ((people.reader, "/log-in/code"), (people.editor, "/log-in/set-up")):
        assert browser.give_password(person).location == page
        answer = browser.submit(page, button="Log out")
        assert (answer.status, answer.location) == (303, "/log-in")
        assert answer.response.headers["Clear-Site-Data"] == CLEARED
        assert browser.get(page).location.startswith("/log-in")
    assert all(login.ended_at == clock() for login in stored(app, Login))
    assert [login.pending_secret for login in stored(app, Login)] == [None, None], "a set-up begun is thrown away"


def test_it_ends_this_browsers_login_only(
    app: Flask, browser: Browser, new_browser: Callable[[], Browser], people: Cast
) -> None:
    other = new_browser()
    other.log_in(people.reader)
    browser.log_in(people.reader)
    browser.log_out()
    assert other.get("/account").status == 200
    assert [login.ended_at is None for login in stored(app, Login)] == [True, False]


def test_who_is_not_logged_in_is_shown_the_log_in(app: Flask, browser: Browser, people: Cast) -> None:
    csrf = browser.csrf()
    page = browser.open("POST", "/log-out", data={"csrf_token": csrf})
    assert (page.status, page.location) == (303, "/log-in")
    assert stored(app, Event, kind="login:ended") == []


def test_the_browser_is_still_known_to_the_throttles(browser: Browser, people: Cast) -> None:
    """The device cookie proves nothing but that a log-in was completed here once."""
    browser.log_in(people.reader)
    browser.log_out()
    device = browser.client.get_cookie(cookie_name(browser).replace("mfaportal", "mfaportal-device"), domain=HOST)
    assert device is not None
    assert device.http_only
    assert people.reader.email not in device.value
