from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from mfaportal.models import EventKind
from mfaportal.rules.mfa_rule import BEGINNING
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.looking import Seen
from tests.people import Cast, give_app

PATH = "/portals/city-data/backoffice/access/security"
RULE = "Multi-factor authentication is required of"
BACK_OFFICE, ALL = "Users with access to the back office", "All users"
START = datetime(2026, 3, 2, 9, 0, 16, tzinfo=UTC)


def checked(page: Page, group: str) -> list[str]:
    return [name for name, choice in Seen(page).radios[group].items() if choice.checked]


@pytest.fixture
def admin(browser: Browser, people: Cast, clock: MovableClock) -> Browser:
    """The browser of the admin, who has no app and logged in a second before `START`."""
    browser.log_in(people.admin)
    clock.advance(seconds=1)
    return browser


def test_saving_without_a_change_moves_nothing_and_notes_nothing(
    admin: Browser, app: Flask, clock: MovableClock
) -> None:
    admin.submit(PATH, mfa_rule="everyone")
    clock.advance(minutes=5)
    assert admin.submit(PATH).status == 303
    assert admin.submit(PATH, mfa_rule="everyone", visibility="private").status == 303
    portal = rows.portal(app)
    assert (portal.back_office_since, portal.everyone_since) == (START, START)
    assert len(rows.events(app, EventKind.PORTAL_ACCESS_CHANGED)) == 1


def test_a_change_of_visibility_moves_no_instant(admin: Browser, app: Flask, clock: MovableClock) -> None:
    admin.submit(PATH, mfa_rule="everyone")
    clock.advance(minutes=5)
    admin.submit(PATH, visibility="public")
    portal = rows.portal(app)
    assert (portal.visibility, portal.back_office_since, portal.everyone_since) == ("public", START, START)


@pytest.mark.parametrize(
    ("steps", "back_office", "everyone"),
    [
        ("back_office", 1, None),
        ("everyone", 1, 1),
        ("back_office everyone", 1, 2),
        ("everyone back_office", 1, None),
        ("back_office everyone back_office", 1, None),
        ("back_office everyone back_office everyone", 1, 4),
        ("everyone back_office everyone", 1, 3),
        ("back_office off", None, None),
        ("back_office off back_office", 3, None),
        ("everyone off everyone", 3, 3),
    ],
)
def test_those_covered_before_keep_their_older_instant(
    admin: Browser,
    app: Flask,
    clock: MovableClock,
    steps: str,
    back_office: int | None,
    everyone: int | None,
) -> None:
    """The numbers are minutes after the start: step n is saved in minute n."""
    for step in steps.split():
        clock.advance(minutes=1)
        assert admin.submit(PATH, mfa_rule=step).status == 303
    portal = rows.portal(app)
    for found, minute in ((portal.back_office_since, back_office), (portal.everyone_since, everyone)):
        assert found == (None if minute is None else START + timedelta(minutes=minute))


@pytest.mark.parametrize(
    ("rule", "asked"),
    [
        ("back_office", {"editor", "admin", "operator"}),
        ("everyone", {"reader", "editor", "admin", "operator"}),
        ("off", set()),
    ],
)
def test_everybody_covered_is_asked_at_the_next_log_in_and_not_before(
    admin: Browser,
    new_browser: Callable[[], Browser],
    people: Cast,
    clock: MovableClock,
    rule: str,
    asked: set[str],
) -> None:
    browsers = {person.name.lower(): (person, new_browser()) for person in people.everybody}
    for person, browser in browsers.values():
        browser.log_in(person)
    clock.advance(minutes=1)
    assert admin.submit(PATH, mfa_rule=rule).status == 303
    clock.advance(minutes=1)
    for name, (person, browser) in browsers.items():
        assert browser.get("/account").status == 200, name
        browser.log_out()
        location = browser.give_password(person).location
        assert location == ("/log-in/set-up" if name in asked else "/"), name


def test_apply_now_asks_those_who_are_logged_in_on_their_next_page(
    browser: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        give_app(people.admin, clock)
    reader, editor = new_browser(), new_browser()
    reader.log_in(people.reader)
    editor.log_in(people.editor)
    browser.log_in(people.admin)
    clock.advance(minutes=1)
    assert browser.submit(PATH, mfa_rule="back_office", apply_now="yes").status == 303
    portal = rows.portal(app)
    assert (portal.mfa_rule, portal.back_office_since, portal.everyone_since) == ("back_office", BEGINNING, None)
    assert editor.get("/account").location == "/log-in/set-up"
    assert editor.open("POST", "/account", data={"csrf_token": editor.csrf(), "name": "x"}).status == 303
    assert rows.account(app, people.editor).name == "Editor"
    assert reader.get("/account").status == 200
    assert browser.get(PATH).status == 200
    events = rows.events(app, EventKind.PORTAL_ACCESS_CHANGED)
    assert [event.details["apply_now"] for event in events] == [True]


def test_a_rule_in_force_may_be_applied_now_later(
    browser: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        give_app(people.admin, clock)
    reader = new_browser()
    reader.log_in(people.reader)
    browser.log_in(people.admin)
    clock.advance(minutes=1)
    browser.submit(PATH, mfa_rule="everyone")
    assert reader.get("/account").status == 200
    assert browser.submit(PATH, apply_now="yes").status == 303
    portal = rows.portal(app)
    assert (portal.back_office_since, portal.everyone_since) == (BEGINNING, BEGINNING)
    assert reader.get("/account").location == "/log-in/set-up"


@pytest.mark.parametrize("rule", ["back_office", "everyone"])
@pytest.mark.parametrize("who", ["admin", "operator"])
def test_apply_now_is_refused_to_somebody_covered_who_has_no_app(
    browser: Browser,
    new_browser: Callable[[], Browser],
    app: Flask,
    people: Cast,
    rule: str,
    who: str,
) -> None:
    reader = new_browser()
    reader.log_in(people.reader)
    browser.log_in(getattr(people, who))
    page = browser.submit(PATH, mfa_rule=rule, visibility="public", apply_now="yes")
    seen = Seen(page)
    assert page.status == 422
    (box,) = seen.boxes.values()
    assert box.checked
    assert "set it up first" in box.facts
    assert "/account/security/methods/add" in seen.links.values()
    assert checked(page, RULE) == [{"back_office": BACK_OFFICE, "everyone": ALL}[rule]]
    portal = rows.portal(app)
    assert (portal.mfa_rule, portal.visibility) == ("off", "private")
    assert rows.events(app, EventKind.PORTAL_ACCESS_CHANGED) == []
    assert reader.get("/account").status == 200
    assert browser.get(PATH).status == 200


def test_apply_now_locks_nobody_out_when_the_rule_is_dropped(admin: Browser, app: Flask) -> None:
    admin.submit(PATH, mfa_rule="everyone")
    assert admin.submit(PATH, mfa_rule="off", apply_now="yes").status == 303
    portal = rows.portal(app)
    assert (portal.mfa_rule, portal.back_office_since, portal.everyone_since) == ("off", None, None)


def test_a_dropped_rule_asks_nobody_but_those_who_have_an_app(
    admin: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        give_app(people.editor, clock)
    admin.submit(PATH, mfa_rule="everyone")
    clock.advance(minutes=1)
    waiting = new_browser()
    assert waiting.give_password(people.reader).location == "/log-in/set-up"
    admin.submit(PATH, mfa_rule="off")
    assert waiting.get("/account").status == 200
    assert new_browser().give_password(people.reader).location == "/"
    assert new_browser().give_password(people.editor).location == "/log-in/code"
