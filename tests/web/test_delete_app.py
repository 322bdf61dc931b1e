from collections.abc import Callable

import pytest
from flask import Flask

from mfaportal.models import EventKind
from mfaportal.rules.mfa_rule import MfaRule
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.looking import Seen
from tests.people import Cast, Person, give_app, set_rule
from tests.phone import Phone

METHODS = "/account/security/methods"
OTHERS = "Also log out my other browsers"
ONLY = "This is your only app, and a portal that you may enter demands MFA"


def delete_page(app: Flask, person: Person, name: str = "My phone") -> str:
    (number,) = [each.id for each in rows.apps(app, person) if each.name == name]
    return f"{METHODS}/{number}/delete"


@pytest.fixture
def two_apps(app: Flask, people: Cast, clock: MovableClock) -> tuple[Phone, Phone]:
    """The reader's phone and tablet."""
    with app.app_context():
        return give_app(people.reader, clock, "My phone"), give_app(people.reader, clock, "Tablet")


def test_the_trash_can_leads_to_a_page_that_says_what_will_happen(
    browser: Browser, app: Flask, people: Cast, two_apps: tuple[Phone, Phone]
) -> None:
    browser.log_in(people.reader)
    page = browser.get(delete_page(app, people.reader, "Tablet"))
    seen = Seen(page)
    assert page.status == 200
    assert "Delete Tablet" in seen.title
    assert "Tablet" in seen.h1
    assert "Its codes stop working at once. Your other apps stay." in seen.main
    assert seen.buttons == ["Delete"]
    assert seen.links["Cancel"] == METHODS
    assert len(rows.apps(app, people.reader)) == 2


def test_one_of_several_apps_is_deleted_by_its_button(
    browser: Browser, app: Flask, people: Cast, two_apps: tuple[Phone, Phone]
) -> None:
    browser.log_in(people.reader)
    path = delete_page(app, people.reader, "Tablet")
    page = browser.submit(path)
    assert (page.status, page.location) == (303, METHODS)
    seen = Seen(browser.get(METHODS))
    assert seen.messages == ["The app was deleted. Its codes no longer work."]
    assert "Delete Tablet" not in seen.links
    assert [each.name for each in rows.apps(app, people.reader)] == ["My phone"]
    (event,) = rows.events(app, EventKind.AUTHENTICATOR_DELETED)
    assert (event.actor_id, event.account_id, event.details["app"]) == (people.reader.id, people.reader.id, 2)
    assert browser.get(path).status == 404


def test_deleting_the_same_app_again_is_not_found(
    browser: Browser, app: Flask, people: Cast, two_apps: tuple[Phone, Phone]
) -> None:
    browser.log_in(people.reader)
    page = browser.get(delete_page(app, people.reader, "Tablet"))
    assert browser.send(page).status == 303
    assert browser.send(page).status == 404
    assert len(rows.events(app, EventKind.AUTHENTICATOR_DELETED)) == 1


def test_codes_of_a_deleted_app_fail_at_once_in_other_logins_too(
    browser: Browser,
    new_browser: Callable[[], Browser],
    app: Flask,
    people: Cast,
    clock: MovableClock,
    two_apps: tuple[Phone, Phone],
) -> None:
    phone, tablet = two_apps
    half, whole = new_browser(), new_browser()
    whole.log_in(people.reader)
    clock.advance(minutes=11)
    half.give_password(people.reader)
    browser.log_in(people.reader)
    clock.advance(seconds=30)
    page = browser.get(delete_page(app, people.reader, "Tablet"))
    del page.form().fields["end_others"]
    assert browser.send(page).status == 303
    for elsewhere, path in ((half, "/log-in/code"), (whole, "/confirm?next=/account/security")):
        refused = elsewhere.submit(path, code=tablet.code(clock()))
        assert refused.status == 422
        assert "This code is wrong." in refused.text
    assert half.submit("/log-in/code", code=phone.code(clock())).location == "/"
    clock.advance(seconds=30)
    assert whole.submit("/confirm", code=phone.code(clock())).status == 303


@pytest.mark.parametrize("ticked", [True, False])
def test_logging_out_the_other_browsers_is_offered_ticked_and_obeyed(
    browser: Browser,
    new_browser: Callable[[], Browser],
    app: Flask,
    people: Cast,
    clock: MovableClock,
    two_apps: tuple[Phone, Phone],
    ticked: bool,
) -> None:
    elsewhere, half = new_browser(), new_browser()
    elsewhere.log_in(people.reader)
    half.give_password(people.reader)
    clock.advance(seconds=30)
    browser.log_in(people.reader)
    page = browser.get(delete_page(app, people.reader, "Tablet"))
    assert Seen(page).boxes[OTHERS].checked
    if not ticked:
        del page.form().fields["end_others"]
    assert browser.send(page).status == 303
    assert elsewhere.get("/account").status == (303 if ticked else 200)
    assert half.get("/account").location == ("/log-in?next=/account" if ticked else "/log-in/code")
    assert len(rows.live_logins(app, people.reader)) == (1 if ticked else 3)
    assert browser.get("/account").status == 200


@pytest.mark.parametrize(
    ("rule", "who"),
    [(MfaRule.EVERYONE, "reader"), (MfaRule.BACK_OFFICE, "editor"), (MfaRule.BACK_OFFICE, "operator")],
)
def test_the_last_app_of_somebody_covered_stays_with_the_reason_and_the_way_out(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, rule: MfaRule, who: str
) -> None:
    person: Person = getattr(people, who)
    with app.app_context():
        give_app(person, clock)
        set_rule(rule, clock)
    browser.log_in(person)
    path = delete_page(app, person)
    page = browser.get(path)
    seen = Seen(page)
    assert page.status == 200
    assert ONLY in seen.main
    assert seen.buttons == []
    assert seen.links["Add app"] == f"{METHODS}/add"
    refused = browser.open("POST", path, data={"csrf_token": browser.csrf("/account")})
    assert refused.status == 409
    seen = Seen(refused)
    assert ONLY in seen.main
    assert seen.buttons == []
    assert seen.links["Add app"] == f"{METHODS}/add"
    assert len(rows.apps(app, person)) == 1
    assert rows.events(app, EventKind.AUTHENTICATOR_DELETED) == []


def test_a_rule_raised_meanwhile_keeps_the_last_app(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        give_app(people.reader, clock)
    browser.log_in(people.reader)
    page = browser.get(delete_page(app, people.reader))
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock)
    refused = browser.send(page)
    assert refused.status == 409
    assert ONLY in Seen(refused).main
    assert len(rows.apps(app, people.reader)) == 1


def test_of_two_apps_of_somebody_covered_either_may_go_but_not_both(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, two_apps: tuple[Phone, Phone]
) -> None:
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock)
    browser.log_in(people.reader)
    first, second = (browser.get(delete_page(app, people.reader, name)) for name in ("My phone", "Tablet"))
    assert browser.send(first).status == 303
    assert browser.send(second).status == 409
    assert [each.name for each in rows.apps(app, people.reader)] == ["Tablet"]


@pytest.mark.parametrize(("rule", "who"), [(MfaRule.OFF, "admin"), (MfaRule.BACK_OFFICE, "reader")])
def test_the_last_app_of_somebody_not_covered_may_go(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, rule: MfaRule, who: str
) -> None:
    person: Person = getattr(people, who)
    with app.app_context():
        give_app(person, clock)
        set_rule(rule, clock)
    browser.log_in(person)
    page = browser.get(delete_page(app, person))
    assert "It is your only app: afterwards your password alone lets you in." in Seen(page).main
    answer = browser.send(page)
    assert (answer.status, answer.location) == (303, "/account/security")
    seen = Seen(browser.get("/account/security"))
    assert seen.messages == ["The app was deleted. Its codes no longer work."]
    assert "Set up" in seen.links
    assert rows.apps(app, person) == []
    browser.log_out()
    assert browser.give_password(person).location == "/"


def test_the_name_of_an_app_is_shown_as_text(browser: Browser, app: Flask, people: Cast, clock: MovableClock) -> None:
    with app.app_context():
        give_app(people.reader, clock, "<i>x</i>")
    browser.log_in(people.reader)
    page = browser.get(delete_page(app, people.reader, "<i>x</i>"))
    assert "<i>" not in page.html
    assert "Delete <i>x</i>" in Seen(page).title
