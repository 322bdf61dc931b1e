from collections.abc import Callable

import pytest
from flask import Flask

from mfaportal.models import EventKind
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.looking import Seen
from tests.offer import CODES, Offer
from tests.people import Cast, give_app
from tests.phone import Phone

ADD = "/account/security/methods/add"
OTHERS = "Also log out my other browsers"


@pytest.fixture
def reader(browser: Browser, app: Flask, people: Cast, clock: MovableClock) -> Browser:
    """The browser of the reader, who has an app already and has just logged in."""
    with app.app_context():
        give_app(people.reader, clock)
    browser.log_in(people.reader)
    return browser


def add(browser: Browser, clock: MovableClock, name: str) -> Phone:
    """Add an app through the page, and have it."""
    page = browser.get(ADD)
    phone = Offer(page).phone
    answer = browser.send(page, code=phone.code(clock()), name=name)
    assert answer.status == 303, answer.text
    return phone


def test_the_first_app_is_set_up_from_the_security_tab(
    browser: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast, clock: MovableClock
) -> None:
    elsewhere = new_browser()
    elsewhere.log_in(people.reader)
    browser.log_in(people.reader)
    page = browser.get(Seen(browser.get("/account/security")).links["Set up"])
    seen = Seen(page)
    assert seen.title.startswith("Set up multi-factor authentication ")
    assert seen.h1 in ("Set up multi-factor authentication", "Set up multi\u2011factor authentication")
    assert seen.boxes == {}
    people.reader.phone = phone = Offer(page).phone
    answer = browser.send(page, code=phone.code(clock()), name="My phone")
    assert (answer.status, answer.location) == (303, f"{CODES}?next=/account/security")
    assert Seen(browser.get(answer.location)).messages == [
        "Your app is set up. You will be asked for a code at each log-in."
    ]
    assert "My phone" in Seen(browser.get("/account/security")).main
    (row,) = rows.apps(app, people.reader)
    assert (row.name, row.added_at, row.last_used_at) == ("My phone", clock(), None)
    (event,) = rows.events(app, EventKind.AUTHENTICATOR_ADDED)
    assert (event.account_id, event.details["first"]) == (people.reader.id, True)
    assert elsewhere.get("/account").location == "/log-in?next=/account"
    assert len(rows.live_logins(app, people.reader)) == 1
    browser.log_out()
    clock.advance(seconds=30)
    assert browser.give_password(people.reader).location == "/log-in/code"


def test_the_page_for_a_further_app_shows_all_ways_to_take_the_key(
    reader: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    page = reader.get(ADD)
    seen = Seen(page)
    assert seen.title.startswith("Add app ")
    assert seen.h1 == "Add app"
    assert "Use setup key" in seen.main
    assert seen.buttons == ["Submit", "Cancel"]
    assert seen.field("One-time code")["inputmode"] == "numeric"
    assert seen.field("Name")["value"] == ""
    key = Offer(page).key
    (drawing,) = [node for node in seen.nodes if node["role"] == "img"]
    assert drawing["aria-label"]
    assert key not in drawing["aria-label"]
    links = [href for href in seen.links.values() if href.startswith("otpauth://totp/")]
    assert len(links) == 1
    assert f"secret={key}" in links[0]
    assert page.html.count(key) == 1
    assert page.response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("ticked", [True, False])
def test_logging_out_the_other_browsers_is_offered_ticked_and_obeyed(
    browser: Browser,
    new_browser: Callable[[], Browser],
    app: Flask,
    people: Cast,
    clock: MovableClock,
    ticked: bool,
) -> None:
    with app.app_context():
        give_app(people.reader, clock)
    elsewhere = new_browser()
    elsewhere.log_in(people.reader)
    clock.advance(seconds=30)
    browser.log_in(people.reader)
    page = browser.get(ADD)
    assert Seen(page).boxes[OTHERS].checked
    if not ticked:
        del page.form("Submit").fields["end_others"]
    answer = browser.send(page, button="Submit", code=Offer(page).phone.code(clock()), name="Tablet")
    assert (answer.status, answer.location) == (303, "/account/security/methods")
    seen = Seen(browser.get(answer.location))
    assert seen.messages == ["The app was added."]
    assert "Rename Tablet" in seen.links
    assert [each.name for each in rows.apps(app, people.reader)] == ["My phone", "Tablet"]
    assert elsewhere.get("/account").status == (303 if ticked else 200)
    assert len(rows.live_logins(app, people.reader)) == (1 if ticked else 2)
    assert browser.get("/account").status == 200


def test_a_refused_form_keeps_name_key_and_the_unticked_box(
    reader: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    page = reader.get(ADD)
    del page.form("Submit").fields["end_others"]
    again = reader.send(page, button="Submit", code=Offer(page).phone.wrong_code(clock()), name="Tablet")
    seen = Seen(again)
    assert again.status == 422
    assert "This code is wrong. Enter the one that your app shows now." in seen.error_of("One-time code")
    assert seen.field("One-time code")["value"] == ""
    assert seen.field("Name")["value"] == "Tablet"
    assert not seen.boxes[OTHERS].checked
    assert Offer(again).key == Offer(page).key
    assert len(rows.apps(app, people.reader)) == 1


def test_codes_of_every_app_open_the_portal(browser: Browser, app: Flask, people: Cast, clock: MovableClock) -> None:
    with app.app_context():
        first = give_app(people.reader, clock)
    browser.log_in(people.reader)
    second = add(browser, clock, "Tablet")
    for phone in (second, first, second):
        browser.log_out()
        clock.advance(seconds=30)
        browser.give_password(people.reader)
        assert browser.submit("/log-in/code", code=phone.code(clock())).location == "/"


def test_the_code_that_added_an_app_opens_nothing_more(
    reader: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    tablet = add(reader, clock, "Tablet")
    reader.log_out()
    reader.give_password(people.reader)
    page = reader.submit("/log-in/code", code=tablet.code(clock()))
    assert page.status == 422
    assert "already used. Wait for the next one." in page.text


def test_the_key_stays_through_reloads_and_another_browser_gets_another(
    reader: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast, clock: MovableClock
) -> None:
    key = Offer(reader.get(ADD)).key
    assert Offer(reader.get(ADD)).key == key
    clock.advance(minutes=9)
    assert Offer(reader.get(ADD)).key == key
    elsewhere = new_browser()
    elsewhere.log_in(people.reader)
    assert Offer(elsewhere.get(ADD)).key != key
    assert Offer(reader.get(ADD)).key == key


def test_cancel_throws_the_key_away(reader: Browser, app: Flask, people: Cast, clock: MovableClock) -> None:
    page = reader.get(ADD)
    (login,) = rows.live_logins(app, people.reader)
    assert login.pending_secret is not None
    answer = reader.send(page, button="Cancel", cancel="yes")
    assert (answer.status, answer.location) == (303, "/account/security")
    (login,) = rows.live_logins(app, people.reader)
    assert (login.pending_secret, login.pending_at) == (None, None)
    fresh = reader.get(ADD)
    assert Offer(fresh).key != Offer(page).key
    late = reader.send(fresh, button="Submit", code=Offer(page).phone.code(clock()), name="Tablet")
    assert late.status == 422
    assert len(rows.apps(app, people.reader)) == 1


def test_a_form_sent_after_cancel_adds_nothing(
    reader: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    page = reader.get(ADD)
    reader.send(page, button="Cancel", cancel="yes")
    late = reader.send(page, button="Submit", code=Offer(page).phone.code(clock()), name="Tablet")
    assert late.status == 422
    assert "The QR code was used or is too old. Scan the new one below." in Seen(late).messages
    assert Offer(late).key != Offer(page).key
    assert len(rows.apps(app, people.reader)) == 1


def test_nobody_chooses_their_own_key(reader: Browser, app: Flask, people: Cast, clock: MovableClock) -> None:
    own = Phone("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    page = reader.get(f"{ADD}?secret={own.key}&key={own.key}")
    assert Offer(page).key != own.key
    answer = reader.send(
        page,
        button="Submit",
        code=own.code(clock()),
        name="Tablet",
        secret=own.key,
        key=own.key,
        pending_secret=own.key,
    )
    assert answer.status == 422
    assert len(rows.apps(app, people.reader)) == 1


@pytest.mark.parametrize("typed", ["My phone", "my PHONE", " My  phone"])
def test_a_name_that_one_has_is_refused_and_the_same_code_still_serves(
    reader: Browser, app: Flask, people: Cast, clock: MovableClock, typed: str
) -> None:
    page = reader.get(ADD)
    code = Offer(page).phone.code(clock())
    again = reader.send(page, button="Submit", code=code, name=typed)
    assert again.status == 422
    assert "You have an app of this name already." in Seen(again).error_of("Name")
    assert reader.send(again, button="Submit", code=code, name="Tablet").status == 303
    assert [each.name for each in rows.apps(app, people.reader)] == ["My phone", "Tablet"]


def test_twenty_apps_and_no_more(browser: Browser, app: Flask, people: Cast, clock: MovableClock) -> None:
    with app.app_context():
        for number in range(19):
            give_app(people.reader, clock, f"App {number}")
    browser.log_in(people.reader)
    add(browser, clock, "The twentieth")
    assert len(rows.apps(app, people.reader)) == 20
    page = browser.get(ADD)
    answer = browser.send(page, button="Submit", code=Offer(page).phone.code(clock()), name="One more")
    assert answer.status == 422
    assert "You have 20 apps. Delete one that you no longer use first." in Seen(answer).messages
    assert len(rows.apps(app, people.reader)) == 20
