from datetime import timedelta

import pytest
from flask import Flask

from mfaportal.models import EventKind
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.looking import Seen
from tests.people import Cast, give_app

METHODS = "/account/security/methods"


def path_of(app: Flask, people: Cast, name: str, action: str = "rename") -> str:
    (number,) = [each.id for person in people.everybody for each in rows.apps(app, person) if each.name == name]
    return f"{METHODS}/{number}/{action}"


@pytest.fixture
def two_apps(app: Flask, people: Cast, clock: MovableClock) -> None:
    """The reader has a phone, set up in February and used now, and a laptop's app that was never used."""
    with app.app_context():
        now = clock.now
        clock.now = now - timedelta(days=20)
        give_app(people.reader, clock, "My phone")
        clock.now = now
        give_app(people.reader, clock, "Laptop")


def test_each_app_is_listed_with_added_and_last_used(
    browser: Browser, app: Flask, people: Cast, two_apps: None
) -> None:
    browser.log_in(people.reader)
    page = browser.get(METHODS)
    seen = Seen(page)
    assert page.status == 200
    assert seen.title.startswith("Your methods ")
    assert seen.h1 == "Your methods"
    phone, laptop = [item.text for item in seen.all("li") if "added" in item.text]
    assert "My phone" in phone
    assert "added 10 February 2026" in phone
    assert "last used today, 09:00 UTC" in phone
    assert "Laptop" in laptop
    assert "added today, 09:00 UTC" in laptop
    assert "never used" in laptop
    assert [each.last_used_at is None for each in rows.apps(app, people.reader)] == [False, True]


def test_each_app_has_a_pencil_and_a_trash_can_with_its_name(
    browser: Browser, app: Flask, people: Cast, two_apps: None
) -> None:
    browser.log_in(people.reader)
    links = Seen(browser.get(METHODS)).links
    assert links["Rename My phone"] == path_of(app, people, "My phone")
    assert links["Delete My phone"] == path_of(app, people, "My phone", "delete")
    assert links["Rename Laptop"] == path_of(app, people, "Laptop")
    assert links["Delete Laptop"] == path_of(app, people, "Laptop", "delete")
    assert links["Add app"] == f"{METHODS}/add"


def test_nothing_on_the_list_deletes_by_itself(browser: Browser, app: Flask, people: Cast, two_apps: None) -> None:
    browser.log_in(people.reader)
    assert Seen(browser.get(METHODS)).buttons == []
    assert browser.get(path_of(app, people, "Laptop", "delete")).status == 200
    assert len(rows.apps(app, people.reader)) == 2


def test_the_list_of_somebody_without_an_app_says_what_to_do(browser: Browser, people: Cast) -> None:
    browser.log_in(people.reader)
    seen = Seen(browser.get(METHODS))
    assert "You have not set up an app yet." in seen.main
    assert seen.links["Set up"] == f"{METHODS}/add"


def test_a_renamed_app_has_its_new_name_everywhere_and_works_on(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, two_apps: None
) -> None:
    browser.log_in(people.reader)
    form = browser.get(path_of(app, people, "My phone"))
    seen = Seen(form)
    assert "My phone" in seen.title
    assert "My phone" in seen.h1
    assert seen.field("Name")["value"] == "My phone"
    assert seen.buttons == ["Save"]
    page = browser.send(form, name=" Old  phone ")
    assert (page.status, page.location) == (303, METHODS)
    seen = Seen(browser.get(METHODS))
    assert seen.messages == ["The app has its new name."]
    assert "Rename Old phone" in seen.links
    assert "Rename My phone" not in seen.links
    assert [each.name for each in rows.apps(app, people.reader)] == ["Old phone", "Laptop"]
    (event,) = rows.events(app, EventKind.AUTHENTICATOR_RENAMED)
    assert (event.actor_id, event.account_id) == (people.reader.id, people.reader.id)
    browser.log_out()
    clock.advance(seconds=30)
    assert browser.log_in(people.reader).location == "/"


@pytest.mark.parametrize("typed", ["My phone", "MY PHONE", " my  phone ", "\uff2d\uff39 phone"])
def test_no_two_apps_of_an_account_have_the_same_name(
    browser: Browser, app: Flask, people: Cast, two_apps: None, typed: str
) -> None:
    browser.log_in(people.reader)
    page = browser.submit(path_of(app, people, "Laptop"), name=typed)
    seen = Seen(page)
    assert page.status == 422
    assert "You have an app of this name already." in seen.error_of("Name")
    assert seen.field("Name")["value"] == typed
    assert [each.name for each in rows.apps(app, people.reader)] == ["My phone", "Laptop"]
    assert rows.events(app, EventKind.AUTHENTICATOR_RENAMED) == []


def test_an_app_may_keep_its_name_in_other_letters(
    browser: Browser, app: Flask, people: Cast, two_apps: None
) -> None:
    browser.log_in(people.reader)
    assert browser.submit(path_of(app, people, "Laptop"), name="LAPTOP").status == 303
    assert [each.name for each in rows.apps(app, people.reader)] == ["My phone", "LAPTOP"]


def test_two_people_may_use_the_same_name(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, two_apps: None
) -> None:
    with app.app_context():
        give_app(people.editor, clock, "Tablet")
    browser.log_in(people.editor)
    assert browser.submit(path_of(app, people, "Tablet"), name="My phone").status == 303
    assert [each.name for each in rows.apps(app, people.editor)] == ["My phone"]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Give the app a name."),
        ("   ", "Give the app a name of 1 to 64 visible characters."),
        ("x" * 65, "Use at most 64 characters."),
        ("\u202ephone", "Give the app a name of 1 to 64 visible characters."),
    ],
)
def test_a_name_that_people_could_not_read_is_refused_at_its_field(
    browser: Browser, app: Flask, people: Cast, two_apps: None, typed: str, sentence: str
) -> None:
    browser.log_in(people.reader)
    page = browser.submit(path_of(app, people, "Laptop"), name=typed)
    assert page.status == 422
    assert sentence in Seen(page).error_of("Name")
    assert rows.apps(app, people.reader)[1].name == "Laptop"


@pytest.mark.parametrize("action", ["rename", "delete"])
def test_somebody_elses_app_is_as_good_as_none(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, two_apps: None, action: str
) -> None:
    path = path_of(app, people, "Laptop", action)
    for person in (people.editor, people.operator):
        with app.app_context():
            give_app(person, clock)
        browser.log_in(person)
        token = browser.csrf("/account")
        assert browser.get(path).status == 404
        assert browser.open("POST", path, data={"csrf_token": token, "name": "Mine now"}).status == 404
        assert browser.get(f"{METHODS}/999999/{action}").status == 404
        browser.log_out()
    assert [each.name for each in rows.apps(app, people.reader)] == ["My phone", "Laptop"]


@pytest.mark.parametrize("number", ["0", "-1", "\uff11", "9" * 19, "9" * 4000, "1e3", "%00"])
def test_a_number_that_no_row_can_have_is_not_found(
    browser: Browser, people: Cast, two_apps: None, number: str
) -> None:
    browser.log_in(people.reader)
    assert browser.get(f"{METHODS}/{number}/rename").status == 404
    assert browser.get(f"{METHODS}/{number}/delete").status == 404
