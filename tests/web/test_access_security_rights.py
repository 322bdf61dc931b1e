from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import update

from mfaportal.domain import members, portals
from mfaportal.models import Portal
from mfaportal.rules.roles import MemberRole
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.people import Cast, add_person, give_app, on_the_command_line

PATH = "/portals/city-data/backoffice/access/security"
START = datetime(2026, 3, 2, 9, 0, 16, tzinfo=UTC)


@pytest.fixture
def admin(browser: Browser, people: Cast, clock: MovableClock) -> Browser:
    """The browser of the admin, who has no app and logged in a second before `START`."""
    browser.log_in(people.admin)
    clock.advance(seconds=1)
    return browser


def test_a_public_portal_is_open_to_strangers_and_a_private_one_to_its_people(
    admin: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        portals.create(on_the_command_line(clock), "Elsewhere", "elsewhere")
        outsider = add_person(clock, "outsider@example.org", "Outsider", "admin", portal="elsewhere")
        give_app(people.editor, clock)
    front = "/portals/city-data/"
    stranger, member, other, half = (new_browser() for _ in range(4))
    member.log_in(people.reader)
    other.log_in(outsider)
    half.give_password(people.editor)
    for visibility, seen_by_others in (("private", False), ("public", True), ("private", False)):
        assert admin.submit(PATH, visibility=visibility).status == 303
        assert rows.portal(app).visibility == visibility
        assert member.get(front).status == 200
        assert stranger.get(front).status == (200 if seen_by_others else 303)
        assert other.get(front).status == (200 if seen_by_others else 403)
        assert half.get(front).location == "/log-in/code"
    assert stranger.get(front).location == f"/log-in?next={front}"


@pytest.mark.parametrize("who", ["reader", "editor"])
def test_readers_and_editors_may_neither_look_nor_change(
    browser: Browser, app: Flask, people: Cast, who: str
) -> None:
    browser.log_in(getattr(people, who))
    assert browser.get(PATH).status == 403
    data = {"csrf_token": browser.csrf("/account"), "visibility": "public", "mfa_rule": "off"}
    assert browser.open("POST", PATH, data=data).status == 403
    program = browser.get(PATH, headers={"Accept": "application/json"})
    assert (program.status, program.response.get_json()) == (403, {"error": "forbidden"})
    assert rows.portal(app).visibility == "private"


def test_an_admin_of_another_portal_may_not_even_when_the_portal_is_public(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        portals.create(on_the_command_line(clock), "Elsewhere", "elsewhere")
        outsider = add_person(clock, "outsider@example.org", "Outsider", "admin", portal="elsewhere")
    rows.put(app, update(Portal).where(Portal.slug == "city-data").values(visibility="public"))
    browser.log_in(outsider)
    assert browser.get(PATH).status == 403
    data = {"csrf_token": browser.csrf("/account"), "visibility": "private"}
    assert browser.open("POST", PATH, data=data).status == 403
    assert rows.portal(app).visibility == "public"
    own = PATH.replace("city-data", "elsewhere")
    assert browser.submit(own, mfa_rule="everyone").status == 303
    assert (rows.portal(app).mfa_rule, rows.portal(app, "elsewhere").mfa_rule) == ("off", "everyone")


def test_strangers_are_sent_to_log_in_and_an_unknown_portal_is_not_found(browser: Browser, people: Cast) -> None:
    assert browser.get(PATH).location == f"/log-in?next={PATH}"
    browser.log_in(people.operator)
    assert browser.get("/portals/nowhere/backoffice/access/security").status == 404
    assert browser.get("/portals/City-Data/backoffice/access/security").status == 404


def test_a_right_that_went_while_the_form_was_open_is_asked_again(
    admin: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    page = admin.get(PATH)
    with app.app_context():
        members.add(on_the_command_line(clock), "city-data", people.admin.id, MemberRole.EDITOR)
    assert admin.send(page, visibility="public").location.startswith("/log-in")
    assert rows.portal(app).visibility == "private"
