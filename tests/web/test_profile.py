import pytest
from flask import Flask

from mfaportal.models import EventKind
from tests import rows
from tests.browser_client import Browser
from tests.looking import Seen
from tests.people import Cast


def test_the_profile_shows_who_one_is_and_the_two_tabs(browser: Browser, people: Cast) -> None:
    browser.log_in(people.reader)
    page = browser.get("/account")
    seen = Seen(page)
    assert page.status == 200
    assert seen.title.startswith("Profile ")
    assert seen.h1 == "Profile"
    assert "reader@example.org" in seen.main
    assert seen.field("Name")["value"] == "Reader"
    assert seen.links["Profile"] == "/account"
    assert seen.links["Security"] == "/account/security"
    assert seen.buttons == ["Save"]


def test_a_new_name_is_saved_shown_and_noted(browser: Browser, app: Flask, people: Cast) -> None:
    browser.log_in(people.reader)
    page = browser.submit("/account", name="  Grace   Hopper ")
    assert (page.status, page.location) == (303, "/account")
    seen = Seen(browser.get("/account"))
    assert seen.messages == ["Your name is saved."]
    assert seen.field("Name")["value"] == "Grace Hopper"
    assert rows.account(app, people.reader).name == "Grace Hopper"
    (event,) = rows.events(app, EventKind.ACCOUNT_RENAMED)
    assert (event.actor_id, event.account_id, event.source) == (people.reader.id, people.reader.id, "web")


def test_a_name_whose_letters_stand_for_many_is_saved(browser: Browser, app: Flask, people: Cast) -> None:
    """What it sorts by would be eighteen times as long, and SQLite alone does not mind."""
    name = "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 100
    browser.log_in(people.reader)
    assert browser.submit("/account", name=name).status == 303
    found = rows.account(app, people.reader)
    assert (found.name, len(found.name_key)) == (name, 400)


def test_saving_the_same_name_notes_nothing(browser: Browser, app: Flask, people: Cast) -> None:
    browser.log_in(people.reader)
    assert browser.submit("/account").status == 303
    assert rows.events(app, EventKind.ACCOUNT_RENAMED) == []


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Enter your name."),
        ("  ", "Enter a name of 1 to 100 visible characters."),
        ("x" * 101, "Use at most 100 characters."),
        ("a\x00b", "This holds a character that cannot be used here."),
        ("a\u202eb", "Enter a name of 1 to 100 visible characters."),
        ("a\u200bb", "Enter a name of 1 to 100 visible characters."),
    ],
    ids=["empty", "blank", "too long", "nul", "turns the writing", "zero width"],
)
def test_a_name_that_people_could_not_read_is_refused_at_its_field(
    browser: Browser, app: Flask, people: Cast, typed: str, sentence: str
) -> None:
    browser.log_in(people.reader)
    page = browser.submit("/account", name=typed)
    seen = Seen(page)
    assert page.status == 422
    assert sentence in seen.error_of("Name")
    assert seen.field("Name")["value"] == typed
    assert rows.account(app, people.reader).name == "Reader"


def test_a_name_of_a_hundred_characters_is_taken(browser: Browser, app: Flask, people: Cast) -> None:
    browser.log_in(people.reader)
    assert browser.submit("/account", name="é" * 100).status == 303
    assert rows.account(app, people.reader).name == "é" * 100


def test_a_name_is_shown_as_text_everywhere(browser: Browser, people: Cast) -> None:
    browser.log_in(people.admin)
    name = '<script>alert(1)</script>"&'
    browser.submit("/account", name=name)
    for path in ("/account", "/portals/city-data/backoffice/access/users"):
        page = browser.get(path)
        assert "<script>alert" not in page.html
        assert name in page.text or Seen(page).field("Name")["value"] == name


def test_further_fields_in_the_form_change_nothing(browser: Browser, app: Flask, people: Cast) -> None:
    browser.log_in(people.reader)
    browser.submit(
        "/account",
        name="Grace",
        is_operator="yes",
        role="admin",
        account_id=str(people.admin.id),
    )
    row = rows.account(app, people.reader)
    assert (row.name, row.email, row.is_operator) == ("Grace", "reader@example.org", False)
    assert rows.role(app, people.reader) == "reader"
    assert rows.account(app, people.admin).name == "Admin"


def test_a_stranger_is_asked_to_log_in_and_comes_back(browser: Browser, people: Cast) -> None:
    assert browser.get("/account").location == "/log-in?next=/account"
    assert browser.log_in(people.reader, path="/log-in?next=/account").location == "/account"
