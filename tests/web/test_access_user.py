from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import update

from mfaportal.domain import portals
from mfaportal.models import Account
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.looking import Seen
from tests.people import Cast, add_person, give_app, on_the_command_line

USERS = "/portals/city-data/backoffice/access/users"


def listed(page: Page) -> list[str]:
    """The names on a page of the list, in its order."""
    assert page.status == 200
    bodies = Seen(page).all("tbody")
    lines = [node for node in bodies[0].walk() if node.tag == "tr"] if bodies else []
    return [next(node.text for node in line.walk() if node.tag == "a") for line in lines]


@pytest.fixture
def admin(browser: Browser, people: Cast) -> Browser:
    """The admin's browser, logged in."""
    browser.log_in(people.admin)
    return browser


def test_an_admin_sees_of_a_person_what_an_admin_may_do(admin: Browser, people: Cast) -> None:
    page = admin.get(f"{USERS}/{people.reader.id}")
    seen = Seen(page)
    assert "Reader" in seen.title
    assert seen.h1 == "Reader"
    assert all(words in seen.main for words in ("reader@example.org", "reader", "not set up", "never"))
    assert seen.links["Change role"] == f"{USERS}/{people.reader.id}/role"
    assert seen.links["Remove from portal"] == f"{USERS}/{people.reader.id}/remove"
    assert seen.links["All users"] == USERS
    for words in ("Change operator", "Suspend", "Restore", "End logins", "Reset MFA", "Make reset link"):
        assert words not in seen.links
    assert seen.buttons == []


def test_an_operator_sees_of_a_person_all_that_can_be_done(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    browser.log_in(people.operator)
    path = f"{USERS}/{people.reader.id}"
    links = Seen(browser.get(path)).links
    for words, action in {
        "Change role": "role",
        "Remove from portal": "remove",
        "Change operator": "operator",
        "Suspend": "suspend",
        "End logins": "end-logins",
        "Reset MFA": "reset-mfa",
        "Make reset link": "reset-link",
    }.items():
        assert links[words] == f"{path}/{action}"
    assert "Restore" not in links
    rows.put(app, update(Account).where(Account.id == people.reader.id).values(suspended_at=clock()))
    seen = Seen(browser.get(path))
    assert seen.links["Restore"] == f"{path}/restore"
    assert "Suspend" not in seen.links
    assert "suspended" in seen.main


def test_an_operator_is_not_offered_what_would_be_refused(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        other = add_person(clock, "second@example.org", "Second", None, operator=True)
    browser.log_in(people.operator)
    own = Seen(browser.get(f"{USERS}/{people.operator.id}")).links
    for words in ("Change role", "Remove from portal", "Suspend", "Reset MFA", "Make reset link"):
        assert words not in own
    assert "End logins" in own
    theirs = Seen(browser.get(f"{USERS}/{other.id}")).links
    for words in ("Reset MFA", "Make reset link"):
        assert words not in theirs
    assert "Suspend" in theirs


def test_names_are_shown_as_text(admin: Browser, app: Flask, clock: MovableClock) -> None:
    name = "<img src=x onerror=alert(1)>"
    with app.app_context():
        person = add_person(clock, "x@example.org", name, "reader")
    for path in (USERS, f"{USERS}/{person.id}", f"{USERS}?q={quote('<img')}", f"{USERS}/{person.id}/role"):
        page = admin.get(path)
        assert page.status == 200
        assert "<img" not in page.html
        assert name in page.text


def test_people_of_other_portals_are_not_found_by_their_number(
    admin: Browser, app: Flask, clock: MovableClock
) -> None:
    with app.app_context():
        portals.create(on_the_command_line(clock), "Elsewhere", "elsewhere")
        outsider = add_person(clock, "outsider@example.org", "Outsider", "reader", portal="elsewhere")
    assert admin.get(f"{USERS}/{outsider.id}").status == 404
    assert "Outsider" not in admin.get(f"{USERS}/{outsider.id}").text
    assert admin.get(f"{USERS}?q=outsider").text.count("outsider@example.org") == 0


@pytest.mark.parametrize("number", ["0", "-1", "\uff11", "999999", "9" * 18, "9" * 19, "9" * 4000, "1;2", "%00"])
def test_a_number_that_nobody_has_is_not_found(admin: Browser, number: str) -> None:
    assert admin.get(f"{USERS}/{number}").status == 404


@pytest.mark.parametrize("who", ["reader", "editor"])
def test_readers_and_editors_may_not_look(browser: Browser, people: Cast, who: str) -> None:
    browser.log_in(getattr(people, who))
    for path in (USERS, f"{USERS}/{people.reader.id}", f"{USERS}/{people.reader.id}/role"):
        page = browser.get(path)
        assert page.status == 403
        assert "editor@example.org" not in page.text


def test_an_admin_of_another_portal_may_not_look(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        portals.create(on_the_command_line(clock), "Elsewhere", "elsewhere")
        outsider = add_person(clock, "outsider@example.org", "Outsider", "admin", portal="elsewhere")
    browser.log_in(outsider)
    assert browser.get(USERS).status == 403
    assert listed(browser.get(USERS.replace("city-data", "elsewhere"))) == ["Operator", "Outsider"]


def test_strangers_and_people_half_logged_in_are_sent_on(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    assert browser.get(f"{USERS}?q=x").location == f"/log-in?next={quote(f'{USERS}?q=x', safe='/')}"
    with app.app_context():
        give_app(people.admin, clock)
    browser.give_password(people.admin)
    assert browser.get(USERS).location == "/log-in/code"
