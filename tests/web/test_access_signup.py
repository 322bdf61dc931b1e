"""Access > Log in & Sign up: the policy, whether a message is wanted, and the contact."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from mfaportal.models import EventKind, Portal
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.looking import Seen
from tests.people import Cast

PAGE = "/portals/city-data/backoffice/access/signup"
LEGEND = "How people without an invitation get in"


@pytest.fixture
def admin(browser: Browser, people: Cast) -> Browser:
    browser.log_in(people.admin)
    return browser


def _chosen(browser: Browser) -> list[str]:
    return [words for words, choice in Seen(browser.get(PAGE)).radios[LEGEND].items() if choice.checked]


def test_what_is_saved_is_kept_shown_and_noted(app: Flask, admin: Browser, people: Cast) -> None:
    assert _chosen(admin) == ["Closed"]
    page = admin.submit(PAGE, policy="approval", message_required="yes", contact="  data@example.org ", follow=True)
    assert "Saved." in page.text
    portal = rows.portal(app)
    assert (portal.sign_up, portal.message_required, portal.contact) == ("approval", True, "data@example.org")
    seen = Seen(admin.get(PAGE))
    assert seen.field("Contact")["value"] == "data@example.org"
    assert seen.boxes["A request must come with a message"].checked
    assert _chosen(admin) == ["By approval"]
    (event,) = rows.events(app, EventKind.SIGN_UP_CHANGED)
    assert (event.portal_id, event.actor_id) == (portal.id, people.admin.id)
    assert event.details == {
        "policy": ["closed", "approval"],
        "message_required": [False, True],
        "contact_changed": True,
    }
    admin.submit(PAGE)
    assert len(rows.events(app, EventKind.SIGN_UP_CHANGED)) == 1, "saving without a change is none"


def test_open_is_refused_with_the_reason_until_there_is_mail(app: Flask, admin: Browser) -> None:
    page = admin.submit(PAGE, policy="open", contact="Kim")
    assert page.status == 422
    assert "needs e-mail" in page.text
    assert "e-mail is not set up here" in page.text
    assert (rows.portal(app).sign_up, rows.portal(app).contact) == ("closed", "")
    assert rows.events(app, EventKind.SIGN_UP_CHANGED) == []


@pytest.mark.parametrize(("stored", "shown"), [("open", "By approval"), ("anything", "Closed")])
def test_what_cannot_be_chosen_shows_as_what_it_counts_as(
    app: Flask, admin: Browser, stored: str, shown: str
) -> None:
    rows.put(app, update(Portal).values(sign_up=stored))
    assert _chosen(admin) == [shown]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"policy": "everybody"}, "Choose one of these."),
        ({"contact": "a" * 201}, "Use at most 200 characters."),
        ({"contact": "a\u202eb"}, "Use up to 200 visible characters, in one line."),
    ],
)
def test_what_makes_no_sense_is_refused(app: Flask, admin: Browser, fields: dict[str, Any], words: str) -> None:
    page = admin.submit(PAGE, **fields)
    assert (page.status, words in page.text) == (422, True)
    assert rows.portal(app).contact == ""


def test_the_contact_stands_on_every_dead_end_as_what_it_is(app: Flask, admin: Browser, people: Cast) -> None:
    for contact, href in (
        ("data@example.org", "mailto:data@example.org"),
        ("https://example.org/help", "https://example.org/help"),
        ("Kim <b>Li</b>, room 7", None),
    ):
        admin.submit(PAGE, contact=contact)
        page = admin.get("/portals/city-data/request-access")
        assert (page.status, contact in page.text) == (403, True)
        assert Seen(page).links.get(contact) == href
    admin.submit(PAGE, contact="")
    assert "Contact" not in admin.get("/portals/city-data/request-access").text


def test_it_asks_for_a_step_up(admin: Browser, clock: MovableClock) -> None:
    clock.advance(minutes=10, seconds=1)
    assert admin.get(PAGE).location == f"/confirm?next={PAGE}"
