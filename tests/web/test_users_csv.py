"""Access > Users as a CSV."""

import csv
import io
from itertools import islice

import pytest
from flask import Flask
from sqlalchemy import update

from mfaportal.domain import member_list, portals
from mfaportal.domain.member_list import MembersQuery
from mfaportal.models import Account, EventKind
from mfaportal.rules.mfa_rule import MfaRule
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.looking import Seen
from tests.people import Cast, add_person, give_app, on_the_command_line, set_rule

USERS = "/portals/city-data/backoffice/access/users"
COLUMNS = "name,email,role,operator,mfa_covered,apps,last_login_at,suspended,address_confirmed"


@pytest.fixture
def admin(browser: Browser, people: Cast) -> Browser:
    browser.log_in(people.admin)
    return browser


def lines(page: Page) -> list[dict[str, str]]:
    assert page.status == 200
    return list(csv.DictReader(io.StringIO(page.html, newline="")))


def test_the_file_has_everybody_of_this_portal_with_all_that_the_list_knows(
    admin: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    logged_in = f"{clock():%Y-%m-%dT%H:%M:%SZ}"
    clock.advance(minutes=1)
    with app.app_context():
        give_app(people.editor, clock)
        set_rule(MfaRule.BACK_OFFICE, clock)
        portals.create(on_the_command_line(clock), "Harbour", "harbour")
        add_person(clock, "tide@example.org", "Tide", "reader", portal="harbour")
    changed = {"suspended_at": clock(), "email_confirmed_at": None}
    rows.put(app, update(Account).where(Account.id == people.reader.id).values(changed))
    page = admin.get(Seen(admin.get(USERS)).links["CSV"])
    headers = page.response.headers
    assert headers["Content-Type"] == "text/csv; charset=utf-8"
    assert headers["Content-Disposition"] == "attachment; filename=users-city-data.csv"
    assert page.html.splitlines() == [
        COLUMNS,
        f"Admin,admin@example.org,admin,no,yes,0,{logged_in},no,yes",
        "Editor,editor@example.org,editor,no,yes,1,,no,yes",
        "Operator,operator@example.org,,yes,yes,0,,no,yes",
        "Reader,reader@example.org,reader,no,no,0,,yes,no",
    ]
    assert page.html.count("\r\n") == 5


def test_the_link_takes_the_filters_along_and_the_file_respects_them(
    admin: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    rows.add_crowd(app, clock, ["Kim & Co"] * 3)
    rows.add_crowd(app, clock, ["Kim & Co"], "editor")
    page = admin.get(Seen(admin.get(f"{USERS}?q=kim+%26&role=reader&mfa=not_set_up")).links["CSV"])
    assert [(line["name"], line["role"]) for line in lines(page)] == [("Kim & Co", "reader")] * 3
    (event,) = rows.events(app, EventKind.PEOPLE_EXPORTED)
    assert (event.actor_id, event.portal_id) == (people.admin.id, rows.portal(app).id)
    assert event.details == {"role": "reader", "mfa": "not_set_up", "searched": True}


def test_no_cell_is_a_formula_and_any_name_comes_out_as_it_went_in(
    admin: Browser, app: Flask, clock: MovableClock
) -> None:
    names = ["=1+1", "+1", "-1", "@x", "\uff1dx", 'say "hi", then go', "Zoë 東京", "'quoted"]
    rows.add_crowd(app, clock, names)
    found = sorted(line["name"] for line in lines(admin.get(f"{USERS}.csv?role=reader&q=crowd")))
    assert found == sorted([f"'{name}" for name in names[:5]] + names[5:])


def test_a_file_of_several_portions_has_everybody_once_whoever_goes_meanwhile(
    app: Flask, people: Cast, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were the place found again by its person, the file would begin anew when they have gone: for ever."""
    monkeypatch.setattr(member_list, "PORTION", 10)
    ids = rows.add_crowd(app, clock, ["Kim Lee"] * 35)
    portal_id = rows.portal(app).id
    seen = []
    with app.app_context():
        for member in islice(member_list.everybody(portal_id, MembersQuery(text="kim")), 99):
            seen.append(member.id)
            if len(seen) == 10:
                rows.put(app, update(Account).where(Account.id == member.id).values(name="A", name_key="a"))
    assert seen == ids


def test_a_large_file_is_sent_while_it_is_read(admin: Browser, app: Flask, people: Cast, clock: MovableClock) -> None:
    """A portion at a time, each in a look of its own; nothing is kept until the end."""
    rows.add_crowd(app, clock, ["Kim"] * 1200)
    with rows.counted_statements(app) as statements:
        found = lines(admin.get(f"{USERS}.csv?role=reader", buffered=True))
    assert len(found) == 1201
    portions = [statement for statement in statements if "name_key" in statement and "LIMIT" in statement]
    assert len(portions) == 3


def test_a_stale_step_up_comes_before_the_file(admin: Browser, app: Flask, clock: MovableClock) -> None:
    clock.advance(minutes=11)
    page = admin.get(f"{USERS}.csv?role=reader")
    assert (page.status, page.location) == (303, f"/confirm?next={USERS}.csv%3Frole%3Dreader")
    assert rows.events(app, EventKind.PEOPLE_EXPORTED) == []
    assert Seen(admin.get(page.location)).links["Back to the list"] == USERS, "the browser stays on this page"
