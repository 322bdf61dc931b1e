"""The page of one's live logins: what it shows, what its buttons end, and that nobody else's can be reached."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from mfaportal.models import EventKind, Login
from mfaportal.plumbing.browsers import in_words
from mfaportal.rules.mfa_rule import MfaRule
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.people import Cast, give_app, set_rule
from tests.stored import stored

PAGE = "/account/security/logins"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile/15E148 Safari/604.1"
NewBrowser = Callable[[], Browser]


def end(browser: Browser, **fields: str) -> Page:
    return browser.open("POST", PAGE, data={"csrf_token": browser.csrf("/account"), **fields})


def listed(page: Page) -> list[str]:
    return [form.fields["login"] for form in page.forms if "login" in form.fields]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (PHONE, "Mobile Safari on iOS"),
        ("Lynx/2.9", "Lynx"),
        ("", "A browser"),
        ("a" * 100_000, "A browser"),
        ("\ud800 \u202e<script>", "A browser"),
    ],
)
def test_a_browser_in_words(header: str, words: str) -> None:
    assert in_words(header) == words


def test_every_browser_that_is_logged_in_is_shown_and_no_other(
    app: Flask, browser: Browser, new_browser: NewBrowser, people: Cast, clock: MovableClock
) -> None:
    """Not what ended, not what is too old or was too long unused, not what is half done for too long."""
    with app.app_context():
        phone = give_app(people.reader, clock)
    for _ in range(6):
        new_browser().give_password(people.reader)
    browser.address = "203.0.113.9"
    browser.log_in(people.reader)
    new_browser().log_in(people.editor)
    now = clock()
    facts: list[dict[str, Any]] = [
        {"second_factor_at": now, "browser": FIREFOX, "last_seen_at": now - timedelta(hours=1)},
        {"second_factor_at": now, "ended_at": now},
        {"second_factor_at": now, "password_at": now - timedelta(hours=24, seconds=1)},
        {"second_factor_at": now, "last_seen_at": now - timedelta(hours=12, seconds=1)},
        {"password_at": now - timedelta(minutes=10, seconds=1)},
        {},
    ]
    for number, values in enumerate(facts, 1):
        if values:
            rows.put(app, update(Login).where(Login.id == number).values(**values))
    page = browser.get(PAGE)
    assert listed(page) == ["7", "6", "1"], "the one used last first"
    assert "203.0.113.9 today, 09:00 UTC just now" in page.text
    assert page.html.count("this browser</span>") == 1
    assert "Firefox on Linux 192.0.2.7 today, 09:00 UTC 60 minutes ago" in page.text
    assert page.text.count("only the password so far") == 1
    assert phone.code(clock()) not in page.html


def test_one_in_the_middle_of_set_up_is_listed_while_it_lives(
    app: Flask, browser: Browser, new_browser: NewBrowser, people: Cast, clock: MovableClock
) -> None:
    browser.log_in(people.reader)
    clock.advance(seconds=1)
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock)
    assert new_browser().give_password(people.reader).location == "/log-in/set-up"
    assert listed(browser.get(PAGE)) == ["2", "1"]
    clock.advance(minutes=30, seconds=1)
    assert listed(browser.get(PAGE)) == ["1"]


def test_one_other_browser_is_logged_out(app: Flask, browser: Browser, new_browser: NewBrowser, people: Cast) -> None:
    other, third = new_browser(), new_browser()
    for each in (browser, other, third):
        each.log_in(people.reader)
    page = browser.submit(PAGE, button="Log out this browser", login="2")
    assert (page.status, page.location) == (303, PAGE)
    assert "That browser is logged out." in browser.get(PAGE).text
    assert other.get("/account").location == "/log-in?next=/account"
    assert third.get("/account").status == 200
    (event,) = rows.events(app, EventKind.LOGIN_ENDED)
    assert (event.account_id, event.details) == (people.reader.id, {"login": 2})
    assert end(browser, login="2").location == PAGE, "a button that is pressed twice"
    assert len(rows.events(app, EventKind.LOGIN_ENDED)) == 1


def test_ones_own_row_is_a_log_out(app: Flask, browser: Browser, people: Cast) -> None:
    browser.log_in(people.reader)
    page = browser.submit(PAGE, button="Log out this browser")
    assert (page.status, page.location) == (303, "/log-in")
    assert page.response.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert "You are logged out." in browser.get("/log-in").text
    assert stored(app, Login)[0].ended_at is not None


def test_all_others_are_logged_out_at_once(
    app: Flask, browser: Browser, new_browser: NewBrowser, people: Cast
) -> None:
    browser.log_in(people.reader)
    assert "Log out all others" not in browser.get(PAGE).text
    others = [new_browser(), new_browser()]
    for each in others:
        each.log_in(people.reader)
    editor = new_browser()
    editor.log_in(people.editor)
    page = browser.submit(PAGE, button="Log out all others")
    assert (page.status, page.location) == (303, PAGE)
    assert "2 other browsers were logged out." in browser.get(PAGE).text
    assert {each.get("/account").status for each in others} == {303}
    assert (browser.get("/account").status, editor.get("/account").status) == (200, 200)
    (event,) = rows.events(app, EventKind.LOGINS_ENDED)
    assert (event.account_id, event.details) == (people.reader.id, {"logins": 2})


def test_other_peoples_logins_are_nobodys(
    app: Flask, browser: Browser, new_browser: NewBrowser, people: Cast
) -> None:
    victim = new_browser()
    victim.log_in(people.operator)
    browser.log_in(people.reader)
    answers = [end(browser, login=number) for number in ("1", "99", "9" * 18)]
    assert {answer.status for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    for nonsense in ("0", "-1", "1e3", "\uff11", "9" * 19, ""):
        page = end(browser, login=nonsense)
        assert (page.status, "Choose a browser from the list." in page.text) == (422, True), nonsense
    assert victim.get("/account").status == 200
    assert rows.events(app, EventKind.LOGIN_ENDED) == []


def test_a_list_may_be_read_and_its_buttons_ask_for_step_up(
    app: Flask, browser: Browser, new_browser: NewBrowser, people: Cast, clock: MovableClock
) -> None:
    new_browser().log_in(people.reader)
    browser.log_in(people.reader)
    clock.advance(minutes=10, seconds=1)
    assert browser.get(PAGE).status == 200
    for fields in ({"login": "1"}, {"others": "1"}):
        page = end(browser, **fields)
        assert (page.status, page.location) == (303, f"/confirm?next={PAGE}")
    assert [login.ended_at for login in stored(app, Login)] == [None, None]
    browser.submit(f"/confirm?next={PAGE}", password=people.reader.password)
    assert end(browser, login="1").location == PAGE
    assert stored(app, Login)[0].ended_at == clock()
