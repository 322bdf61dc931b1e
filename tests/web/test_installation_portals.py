"""Installation > Portals: added, renamed, deleted."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import insert, select

from mfaportal.domain import access_security, portals
from mfaportal.domain.stored_files import store
from mfaportal.models import AccessRequest, Dataset, EventKind, GuardedAddress, Invitation, Membership, Portal
from mfaportal.plumbing.db import transaction
from mfaportal.rules.mfa_rule import MfaRule
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.looking import Seen
from tests.people import PORTAL, Cast, Person, add_person, on_the_command_line

PORTALS = "/installation/portals"


@pytest.fixture
def operator(browser: Browser, people: Cast) -> Browser:
    browser.log_in(people.operator)
    return browser


def slugs(app: Flask) -> list[str]:
    return rows.rows(app, select(Portal.slug).order_by(Portal.id))


@pytest.fixture
def member(app: Flask, people: Cast, clock: MovableClock) -> Person:
    """Somebody of a second portal only, in which there is one of everything."""
    with app.app_context():
        portals.create(on_the_command_line(clock), "Harbour", "harbour")
        person = add_person(clock, "tide@example.org", "Tide", "admin", portal="harbour")
        portal_id = rows.portal(app, "harbour").id
        with transaction() as session:
            session.add(AccessRequest(portal_id=portal_id, account_id=people.reader.id, made_at=clock()))
            link = {"token_digest": b"x" * 32, "made_at": clock(), "expires_at": clock()}
            session.add(Invitation(portal_id=portal_id, email="new@example.org", role="reader", **link))
            words = {"slug": "quays", "title": "Quays", "title_key": "quays", "visibility": "public"}
            session.add(Dataset(portal_id=portal_id, added_at=clock(), changed_at=clock(), **words))
    return person


def test_a_new_portal_is_private_closed_and_without_a_rule(operator: Browser, app: Flask, people: Cast) -> None:
    page = operator.get(Seen(operator.get(PORTALS)).links["Add portal"])
    seen = Seen(page)
    assert (seen.h1, seen.buttons) == ("Add portal", ["Save"])
    answer = operator.send(page, name="Bridges  and roads", slug="bridges")
    assert (answer.status, answer.location) == (303, PORTALS)
    seen = Seen(operator.get(PORTALS))
    assert seen.messages == ["Added Bridges and roads: private, closed, with no members yet."]
    assert seen.links["Bridges and roads"] == f"{PORTALS}/bridges"
    made = rows.portal(app, "bridges")
    assert (made.name, made.visibility, made.sign_up, made.mfa_rule) == (
        "Bridges and roads",
        "private",
        "closed",
        "off",
    )
    (event,) = rows.events(app, EventKind.PORTAL_CREATED)
    assert (event.source, event.actor_id, event.portal_id) == ("web", people.operator.id, made.id)
    assert operator.get("/portals/bridges/backoffice").status == 200


@pytest.mark.parametrize(
    ("name", "slug", "field", "words"),
    [
        ("", "bridges", "Name", "Give the portal a name."),
        ("\u2800", "bridges", "Name", "1 to 80 visible characters"),
        ("Bridges", "", "Slug", "Choose its name in addresses."),
        ("Bridges", "new", "Slug", "The word new is taken."),
        ("Bridges", "Bridges", "Slug", "a-z, 0-9 and -"),
        ("Bridges", PORTAL, "Slug", "There is a portal with this slug already."),
    ],
)
@pytest.mark.parametrize("path", ["new", "harbour"])
def test_a_wrong_name_or_slug_is_told_at_its_field(
    operator: Browser, app: Flask, member: Person, path: str, name: str, slug: str, field: str, words: str
) -> None:
    page = operator.submit(f"{PORTALS}/{path}", name=name, slug=slug)
    assert page.status == 422
    seen = Seen(page)
    assert words in seen.error_of(field)
    assert (seen.field("Name")["value"], seen.field("Slug")["value"]) == (name, slug)
    assert slugs(app) == [PORTAL, "harbour"]


def test_a_new_slug_changes_every_address_and_the_page_says_so(
    operator: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast
) -> None:
    reader = new_browser()
    reader.log_in(people.reader)
    page = operator.get(f"{PORTALS}/{PORTAL}")
    assert "changes every address below /portals/city-data/" in Seen(page).main
    assert operator.send(page, name="Town data", slug="town-data").location == PORTALS
    assert Seen(operator.get(PORTALS)).messages == ["Saved."]
    assert (reader.get("/portals/city-data/").status, reader.get("/portals/town-data/").status) == (404, 200)
    assert Seen(reader.get("/account")).title.endswith("Town data"), "it is the installation's name, too"
    (event,) = rows.events(app, EventKind.PORTAL_RENAMED)
    assert (event.actor_id, event.details) == (people.operator.id, {"slug": ["city-data", "town-data"]})


def test_saving_without_a_change_notes_nothing(operator: Browser, app: Flask) -> None:
    assert operator.submit(f"{PORTALS}/{PORTAL}").status == 303
    assert rows.events(app, EventKind.PORTAL_RENAMED) == []


def test_a_portal_is_deleted_with_all_that_is_in_it_and_nobody_is_logged_out(
    operator: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast, member: Person
) -> None:
    theirs = new_browser()
    theirs.log_in(member)
    assert theirs.get("/portals/harbour/").status == 200
    portal_id = rows.portal(app, "harbour").id
    page = operator.get(f"{PORTALS}/harbour/delete")
    seen = Seen(page)
    assert seen.h1 == "Delete “Harbour”"
    assert all(words in seen.main for words in ("Members 1", "Datasets 1", "Requests 1 open"))
    assert seen.buttons == ["Delete"]
    assert slugs(app) == [PORTAL, "harbour"], "a GET deletes nothing"
    assert operator.send(page).location == PORTALS
    assert Seen(operator.get(PORTALS)).messages == ["Harbour was deleted."]
    assert slugs(app) == [PORTAL]
    for model in (Membership, AccessRequest, Invitation, Dataset):
        assert rows.rows(app, select(model).where(model.portal_id == portal_id)) == []
    assert theirs.get("/account").status == 200
    assert theirs.get("/portals/harbour/").status == 404
    assert rows.account(app, member).name == "Tide"
    (event,) = rows.events(app, EventKind.PORTAL_DELETED)
    assert (event.actor_id, event.portal_id, event.details) == (people.operator.id, portal_id, {"slug": "harbour"})
    assert rows.role(app, people.reader) == "reader"


def test_the_files_of_its_datasets_go_with_it_but_for_those_that_another_portal_has_too(
    operator: Browser, app: Flask, member: Person, clock: MovableClock
) -> None:
    digests = []
    with app.app_context():
        for content in (b"theirs", b"both"):
            with store().spool() as file, store().locked():
                file.write(content)
                measured = store().measure(file)
                store().place(measured)
            digests.append(measured.digest)
        here, there = (rows.portal(app, slug).id for slug in (PORTAL, "harbour"))
        for portal_id, digest, slug in ((there, digests[0], "a"), (there, digests[1], "b"), (here, digests[1], "b")):
            words = {"slug": slug, "title": slug, "title_key": slug, "visibility": "public", "file_digest": digest}
            moments = {"added_at": clock(), "changed_at": clock()}
            rows.put(app, insert(Dataset).values(portal_id=portal_id, **words, **moments))
    assert operator.submit(f"{PORTALS}/harbour/delete").status == 303
    with app.app_context():
        assert store().digests() == [digests[1]]


def test_the_last_portal_stays(operator: Browser, app: Flask) -> None:
    page = operator.submit(f"{PORTALS}/{PORTAL}/delete")
    assert page.status == 409
    assert Seen(page).messages == ["This is the only portal. Add another one first, then delete this one."]
    assert slugs(app) == [PORTAL]
    assert rows.events(app, EventKind.PORTAL_DELETED) == []


def test_when_the_first_portal_goes_the_next_one_names_the_installation_and_its_rule_is_gone(
    operator: Browser, app: Flask, member: Person, clock: MovableClock
) -> None:
    clock.advance(seconds=1)
    with app.app_context():
        access_security.change(
            on_the_command_line(clock), PORTAL, visibility=None, rule=MfaRule.EVERYONE, apply_now=False
        )
    assert "City data · runs" in operator.get("/account").html.partition("<footer>")[2]
    assert operator.submit(f"{PORTALS}/{PORTAL}/delete").status == 303
    assert "Harbour · runs" in operator.get("/account").html.partition("<footer>")[2]
    assert operator.get("/").status == 200


def test_many_portals_are_shown_once_each_page_by_page_in_three_statements(
    operator: Browser, app: Flask, clock: MovableClock
) -> None:
    made = [{"slug": f"p-{number}", "name": "Same", "created_at": clock()} for number in range(119)]
    rows.put(app, insert(Portal).values(made))
    guarded = {"scheme": "https", "prefix": ""}
    ids = rows.rows(app, select(Portal.id))
    rows.put(app, insert(GuardedAddress).values([{"portal_id": n, "host": f"d{n}.test", **guarded} for n in ids]))
    listed, path = [], PORTALS
    while path:
        with rows.counted_statements(app) as statements:
            seen = Seen(operator.get(path))
        assert len(statements) == 3
        listed += [node["href"] for node in seen.all("a") if node["href"].startswith(f"{PORTALS}/")]
        path = seen.links.get("Next page", "")
    assert [each for each in listed if not each.endswith("/new")] == [f"{PORTALS}/{slug}" for slug in slugs(app)]
