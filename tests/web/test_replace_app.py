"""Replacing an app: the new one is proven before the old one goes, in one instant, so that nobody is ever without."""

from collections.abc import Callable

import pytest
from flask import Flask

from mfaportal.models import Authenticator, EventKind, RecoveryCode
from mfaportal.rules.mfa_rule import MfaRule
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.looking import Seen
from tests.offer import Offer
from tests.people import Cast, Person, give_app, set_rule
from tests.stored import stored
from tests.told import told

METHODS = "/account/security/methods"
NewBrowser = Callable[[], Browser]


@pytest.fixture
def reader(app: Flask, browser: Browser, people: Cast, clock: MovableClock) -> Person:
    """Covered by a rule, with one app; just logged in."""
    with app.app_context():
        give_app(people.reader, clock, codes=True)
        set_rule(MfaRule.EVERYONE, clock)
    browser.log_in(people.reader)
    return people.reader


def replace_page(app: Flask, person: Person) -> str:
    return f"{METHODS}/{rows.apps(app, person)[0].id}/replace"


@pytest.mark.parametrize("ticked", [True, False])
def test_the_only_app_of_somebody_covered_is_replaced_without_a_gap(
    app: Flask, browser: Browser, new_browser: NewBrowser, reader: Person, clock: MovableClock, ticked: bool
) -> None:
    elsewhere = new_browser()
    clock.advance(seconds=30)
    elsewhere.log_in(reader)
    (old,) = rows.apps(app, reader)
    page = browser.get(replace_page(app, reader))
    assert Seen(page).h1 == "Replace “My phone”"
    assert Seen(page).field("Name")["value"] == "My phone", "the name may stay"
    new = Offer(page).phone
    if not ticked:
        del page.form("Submit").fields["end_others"]
    answer = browser.send(page, button="Submit", code=new.code(clock()))
    assert (answer.status, answer.location) == (303, METHODS)
    (app_row,) = rows.apps(app, reader)
    assert (app_row.name, app_row.id != old.id) == ("My phone", True)
    assert len(rows.live_logins(app, reader)) == (1 if ticked else 2)
    assert len(stored(app, RecoveryCode)) == 10, "there was always an app, so the codes stay"
    assert rows.events(app, EventKind.AUTHENTICATOR_DELETED)[-1].details == {"app": old.id, "replaced": True}
    assert rows.events(app, EventKind.AUTHENTICATOR_ADDED)[-1].details == {"app": app_row.id, "first": False}
    assert [(mail.kind, mail.facts["app"]) for mail in told(app) if mail.kind.startswith("app-")] == [
        ("app-deleted", "My phone"),
        ("app-added", "My phone"),
    ]
    browser.log_out()
    clock.advance(seconds=30)
    assert reader.phone is not None
    browser.give_password(reader)
    assert browser.submit("/log-in/code", code=reader.phone.code(clock())).status == 422
    assert browser.submit("/log-in/code", code=new.code(clock())).status == 303


def test_until_the_new_one_is_proven_the_old_one_stays(
    app: Flask, browser: Browser, reader: Person, clock: MovableClock
) -> None:
    before = stored(app, Authenticator)
    path = replace_page(app, reader)
    page = browser.get(path)
    answer = browser.send(page, button="Submit", code=Offer(page).phone.wrong_code(clock()), name="New")
    assert answer.status == 422
    assert Seen(answer).field("Name")["value"] == "New"
    assert Offer(answer).key == Offer(page).key
    assert stored(app, Authenticator) == before
    answer = browser.send(page, button="Cancel", cancel="yes")
    assert (answer.status, answer.location) == (303, METHODS)
    assert Offer(browser.get(path)).key != Offer(page).key
    assert stored(app, Authenticator) == before


def test_it_is_offered_where_people_look_for_it(app: Flask, browser: Browser, reader: Person) -> None:
    path = replace_page(app, reader)
    assert Seen(browser.get(METHODS)).links["Replace My phone"] == path
    assert Seen(browser.get(path.replace("replace", "delete"))).links["Replace"] == path


def test_the_twentieth_app_can_be_replaced_and_no_other_ones_name_be_taken(
    app: Flask, browser: Browser, reader: Person, clock: MovableClock
) -> None:
    with app.app_context():
        for number in range(19):
            give_app(reader, clock, f"App {number}")
    page = browser.get(replace_page(app, reader))
    code = Offer(page).phone.code(clock())
    answer = browser.send(page, button="Submit", code=code, name="APP 3")
    assert (answer.status, "You have an app of this name already." in answer.text) == (422, True)
    assert browser.send(page, button="Submit", code=code, name="my PHONE").status == 303
    names = [each.name for each in rows.apps(app, reader)]
    assert (len(names), names[-1]) == (20, "my PHONE")


def test_one_that_is_gone_meanwhile_is_not_replaced(
    app: Flask, browser: Browser, new_browser: NewBrowser, reader: Person, clock: MovableClock
) -> None:
    with app.app_context():
        give_app(reader, clock, "Other")
    page = browser.get(replace_page(app, reader))
    other = new_browser()
    clock.advance(seconds=30)
    other.log_in(reader)
    delete = other.get(replace_page(app, reader).replace("replace", "delete"))
    del delete.form().fields["end_others"]
    assert other.send(delete).status == 303
    answer = browser.send(page, button="Submit", code=Offer(page).phone.code(clock()), name="New")
    assert answer.status == 404
    assert [each.name for each in rows.apps(app, reader)] == ["Other"]
