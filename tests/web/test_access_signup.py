"""Access > Log in & Sign up: the policy, whether a message is wanted, and the contact."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from mfaportal.models import EventKind, Portal
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.invitations import second_portal
from tests.looking import Seen
from tests.mailing import with_mail
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


def test_open_may_be_chosen_where_mail_works_and_counts_as_by_approval_once_it_does_not(
    make_app: Callable[..., Flask], people: Cast, clock: MovableClock
) -> None:
    mailing = with_mail(make_app)
    admin = Browser(mailing, clock)
    admin.log_in(people.admin)
    assert "not set up" not in admin.get(PAGE).text
    assert "Saved." in admin.submit(PAGE, policy="open", follow=True).text
    assert rows.portal(mailing).sign_up == "open"
    (event,) = rows.events(mailing, EventKind.SIGN_UP_CHANGED)
    assert event.details["policy"] == ["closed", "open"]
    assert _chosen(admin) == ["Open"]
    admin.submit(PAGE, policy="", contact="Kim")
    assert (rows.portal(mailing).sign_up, rows.portal(mailing).contact) == ("open", "Kim")
    later = Browser(make_app(), clock)  # the same installation, its mail server taken out of the settings
    later.log_in(people.admin)
    assert "for now people are let in by approval" in later.get(PAGE).text
    assert _chosen(later) == ["By approval"]
    assert "becomes a reader" not in later.get("/portals/city-data/").text


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


def test_a_portal_that_names_nobody_shows_no_other_portals_contact(
    app: Flask, admin: Browser, new_browser: Callable[[], Browser], clock: MovableClock
) -> None:
    """On pages of no portal that of the first one stands in; at log-in, that of the portal where somebody asked."""
    harbour = second_portal(app, clock)
    rows.put(app, update(Portal).where(Portal.slug != harbour).values(contact="first@example.org"))
    rows.put(app, update(Portal).values(sign_up="closed"))
    assert "first@example.org" in admin.get("/portals/city-data/request-access").text
    assert "Contact" not in admin.get(f"/portals/{harbour}/request-access").text
    assert "first@example.org" in new_browser().get("/invitations/never-was").text
    rows.put(app, update(Portal).values(sign_up="approval"))
    wish: dict[str, Any] = {"name": "New", "email": "new@example.org", "password": "nine kettles in the attic"}
    new_browser().submit(f"/portals/{harbour}/request-access", **wish)
    page = new_browser().submit("/log-in", email=wish["email"], password=wish["password"])
    assert (page.status, "Contact" in page.text) == (403, False)


def test_it_asks_for_a_step_up(admin: Browser, clock: MovableClock) -> None:
    clock.advance(minutes=10, seconds=1)
    assert admin.get(PAGE).location == f"/confirm?next={PAGE}"
