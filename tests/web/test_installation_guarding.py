"""Installation > Portals: the addresses that a portal guards, and who is shown the way to them."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, select, update

from mfaportal.domain import portals
from mfaportal.domain.guard_lines import Typed
from mfaportal.models import BackOfficePath, EventKind, GuardedAddress, Portal
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.guarded import guard
from tests.looking import Seen
from tests.people import PORTAL, Cast, on_the_command_line

PORTALS = "/installation/portals"
HARBOUR = f"{PORTALS}/harbour"
ADDRESS, PATH = "Addresses", "Back-office paths"
FINE, TIDES, SHIPS = "https://fine.example.org", "https://tides.example.org", "https://example.org/ships"


@pytest.fixture
def operator(browser: Browser, people: Cast) -> Browser:
    browser.log_in(people.operator)
    return browser


@pytest.fixture
def harbour(app: Flask, people: Cast, clock: MovableClock) -> None:
    """A second portal, private and with no members, that guards two addresses."""
    with app.app_context():
        portals.create(on_the_command_line(clock), "Harbour", "harbour", Typed(f"{TIDES}\n{SHIPS}", "/admin\n/-/"))


def guarded(app: Flask, slug: str) -> tuple[list[str], list[str]]:
    """The addresses and back-office paths in the rows of a portal."""
    portal_id = rows.portal(app, slug).id
    addresses = rows.rows(app, select(GuardedAddress).where(GuardedAddress.portal_id == portal_id))
    paths = rows.rows(app, select(BackOfficePath.path).where(BackOfficePath.portal_id == portal_id))
    return sorted(f"{each.scheme}://{each.host}{each.prefix}" for each in addresses), sorted(paths)


def typed_in(page: Page, name: str) -> str:
    """What stands in a field of several lines."""
    (text,) = Seen(page).field(name).children
    assert isinstance(text, str)
    return text.removeprefix("\r\n")


def test_a_portal_guards_what_the_lines_say_each_in_its_one_spelling(operator: Browser, app: Flask) -> None:
    page = operator.get(f"{PORTALS}/new")
    main = Seen(page).main
    assert "Readers reach everything there but the back-office paths; editors and admins reach those, too." in main
    assert "must lead to a reverse proxy" in main
    typed = "\r\n  HTTPS://Data.Example.ORG:443/ \r\n\r\nhttps://data.example.org\nhttp://tool.localhost:81/A/b/\r\n"
    answer = operator.send(
        page, name="Maps", slug="maps", addresses=typed, back_office_paths="/-/\r\n/admin\r\n/admin/"
    )
    assert (answer.status, answer.location) == (303, PORTALS)
    kept = ["http://tool.localhost:81/A/b", "https://data.example.org"], ["/-", "/admin"]
    assert guarded(app, "maps") == kept
    (event,) = rows.events(app, EventKind.PORTAL_GUARDS)
    assert event.portal_id == rows.portal(app, "maps").id
    assert event.details == {"addresses": kept[0][::-1], "back_office_paths": kept[1]}
    links = Seen(operator.get(PORTALS)).links
    assert links["Open data.example.org"] == "https://data.example.org/"
    assert links["Open tool.localhost:81/A/b"] == "http://tool.localhost:81/A/b/"
    page = operator.get(f"{PORTALS}/maps")
    assert (typed_in(page, ADDRESS).split("\n"), typed_in(page, PATH).split("\n")) == (kept[0][::-1], kept[1])
    said = "Guarded addresses changed guards https://data.example.org http://tool.localhost:81/A/b"
    assert f"{said}, back office: /- /admin" in Seen(operator.get("/installation/activity")).main


WRONG = [
    (ADDRESS, f"{FINE}\n\nfine.example.org", "Line 3: fine.example.org is no address such as https://"),
    (ADDRESS, "https://data.example.org/a b", "Line 1: https://data.example.org/a b is no address"),
    (ADDRESS, "https://data.example.org/?x=1", "is no address"),
    (ADDRESS, "https://someone@data.example.org", "is no address"),
    (ADDRESS, "https://*.example.org", "is no address"),
    (ADDRESS, f"https://{'a' * 90}.example.org", f"Line 1: https://{'a' * 72}… is no address"),
    (ADDRESS, "http://data.example.org", "has to begin with https://"),
    (ADDRESS, "http://8.8.8.8", "has to begin with https://"),
    (ADDRESS, "http://127.0.0.1:8000/app", "is this portal's own name"),
    (ADDRESS, "https://LOCALHOST:9000", "is this portal's own name. What it guards needs another one"),
    (ADDRESS, f"{FINE}/a\n{FINE}/A", f"Line 2: {FINE}/A differs too little from another line"),
    (ADDRESS, "https://a.localhost\nhttp://a.localhost", "differs too little"),
    (ADDRESS, f"{FINE}\n{TIDES}/", f"Line 2: {TIDES}/ is guarded by the portal Harbour already."),
    (ADDRESS, "https://example.org/SHIPS", "is guarded by the portal Harbour already."),
    (ADDRESS, "\n".join(f"{FINE}/{number}" for number in range(11)), "at most 10 addresses."),
    (PATH, "/admin\nadmin", "Line 2: admin is no path such as /admin"),
    (PATH, "/admin/*", "is no path such as /admin"),
    (PATH, "/a/../b", "is no path such as /admin"),
    (PATH, "/%61dmin", "is no path such as /admin"),
    (PATH, "/", "Line 1: / would be all of it. To keep readers out of an address, make its portal private"),
    (PATH, "\n".join(f"/{number}" for number in range(31)), "at most 30 back-office paths."),
]


def test_a_line_that_cannot_be_guarded_is_told_at_its_field_and_nothing_is_changed(
    operator: Browser, app: Flask, harbour: None
) -> None:
    for path in (PORTAL, "new"):
        opened = operator.get(f"{PORTALS}/{path}")
        for field, typed, words in WRONG:
            sent: dict[str, Any] = {
                "addresses": FINE,
                "back_office_paths": "/admin",
                "name": "Another name",
                "slug": "another",
            }
            sent["addresses" if field == ADDRESS else "back_office_paths"] = typed
            page = operator.send(opened, **sent)
            assert page.status == 422, typed
            seen = Seen(page)
            assert words in seen.error_of(field)
            shown = [typed_in(page, ADDRESS), typed_in(page, PATH), seen.field("Name")["value"]]
            assert shown == list(sent.values())[:3], "what was typed is kept"
    assert guarded(app, PORTAL) == ([], [])
    assert rows.rows(app, select(Portal.name)) == ["City data", "Harbour"]
    assert len(rows.events(app, EventKind.PORTAL_GUARDS)) == 1, "the harbour's"


def test_ten_addresses_and_thirty_paths_are_not_too_many(operator: Browser, app: Flask) -> None:
    addresses = [f"{FINE}/{number}" for number in range(10)]
    paths = [f"/{number}" for number in range(30)]
    sent: dict[str, Any] = {
        "addresses": "\n".join([*addresses, *addresses]),
        "back_office_paths": "\n".join([*paths, *paths]),
    }
    assert operator.submit(f"{PORTALS}/{PORTAL}", **sent).status == 303
    assert guarded(app, PORTAL) == (addresses, sorted(paths))


def test_an_address_below_one_of_another_portal_is_another_address(
    operator: Browser, app: Flask, harbour: None
) -> None:
    assert operator.submit(f"{PORTALS}/{PORTAL}", addresses=f"{TIDES}/high\nhttps://example.org").status == 303
    assert guarded(app, PORTAL)[0] == ["https://example.org", f"{TIDES}/high"]


def test_only_a_change_is_noted_and_a_field_that_is_not_sent_stays_as_it_is(
    operator: Browser, app: Flask, harbour: None
) -> None:
    before = guarded(app, "harbour")
    page = operator.get(HARBOUR)
    shown = {"addresses": typed_in(page, ADDRESS), "back_office_paths": typed_in(page, PATH)}
    alike: list[dict[str, Any]] = [{"addresses": f"{TIDES}\n{SHIPS}/"}, {"back_office_paths": "/admin/\n/-"}]
    for same in (shown, {}, *alike):
        assert operator.send(page, **same).status == 303
        assert guarded(app, "harbour") == before
    assert len(rows.events(app, EventKind.PORTAL_GUARDS)) == 1
    assert operator.submit(HARBOUR, addresses=f"{TIDES}:8443", back_office_paths="").status == 303
    assert guarded(app, "harbour") == ([f"{TIDES}:8443"], [])
    assert operator.submit(HARBOUR, addresses="", back_office_paths="/later").status == 303
    assert guarded(app, "harbour") == ([], ["/later"]), "paths may wait for an address"
    details = [event.details for event in rows.events(app, EventKind.PORTAL_GUARDS)[1:]]
    assert details == [
        {"addresses": [f"{TIDES}:8443"], "back_office_paths": []},
        {"addresses": [], "back_office_paths": ["/later"]},
    ]
    assert rows.events(app, EventKind.PORTAL_RENAMED) == []


def test_with_its_portal_an_address_is_free_again(operator: Browser, app: Flask, harbour: None) -> None:
    page = operator.get(f"{HARBOUR}/delete")
    assert f"{SHIPS} {TIDES}: nobody gets in there any more" in Seen(page).main
    assert operator.send(page).status == 303
    assert rows.rows(app, select(GuardedAddress.host)) == rows.rows(app, select(BackOfficePath.path)) == []
    assert operator.submit(f"{PORTALS}/{PORTAL}", addresses=TIDES).status == 303
    assert guarded(app, PORTAL)[0] == [TIDES]


@pytest.mark.parametrize("several", [True, False])
def test_the_way_to_an_address_is_shown_to_whoever_may_enter_its_portal(
    operator: Browser,
    new_browser: Callable[[], Browser],
    app: Flask,
    people: Cast,
    clock: MovableClock,
    several: bool,
) -> None:
    """On the home page, which is the only portal's front page or a list of several, and on the front page."""
    assert operator.submit(f"{PORTALS}/{PORTAL}", addresses="https://data.example.org/app").status == 303
    if several:
        with app.app_context():
            portals.create(on_the_command_line(clock), "Harbour", "harbour", Typed(TIDES))
    reader, stranger = new_browser(), new_browser()
    reader.log_in(people.reader)
    ways = {
        path: {name: link for name, link in Seen(reader.get(path)).links.items() if name.startswith("Open ")}
        for path in ("/", f"/portals/{PORTAL}/")
    }
    city = {"Open data.example.org/app": "https://data.example.org/app/"}
    assert ways == {"/": city, f"/portals/{PORTAL}/": city}
    assert ("Open tides.example.org" in Seen(operator.get("/")).links) is several
    assert "example.org" not in stranger.get("/", follow=True).html.partition("<main")[2]
    rows.put(app, update(Portal).where(Portal.slug == PORTAL).values(visibility="public"))
    links = Seen(stranger.get("/")).links
    assert [name for name in links if name.startswith("Open ")] == list(city), "public: strangers, too"


def test_the_home_page_costs_three_statements_however_many_portals_guard_something(
    operator: Browser, app: Flask, clock: MovableClock
) -> None:
    made = [{"slug": f"p-{number}", "name": f"P {number}", "created_at": clock()} for number in range(30)]
    rows.put(app, insert(Portal).values(made))
    places = [
        {"portal_id": portal_id, "scheme": "https", "host": f"d{portal_id}.example.org", "prefix": prefix}
        for portal_id in rows.rows(app, select(Portal.id))
        for prefix in ("", "/app")
    ]
    rows.put(app, insert(GuardedAddress).values(places))
    with rows.counted_statements(app) as statements:
        links = Seen(operator.get("/")).links
    assert len([name for name in links if name.startswith("Open ")]) == 62
    assert len(statements) == 3


def test_who_makes_a_portal_public_is_told_what_that_opens(app: Flask, people: Cast, browser: Browser) -> None:
    """Its admins do not see the form in which an operator names the addresses."""
    browser.log_in(people.admin)
    before = browser.get("/portals/city-data/backoffice/access/security")
    assert "without a log-in" not in before.text
    guard(app, "https://data.example.org")
    page = browser.get("/portals/city-data/backoffice/access/security")
    assert "everything at https://data.example.org but the back-office paths, without a log-in or MFA" in page.text
