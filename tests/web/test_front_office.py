from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import delete, update

from mfaportal.domain import members, portals
from mfaportal.models import Membership, Portal
from mfaportal.rules.mfa_rule import MfaRule
from mfaportal.rules.roles import MemberRole
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.looking import Seen
from tests.people import PORTAL, Cast, add_person, give_app, on_the_command_line, set_rule

FRONT = "/portals/city-data/"


def publish(app: Flask, slug: str = PORTAL) -> None:
    rows.put(app, update(Portal).where(Portal.slug == slug).values(visibility="public"))


def portals_on(page: Page) -> dict[str, str]:
    """The portals that a page lists, by name, with their addresses."""
    assert page.status == 200
    return {
        node.text: node["href"] for node in Seen(page).all("main")[0].walk() if node["href"].startswith("/portals/")
    }


@pytest.fixture
def three_portals(app: Flask, people: Cast, clock: MovableClock) -> None:
    """City data, private; Open maps, public; Archive, private, where the reader edits."""
    with app.app_context():
        portals.create(on_the_command_line(clock), "Open maps", "open-maps")
        portals.create(on_the_command_line(clock), "Archive", "archive")
        members.add(on_the_command_line(clock), "archive", people.reader.id, MemberRole.EDITOR)
    publish(app, "open-maps")


@pytest.mark.parametrize("path", ["/", FRONT])
def test_the_only_portal_is_closed_to_strangers_while_it_is_private(
    browser: Browser, people: Cast, path: str
) -> None:
    page = browser.get(path)
    assert page.status == 303
    assert page.location == ("/log-in" if path == "/" else f"/log-in?next={FRONT}")


@pytest.mark.parametrize("path", ["/", FRONT])
def test_the_only_portal_is_open_to_strangers_while_it_is_public(
    browser: Browser, app: Flask, people: Cast, path: str
) -> None:
    publish(app)
    page = browser.get(path)
    seen = Seen(page)
    assert page.status == 200
    assert "City data" in seen.title
    assert seen.h1 == "City data"
    assert "There are no datasets here yet." in seen.main
    assert seen.links["Log in"] == "/log-in"
    assert "Account" not in seen.links
    assert "Back office" not in seen.links
    assert "Log out" not in page.text


@pytest.mark.parametrize("who", ["reader", "editor", "admin", "operator"])
def test_everybody_of_the_portal_sees_its_front_page(browser: Browser, people: Cast, who: str) -> None:
    assert browser.log_in(getattr(people, who)).location == "/"
    for path in ("/", FRONT):
        page = browser.get(path)
        seen = Seen(page)
        assert page.status == 200
        assert seen.h1 == "City data"
        assert seen.links["Account"] == "/account"
        assert "Log out" in page.text
        assert "Log in" not in seen.links


def test_somebody_half_logged_in_finishes_first_even_where_it_is_public(
    browser: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast, clock: MovableClock
) -> None:
    publish(app)
    with app.app_context():
        give_app(people.reader, clock)
        set_rule(MfaRule.BACK_OFFICE, clock)
    clock.advance(seconds=1)
    browser.give_password(people.reader)
    editor = new_browser()
    editor.give_password(people.editor)
    for path in ("/", FRONT):
        assert browser.get(path).location == "/log-in/code"
        assert editor.get(path).location == "/log-in/set-up"


def test_somebody_without_a_place_in_the_portal_gets_a_page_that_says_so(
    browser: Browser, app: Flask, people: Cast
) -> None:
    browser.log_in(people.reader)
    rows.put(app, delete(Membership).where(Membership.account_id == people.reader.id))
    for path in ("/", FRONT):
        page = browser.get(path)
        seen = Seen(page)
        assert page.status == 403
        assert seen.h1 == "No access"
        assert "Log out" in page.text
        assert seen.links["Account"] == "/account"
    assert browser.get("/account").status == 200
    publish(app)
    assert browser.get("/").status == 200


def test_with_several_portals_each_sees_those_that_they_may_enter(
    browser: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast, three_portals: None
) -> None:
    archive, city, maps = "/portals/archive/", FRONT, "/portals/open-maps/"
    stranger = browser.get("/")
    seen = Seen(stranger)
    assert seen.title.startswith("Portals ")
    assert seen.h1 == "Portals"
    assert portals_on(stranger) == {"Open maps": maps}
    for person, mine in (
        (people.reader, {"Archive": archive, "City data": city, "Open maps": maps}),
        (people.editor, {"City data": city, "Open maps": maps}),
        (people.operator, {"Archive": archive, "City data": city, "Open maps": maps}),
    ):
        theirs = new_browser()
        theirs.log_in(person)
        listed = portals_on(theirs.get("/"))
        assert listed == mine
        assert list(listed) == sorted(listed)
        for path in (archive, city, maps):
            assert theirs.get(path).status == (200 if path in mine.values() else 403)


def test_with_several_portals_none_of_them_public_a_stranger_is_told_to_log_in(
    browser: Browser, app: Flask, people: Cast, three_portals: None
) -> None:
    rows.put(app, update(Portal).values(visibility="private"))
    page = browser.get("/")
    assert portals_on(page) == {}
    seen = Seen(page)
    assert "No portal here is public." in seen.main
    assert seen.links["Log in"] == "/log-in"


def test_with_several_portals_half_logged_in_is_still_half(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, three_portals: None
) -> None:
    with app.app_context():
        give_app(people.reader, clock)
    browser.give_password(people.reader)
    for path in ("/", "/portals/open-maps/", FRONT):
        assert browser.get(path).location == "/log-in/code"


def test_an_unreadable_visibility_counts_as_private(
    browser: Browser, app: Flask, people: Cast, three_portals: None
) -> None:
    rows.put(app, update(Portal).where(Portal.slug == "open-maps").values(visibility="open"))
    assert portals_on(browser.get("/")) == {}
    assert browser.get("/portals/open-maps/").status == 303


def test_names_of_portals_are_shown_as_text(browser: Browser, app: Flask, people: Cast, clock: MovableClock) -> None:
    name = '<b>R&D</b> "x"'
    with app.app_context():
        portals.create(on_the_command_line(clock), name, "rd")
        add_person(clock, "x@example.org", "X", "admin", portal="rd")
    publish(app, "rd")
    browser.log_in(people.operator)
    for path in ("/", "/portals/rd/", "/portals/rd/backoffice", "/portals/rd/backoffice/access/users"):
        page = browser.get(path)
        assert page.status == 200
        assert "<b>R" not in page.html
        assert name in page.text


@pytest.mark.parametrize(
    "path",
    [
        "/portals/nowhere/",
        "/portals/City-Data/",
        "/portals/",
        "/portals/-/",
        "/portals/" + "a" * 41 + "/",
        "/nothing",
    ],
)
def test_a_portal_that_is_not_there_is_not_found_by_anybody(browser: Browser, people: Cast, path: str) -> None:
    assert browser.get(path).status == 404
    browser.log_in(people.operator)
    page = browser.get(path)
    assert page.status == 404
    assert Seen(page).h1 == "Not found"
