from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import update

from mfaportal.domain import members, portals
from mfaportal.models import Portal
from mfaportal.rules.roles import MemberRole
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.looking import Node, Seen
from tests.people import Cast, add_person, give_app, on_the_command_line

DESK = "/portals/city-data/backoffice"
USERS, SECURITY = f"{DESK}/access/users", f"{DESK}/access/security"
LINK = "Back office"


def menu(seen: Seen) -> dict[str, str]:
    """The links of the menu beside the work."""
    (nav,) = [node for node in seen.all("nav") if node["aria-label"] == LINK]
    return {node.text: node["href"] for node in nav.walk() if node.tag == "a"}


def current(seen: Seen) -> list[str]:
    return [node.text for node in seen.all("a") if node["aria-current"] == "page"]


def top_bar(browser: Browser, path: str) -> str | None:
    """Where "Back office" in the top bar of a page leads."""
    page = browser.get(path)
    assert page.status == 200, path
    header: Node = Seen(page).all("header")[0]
    return next((node["href"] for node in header.walk() if node.tag == "a" and node.text == LINK), None)


@pytest.fixture
def elsewhere(app: Flask, people: Cast, clock: MovableClock) -> None:
    """A second portal, public; the editor reads there, the admin is admin there too."""
    with app.app_context():
        portals.create(on_the_command_line(clock), "Elsewhere", "elsewhere")
        members.add(on_the_command_line(clock), "elsewhere", people.editor.id, MemberRole.READER)
        members.add(on_the_command_line(clock), "elsewhere", people.admin.id, MemberRole.ADMIN)
    rows.put(app, update(Portal).where(Portal.slug == "elsewhere").values(visibility="public"))


@pytest.mark.parametrize("who", ["editor", "admin", "operator"])
def test_the_desk_is_for_those_who_work_there(browser: Browser, people: Cast, who: str) -> None:
    browser.log_in(getattr(people, who))
    page = browser.get(DESK)
    seen = Seen(page)
    assert page.status == 200
    assert seen.title.startswith("Back office ")
    assert seen.h1 == "Back office"
    assert "City data" in seen.main
    assert seen.links["See the portal as readers do"] == "/portals/city-data/"


def test_the_desk_is_closed_to_readers_strangers_and_people_half_logged_in(
    browser: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast, clock: MovableClock
) -> None:
    rows.put(app, update(Portal).values(visibility="public"))
    assert browser.get(DESK).location == f"/log-in?next={DESK}"
    browser.log_in(people.reader)
    assert browser.get(DESK).status == 403
    with app.app_context():
        give_app(people.editor, clock)
    half = new_browser()
    half.give_password(people.editor)
    assert half.get(DESK).location == "/log-in/code"


def test_the_desk_of_one_portal_is_closed_to_the_staff_of_another(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, elsewhere: None
) -> None:
    with app.app_context():
        outsider = add_person(clock, "outsider@example.org", "Outsider", "admin", portal="elsewhere")
    browser.log_in(outsider)
    assert browser.get("/portals/elsewhere/backoffice").status == 200
    assert browser.get(DESK).status == 403
    assert browser.get("/portals/nowhere/backoffice").status == 404


def test_the_menu_of_an_editor_has_no_access(browser: Browser, people: Cast) -> None:
    browser.log_in(people.editor)
    seen = Seen(browser.get(DESK))
    assert USERS not in seen.links.values()
    assert SECURITY not in seen.links.values()
    assert "Access" not in menu(seen)


@pytest.mark.parametrize("who", ["admin", "operator"])
def test_the_menu_of_an_admin_leads_to_access_its_users_and_its_security(
    browser: Browser, people: Cast, who: str
) -> None:
    browser.log_in(getattr(people, who))
    for path, words in (
        (DESK, None),
        (USERS, "Users"),
        (f"{USERS}/{people.reader.id}", "Users"),
        (SECURITY, "Security"),
    ):
        seen = Seen(browser.get(path))
        links = menu(seen)
        assert (links["Access"], links["Users"], links["Security"]) == (USERS, USERS, SECURITY)
        assert words is None or current(seen) == [words]
    for href in menu(Seen(browser.get(DESK))).values():
        assert browser.get(href).status == 200


@pytest.mark.parametrize("who", ["reader", "editor", "admin", "operator"])
def test_the_menus_show_nothing_that_does_not_open(browser: Browser, people: Cast, who: str, elsewhere: None) -> None:
    """Whatever a page links to, whoever sees it: no link leads to a refusal."""
    browser.log_in(getattr(people, who))
    seen_before: set[str] = set()
    waiting = ["/", "/account", "/portals/city-data/", "/portals/elsewhere/"]
    while waiting:
        path = waiting.pop()
        if path in seen_before or not path.startswith("/") or path.startswith("/static"):
            continue
        seen_before.add(path)
        page = browser.get(path, follow=True)
        assert page.status == 200, path
        waiting += [node["href"].partition("#")[0] for node in Seen(page).all("a")]
    assert (DESK in seen_before) is (who != "reader")
    assert (USERS in seen_before) is (who in ("admin", "operator"))


def test_with_one_portal_the_link_stands_on_every_page_of_those_who_work_there(
    browser: Browser, new_browser: Callable[[], Browser], people: Cast
) -> None:
    for person, wanted in (
        (people.reader, None),
        (people.editor, DESK),
        (people.admin, DESK),
        (people.operator, DESK),
    ):
        theirs = new_browser()
        theirs.log_in(person)
        for path in ("/", "/portals/city-data/", "/account", "/account/security", "/account/security/methods"):
            assert top_bar(theirs, path) == wanted, (person.name, path)


@pytest.mark.parametrize(
    ("who", "on_account", "on_city_data", "on_elsewhere"),
    [
        ("reader", None, None, None),
        ("editor", DESK, DESK, None),
        ("admin", None, DESK, "/portals/elsewhere/backoffice"),
        ("operator", None, DESK, "/portals/elsewhere/backoffice"),
    ],
)
def test_with_several_portals_the_link_is_the_one_of_the_portal_that_one_looks_at(
    browser: Browser,
    people: Cast,
    who: str,
    on_account: str | None,
    on_city_data: str | None,
    on_elsewhere: str | None,
    elsewhere: None,
) -> None:
    browser.log_in(getattr(people, who))
    for path in ("/", "/account", "/account/security"):
        assert top_bar(browser, path) == on_account
    assert top_bar(browser, "/portals/city-data/") == on_city_data
    assert top_bar(browser, "/portals/elsewhere/") == on_elsewhere


def test_no_two_pages_share_a_title_and_each_says_whose_it_is(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        give_app(people.operator, clock, "My phone")
    browser.log_in(people.operator)
    (own,) = rows.apps(app, people.operator)
    person = f"{USERS}/{people.reader.id}"
    paths = [
        "/",
        "/account",
        "/account/security",
        "/account/security/methods",
        "/account/security/methods/add",
        f"/account/security/methods/{own.id}/rename",
        f"/account/security/methods/{own.id}/delete",
        "/confirm",
        DESK,
        USERS,
        SECURITY,
        person,
        *(f"{person}/{action}" for action in ("role", "remove", "operator", "suspend", "restore")),
        *(f"{person}/{action}" for action in ("end-logins", "reset-mfa", "reset-link")),
    ]
    titles = {}
    for path in paths:
        page = browser.get(path)
        assert page.status == 200, path
        seen = Seen(page)
        titles[path] = seen.title
        assert seen.title.endswith("City data"), path
        assert seen.h1, path
        for word in seen.h1.replace("“", "").replace("”", "").split():
            assert word in seen.title or path == "/", (path, seen.title)
    shared = {path: title for path, title in titles.items() if list(titles.values()).count(title) > 1}
    assert shared == {}
