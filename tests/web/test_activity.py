"""Activity: one's own, a portal's for its admins, everything for operators; in words, filtered, and as files."""

import csv
import io
import json

import pytest
from flask import Flask
from sqlalchemy import delete, insert, update

from mfaportal.domain import accounts, activity, authenticators, members, portals
from mfaportal.domain.activity import EventGroup
from mfaportal.domain.caller import Caller
from mfaportal.models import Account, Event, EventKind, Membership
from mfaportal.plumbing.db import transaction
from mfaportal.rules.roles import MemberRole
from mfaportal.web import event_words
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.looking import Seen
from tests.people import PORTAL, Cast, Person, add_person, on_the_command_line

OWN = "/account/security/activity"
OF_PORTAL = f"/portals/{PORTAL}/backoffice/access/activity"
ALL = "/installation/activity"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def note(app: Flask, clock: MovableClock, kind: EventKind, number: int = 1, **more: object) -> None:
    """Events as a browser writes them, put in at once."""
    row = {"kind": kind, "at": clock(), "source": "web", "address": "192.0.2.50", "browser": FIREFOX, "details": {}}
    row |= {"actor_id": None, "account_id": None, "portal_id": None, **more}
    with app.app_context(), transaction() as session:
        session.execute(insert(Event), [row] * number)


def lines(page: Page) -> list[str]:
    """The list, a line an event."""
    assert page.status == 200
    return [row.text for row in Seen(page).all("tr")[1:]]


def the_line(page: Page, words: str) -> str:
    (found,) = [line for line in lines(page) if words in line]
    return found


@pytest.fixture
def cli(app: Flask, people: Cast, clock: MovableClock) -> Caller:
    with app.app_context():
        return on_the_command_line(clock)


def test_every_kind_of_event_has_words_and_a_group() -> None:
    assert set(event_words._WHAT) == set(EventKind)
    assert sorted(kind for group in EventGroup for kind in activity.kinds_of(group)) == sorted(EventKind)


def test_ones_own_activity_says_what_was_done_to_the_account_and_by_whom(
    browser: Browser, app: Flask, people: Cast, cli: Caller
) -> None:
    with app.app_context():
        members.change_role(cli, PORTAL, people.reader.id, MemberRole.EDITOR)
    browser.log_in(people.reader)
    page = browser.get(Seen(browser.get("/account/security")).links["Activity"])
    assert Seen(page).h1 == "Activity"
    newest, changed = lines(page)[:2]
    assert newest.startswith("Logged in with password 2 March 2026, 09:00 UTC you 192.0.2.7 ")
    assert "Role changed role reader → editor" in changed
    assert changed.endswith("UTC the command line")


def test_of_what_others_did_to_me_i_am_not_told_from_where(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    about = {"actor_id": people.admin.id, "account_id": people.reader.id, "portal_id": 1}
    note(app, clock, EventKind.MEMBER_REMOVED, **about)
    note(app, clock, EventKind.LOGIN_PASSWORD_WRONG, account_id=people.reader.id)
    note(app, clock, EventKind.ACCOUNT_RENAMED, actor_id=people.editor.id, account_id=people.editor.id)
    browser.log_in(people.reader)
    page = browser.get(OWN)
    assert the_line(page, "Removed from").endswith("UTC Admin")
    assert the_line(page, "Wrong password").endswith("somebody not logged in 192.0.2.50 Firefox on Linux")
    assert "Name changed" not in page.text


def test_a_portals_admin_sees_its_events_but_not_from_where_operators_acted(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    here = rows.portal(app).id
    with app.app_context():
        former = add_person(clock, "former@example.org", "Former", None)
    for actor, kind in (
        (former.id, EventKind.MEMBER_LEFT),
        (people.operator.id, EventKind.MEMBER_REMOVED),
        (people.admin.id, EventKind.ROLE_CHANGED),
        (77, EventKind.DATASET_DELETED),
        (None, EventKind.REQUEST_MADE),
    ):
        note(app, clock, kind, actor_id=actor, account_id=people.reader.id, portal_id=here)
    note(app, clock, EventKind.LOGIN_COMPLETED, account_id=people.reader.id)
    browser.log_in(people.admin)
    page = browser.get(OF_PORTAL)
    assert the_line(page, "Removed from").endswith("Reader Operator")
    assert the_line(page, "Left the portal").endswith("Reader Former"), "nor where somebody is who has left"
    assert the_line(page, "Role changed").endswith("Reader Admin 192.0.2.50 Firefox on Linux")
    assert the_line(page, "Dataset deleted").endswith("Reader a deleted account (77)")
    assert the_line(page, "Asked for access").endswith("somebody not logged in 192.0.2.50 Firefox on Linux")
    assert "Logged in" not in page.text, "log-ins are of accounts, not of portals"
    found = {row["kind"]: row["address"] for row in csv.DictReader(io.StringIO(browser.get(f"{OF_PORTAL}.csv").html))}
    assert (found["membership:removed"], found["membership:role-changed"]) == ("", "192.0.2.50")


def test_an_operator_sees_everything_there_and_here(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    here = rows.portal(app).id
    note(app, clock, EventKind.MEMBER_REMOVED, actor_id=people.operator.id, account_id=99, portal_id=here)
    note(app, clock, EventKind.PORTAL_DELETED, actor_id=people.operator.id, portal_id=98, details={"slug": "gone"})
    note(app, clock, EventKind.CLOCK_WENT_BACK, source="upkeep", details={"seconds": 600})
    browser.log_in(people.operator)
    assert the_line(browser.get(OF_PORTAL), "Removed from").endswith("(99) Operator 192.0.2.50 Firefox on Linux")
    page = browser.get(ALL)
    assert "by 600 seconds" in the_line(page, "clock of the server")
    assert "the portal itself" in the_line(page, "clock of the server")
    assert "slug gone" in the_line(page, "Portal deleted")
    assert "a deleted portal (98)" in the_line(page, "Portal deleted")


def test_nothing_of_another_portal_comes_into_a_portals_list_or_file(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, cli: Caller
) -> None:
    with app.app_context():
        portals.create(cli, "Harbour", "harbour")
        quay = add_person(clock, "quay@example.org", "Quay Master", "reader", portal="harbour")
        members.change_role(cli, "harbour", quay.id, MemberRole.EDITOR)
    browser.log_in(people.admin)
    for tail in (
        "",
        "?person=quay",
        f"?person={quay.id}",
        "?portal=harbour",
        "?kind=people&from=2000-01-01",
        "?after=9999",
    ):
        for path in (f"{OF_PORTAL}{tail}", f"{OF_PORTAL}.csv{tail}"):
            page = browser.get(path)
            assert page.status == 200
            assert "Quay" not in page.html.replace("quay", "")
            assert "harbour" not in page.html.replace("portal=harbour", "").lower()
    assert browser.get("/portals/harbour/backoffice/access/activity").status == 403
    assert browser.get("/portals/harbour/backoffice/access/activity.csv").status == 403
    assert browser.get(ALL).status == 403
    assert browser.get(f"{ALL}.jsonl").status == 403


MADE = {"Added to the portal", "Link made"}


@pytest.mark.parametrize(
    ("filters", "kinds"),
    [
        ("person=read", {"Role changed", "Account suspended", "Account made"} | MADE),
        ("person=READER%40example", {"Role changed", "Account suspended", "Account made"} | MADE),
        ("person=66", {"Account deleted"}),
        ("person=%25", set()),
        ("kind=people", {"Role changed", "Added to the portal"}),
        ("kind=people&person=editor", {"Added to the portal"}),
        ("from=2026-03-04", {"Account suspended", "Logged in"}),
        ("to=2026-03-02", {"Account made", "Added to the portal", "Link made"}),
        ("from=2026-03-03&to=2026-03-03", {"Role changed", "Account deleted"}),
        ("portal=city-data", {"Role changed", "Added to the portal"}),
        ("portal=nowhere", set()),
    ],
)  # fmt: skip
def test_the_filters(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, filters: str, kinds: set[str]
) -> None:
    with app.app_context():
        clock.advance(days=1)
        members.change_role(on_the_command_line(clock), PORTAL, people.reader.id, MemberRole.EDITOR)
        note(app, clock, EventKind.ACCOUNT_DELETED, account_id=66, actor_id=66)
        clock.advance(days=1)
        accounts.suspend(on_the_command_line(clock), people.reader.id, "<b>left</b>")
    browser.log_in(people.operator)
    page = browser.get(f"{ALL}?{filters}")
    found = lines(page)
    known = (
        "Role changed",
        "Account suspended",
        "Account made",
        "Added to the portal",
        "Link made",
        "Account deleted",
        "Logged in",
    )
    assert {words for words in known if any(line.startswith(words) for line in found)} == kinds
    if "Account suspended" in kinds:
        assert "“<b>left</b>”" in the_line(page, "Account suspended"), "as it was typed"
    exported = browser.get(f"{ALL}.jsonl?{filters}").html.splitlines()
    own = {"events:exported"}
    assert len([line for line in exported if json.loads(line)["kind"] not in own]) == len(found)


def test_what_cannot_be_read_is_no_filter(browser: Browser, people: Cast) -> None:
    browser.log_in(people.operator)
    everything = len(lines(browser.get(ALL)))
    for filters in (
        "kind=nonsense",
        "from=yesterday",
        "from=2026-02-30",
        "to=9999-12-31",
        "to=20260302",
        "after=x",
        "person=%00",
    ):
        assert len(lines(browser.get(f"{ALL}?{filters}"))) == everything, filters
    assert lines(browser.get(f"{ALL}?from=0001-01-01")) == lines(browser.get(ALL))
    assert "Nothing fits" in browser.get(f"{ALL}?to=0001-01-01").text


def test_an_admin_finds_nobody_by_an_address_that_no_list_shows_them(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    """Else one could find out letter by letter what somebody's address is by now."""
    here = rows.portal(app).id
    with app.app_context():
        former = add_person(clock, "secret@quay.example", "Former", None)
    for account in (former, people.reader):
        note(app, clock, EventKind.ROLE_CHANGED, account_id=account.id, portal_id=here)
    browser.log_in(people.admin)
    assert len(lines(browser.get(f"{OF_PORTAL}?person=former"))) == 1
    assert "Nothing fits" in browser.get(f"{OF_PORTAL}?person=secret").text
    assert lines(browser.get(f"{OF_PORTAL}?person=reader%40example"))
    operator = Browser(app, clock)
    operator.log_in(people.operator)
    assert len(lines(operator.get(f"{OF_PORTAL}?person=secret"))) == 1


@pytest.mark.parametrize("path", [OWN, OF_PORTAL, ALL])
def test_a_long_list_is_paged_by_number_with_its_filters(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, path: str
) -> None:
    about = {"actor_id": people.operator.id, "account_id": people.operator.id, "portal_id": rows.portal(app).id}
    note(app, clock, EventKind.MEMBER_ADDED, 120, **about)
    browser.log_in(people.operator)
    filters = "" if path == OWN else "?kind=people&person=operator"
    seen, where = 0, f"{path}{filters}"
    pages = 0
    while where:
        page = browser.get(where)
        seen += len([line for line in lines(page) if "Added to the portal" in line])
        pages += 1
        note(app, clock, EventKind.MEMBER_ADDED, 1, **about)  # what comes in meanwhile moves nothing
        where = Seen(page).links.get("Next page", "")
    assert (seen, pages) == (120, 3)


def test_names_are_those_of_now_and_deleted_people_are_numbers(
    browser: Browser, app: Flask, people: Cast, cli: Caller
) -> None:
    with app.app_context():
        members.change_role(cli, PORTAL, people.reader.id, MemberRole.EDITOR)
    rows.put(app, update(Account).where(Account.id == people.reader.id).values(name="<i>New</i>"))
    browser.log_in(people.operator)
    assert " <i>New</i> " in the_line(browser.get(OF_PORTAL), "Role changed")
    rows.put(app, delete(Membership).where(Membership.account_id == people.reader.id))
    rows.put(app, delete(Account).where(Account.id == people.reader.id))
    assert f"a deleted account ({people.reader.id})" in the_line(browser.get(OF_PORTAL), "Role changed")


def test_taking_the_file_is_an_event_and_asks_for_step_up(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    browser.log_in(people.admin)
    page = browser.get(Seen(browser.get(f"{OF_PORTAL}?person=Reader&kind=people")).links["CSV"])
    assert page.response.headers["Content-Disposition"] == f"attachment; filename=activity-{PORTAL}.csv"
    assert page.response.headers["Content-Type"] == "text/csv; charset=utf-8"
    (event,) = rows.events(app, EventKind.EVENTS_EXPORTED)
    assert (event.actor_id, event.portal_id) == (people.admin.id, rows.portal(app).id)
    assert event.details["searched"] is True
    assert "Reader" not in str(event.details)
    clock.advance(minutes=11)
    assert browser.get(f"{OF_PORTAL}.csv").location.startswith("/confirm")
    assert len(rows.events(app, EventKind.EVENTS_EXPORTED)) == 1


def test_a_reason_is_shown_to_whoever_it_is_about(browser: Browser, app: Flask, people: Cast, cli: Caller) -> None:
    with app.app_context():
        authenticators.reset(cli, people.reader.id, "lost phone", new_password_too=False)
    person: Person = people.reader
    browser.log_in(person)
    assert "“lost phone”" in the_line(browser.get(OWN), "MFA reset")
