"""What the owner hears of log-ins: from a browser not seen before, of wrong codes; and what a mark is worth."""

from collections.abc import Callable

import pytest
from flask import Flask

from mfaportal.models import EventKind
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.cookies import DEVICE, cookie_of, with_cookie
from tests.links import NEW, reset
from tests.mailing import mails
from tests.people import Cast, Person, give_app

NewBrowser = Callable[[], Browser]
GUESS = "not the password"


def told(app: Flask) -> list[str]:
    return [mail.recipient for mail in mails(app, "new-browser")]


@pytest.fixture
def reader(app: Flask, people: Cast, clock: MovableClock) -> Person:
    """With an app and recovery codes."""
    with app.app_context():
        give_app(people.reader, clock, codes=True)
    return people.reader


def test_a_log_in_from_a_browser_not_seen_before_is_told(
    app: Flask, browser: Browser, new_browser: NewBrowser, people: Cast
) -> None:
    """Not the first one ever, and not again from the same browser."""
    browser.log_in(people.reader)
    browser.log_out()
    browser.log_in(people.reader)
    assert told(app) == []
    other = new_browser()
    other.address = "203.0.113.9"
    other.log_in(people.editor)
    assert told(app) == [], "each account has a first time"
    other.log_out()
    other.log_in(people.reader)
    (mail,) = mails(app, "new-browser")
    assert (mail.recipient, mail.facts["address"]) == (people.reader.email, "203.0.113.9")
    other.log_out()
    other.log_in(people.reader)
    assert len(told(app)) == 1


def test_it_is_told_once_the_log_in_is_whole(
    app: Flask, browser: Browser, new_browser: NewBrowser, reader: Person, clock: MovableClock
) -> None:
    browser.log_in(reader)
    other, third = new_browser(), new_browser()
    other.give_password(reader)
    assert told(app) == []
    clock.advance(minutes=1)
    assert reader.phone is not None
    other.submit("/log-in/code", code=reader.phone.code(clock()))
    assert told(app) == [reader.email]
    clock.advance(hours=1)
    third.give_password(reader)
    third.submit("/log-in/recovery", code=reader.codes[0])
    assert told(app) == [reader.email] * 2
    for known in (browser, other, third):
        clock.advance(minutes=1)
        known.log_out()
        known.log_in(reader)
    assert told(app) == [reader.email] * 2


def test_a_mark_dies_with_the_password(
    app: Flask,
    browser: Browser,
    new_browser: NewBrowser,
    people: Cast,
    reset_link: Callable[[Person], str],
    clock: MovableClock,
) -> None:
    """But in the browser in which the owner chose the new one."""
    other = new_browser()
    for each in (browser, other):
        each.log_in(people.reader)
    old = cookie_of(other, DEVICE)
    clock.advance(hours=1)
    browser.submit("/confirm?next=/account", password=people.reader.password)
    browser.submit("/account/security/password", current_password=people.reader.password, password=NEW)
    changed = Person(people.reader.id, people.reader.email, "", password=NEW)
    before = len(told(app))
    browser.log_out()
    browser.log_in(changed)
    assert len(told(app)) == before
    with_cookie(other, old, DEVICE).log_in(changed)
    assert len(told(app)) == before + 1
    reset(new_browser(), reset_link(people.reader), "ten kettles in the cellar")
    clock.advance(hours=1)
    browser.give_password(changed, password="ten kettles in the cellar")
    assert len(told(app)) == before + 2


def test_a_dead_mark_has_no_budget_of_its_own(
    browser: Browser, new_browser: NewBrowser, people: Cast, reset_link: Callable[[Person], str]
) -> None:
    """A stolen one would give a hundred more guesses a day at the new password."""
    browser.log_in(people.reader)
    stolen = cookie_of(browser, DEVICE)
    reset(new_browser(), reset_link(people.reader))
    thief = with_cookie(new_browser(), stolen, DEVICE)
    for _ in range(5):
        assert thief.give_password(people.reader, password=GUESS).status == 422
    assert thief.give_password(people.reader, password=GUESS).status == 429
    assert new_browser().give_password(people.reader, password=GUESS).status == 429, "the address is the strangers'"


def test_all_known_browsers_of_an_account_share_one_budget(new_browser: NewBrowser, people: Cast) -> None:
    """Else each log-in of a thief would bring five more guesses at a time."""
    known = [new_browser() for _ in range(3)]
    for each in known:
        each.log_in(people.reader)
        each.log_out()
    statuses = [known[number % 3].give_password(people.reader, password=GUESS).status for number in range(6)]
    assert statuses == [422] * 5 + [429]
    stranger = new_browser()
    assert stranger.give_password(people.reader).status == 303


@pytest.mark.parametrize("page", ["/log-in/code", "/log-in/recovery"])
def test_the_code_that_pauses_an_account_is_told_to_its_owner_once_a_pause(
    app: Flask, new_browser: NewBrowser, reader: Person, clock: MovableClock, page: str
) -> None:
    assert reader.phone is not None
    wrong = reader.phone.wrong_code(clock()) if page.endswith("code") else "AAAA-BBBB-CCCC-DDDD"
    thief = new_browser()
    thief.address = "203.0.113.9"
    thief.give_password(reader)
    statuses = [thief.submit(page, code=wrong).status for _ in range(4)]
    assert (statuses, mails(app, "wrong-codes")) == ([422] * 4, [])
    statuses = [thief.submit(page, code=wrong).status for _ in range(3)]
    assert statuses == [422, 429, 429]
    (mail,) = mails(app, "wrong-codes")
    assert (mail.recipient, mail.facts["address"]) == (reader.email, "203.0.113.9")
    (event,) = rows.events(app, EventKind.ATTEMPTS_PAUSED)
    assert (event.account_id, event.details) == (reader.id, {"what": "code"})
    clock.advance(minutes=5)
    again = new_browser()
    again.give_password(reader)
    for _ in range(5):
        again.submit(page, code=wrong)
    assert len(mails(app, "wrong-codes")) == 2


def test_the_owner_hears_of_wrong_codes_at_the_next_log_in(
    app: Flask, browser: Browser, new_browser: NewBrowser, reader: Person, clock: MovableClock
) -> None:
    assert reader.phone is not None
    thief = new_browser()
    thief.give_password(reader)
    for _ in range(4):
        thief.submit("/log-in/code", code=reader.phone.wrong_code(clock()))
    browser.log_in(reader)
    words = "4 wrong codes were entered for your account since your last log-in."
    assert words in browser.get("/").text
    browser.log_out()
    clock.advance(minutes=1)
    browser.give_password(reader)
    for _ in range(2):
        browser.submit("/log-in/code", code=reader.phone.wrong_code(clock()))
    browser.submit("/log-in/code", code=reader.phone.code(clock()))
    assert "wrong codes" not in browser.get("/").text, "one's own slips"
