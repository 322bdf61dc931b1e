from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import insert

from mfaportal.domain import portals
from mfaportal.models import Authenticator
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.looking import Seen
from tests.people import Cast, add_person, on_the_command_line

USERS = "/portals/city-data/backoffice/access/users"


def listed(page: Page) -> list[str]:
    """The names on a page of the list, in its order."""
    assert page.status == 200
    bodies = Seen(page).all("tbody")
    lines = [node for node in bodies[0].walk() if node.tag == "tr"] if bodies else []
    return [next(node.text for node in line.walk() if node.tag == "a") for line in lines]


def all_pages(browser: Browser, path: str) -> list[Page]:
    """The list from its first page to its last, by the links a person would follow."""
    pages = [browser.get(path)]
    while "Next page" in Seen(pages[-1]).links:
        pages.append(browser.get(Seen(pages[-1]).links["Next page"]))
        assert len(pages) < 50
    return pages


@pytest.fixture
def admin(browser: Browser, people: Cast) -> Browser:
    """The admin's browser, logged in."""
    browser.log_in(people.admin)
    return browser


def test_paging_shows_everybody_once_even_with_equal_names(admin: Browser, app: Flask, clock: MovableClock) -> None:
    ids = rows.add_crowd(app, clock, ["Kim Lee"] * 130)
    pages = all_pages(admin, USERS)
    names = [name for page in pages for name in listed(page)]
    assert names == ["Admin", "Editor", *["Kim Lee"] * 130, "Operator", "Reader"]
    links = [href for page in pages for href in (node["href"] for node in Seen(page).all("a")) if f"{USERS}/" in href]
    numbers = [int(end) for href in links if (end := href.rpartition("/")[2]).isdigit()]
    assert numbers[2:132] == sorted(ids)
    assert len(numbers) == len(set(numbers)) == 134
    assert [len(listed(page)) for page in pages] == [50, 50, 34]


def test_people_are_in_the_order_of_their_names_whatever_their_case(
    admin: Browser, app: Flask, clock: MovableClock
) -> None:
    rows.add_crowd(app, clock, ["bob", "Alice", "BOB", "alice", "Bob"])
    assert listed(admin.get(f"{USERS}?role=reader&q=crowd")) == ["Alice", "alice", "bob", "BOB", "Bob"]


def test_search_and_filters_survive_paging_and_the_first_page_is_one_link_away(
    admin: Browser, app: Flask, clock: MovableClock
) -> None:
    rows.add_crowd(app, clock, [f"Kim & Lee {number:03}" for number in range(120)])
    rows.add_crowd(app, clock, ["Kim & Lee, who edits"], "editor")
    path = f"{USERS}?q=kim+%26+lee&role=reader&mfa=not_set_up"
    pages = all_pages(admin, path)
    assert [name for page in pages for name in listed(page)] == [f"Kim & Lee {number:03}" for number in range(120)]
    last = Seen(pages[-1])
    assert last.field("Search")["value"] == "kim & lee"
    assert "First page" not in Seen(pages[0]).links
    back = admin.get(last.links["First page"])
    assert listed(back) == listed(pages[0])
    assert parse_qs(urlsplit(last.links["First page"]).query) == parse_qs(urlsplit(path).query)


def test_just_one_page_has_no_links_to_others(admin: Browser, app: Flask, clock: MovableClock) -> None:
    rows.add_crowd(app, clock, ["Kim"] * 46)
    page = admin.get(USERS)
    assert len(listed(page)) == 50
    assert "Next page" not in Seen(page).links
    rows.add_crowd(app, clock, ["Kim"], "editor")
    assert "Next page" in Seen(admin.get(USERS)).links


@pytest.mark.parametrize("after", ["", "x", "-1", "\uff11\uff12", "1.5", "9" * 18, "9" * 19, "9" * 4000, "0", "%00"])
def test_a_place_that_nobody_has_begins_at_the_first_page(admin: Browser, after: str) -> None:
    assert listed(admin.get(f"{USERS}?after={after}")) == ["Admin", "Editor", "Operator", "Reader"]


def test_the_place_in_the_list_tells_nothing_of_people_of_other_portals(
    admin: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        portals.create(on_the_command_line(clock), "Elsewhere", "elsewhere")
        outsider = add_person(clock, "outsider@example.org", "Nobody's Business", "reader", portal="elsewhere")
    assert listed(admin.get(f"{USERS}?after={people.editor.id}")) == ["Operator", "Reader"]
    assert listed(admin.get(f"{USERS}?after={outsider.id}")) == ["Admin", "Editor", "Operator", "Reader"]


def test_ten_and_a_thousand_people_take_the_same_number_of_statements(
    admin: Browser, app: Flask, clock: MovableClock
) -> None:
    path = f"{USERS}?q=kim&mfa=not_set_up"
    rows.add_crowd(app, clock, ["Kim"] * 10)
    with rows.counted_statements(app) as few:
        assert len(listed(admin.get(path))) == 10
    ids = rows.add_crowd(app, clock, [f"Kim {number}" for number in range(990)], "editor")
    apps = [
        {"account_id": each, "name": "x", "name_key": "x", "sealed_secret": b"", "added_at": clock()}
        for each in ids[:400]
    ]
    rows.put(app, insert(Authenticator).values(apps))
    for query in (path, USERS, f"{USERS}?after={ids[500]}", f"{USERS}?role=editor&mfa=set_up"):
        with rows.counted_statements(app) as many:
            assert len(listed(admin.get(query))) == 50
        assert 3 < len(many) <= len(few) <= 9
