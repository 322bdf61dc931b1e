from collections.abc import Callable
from urllib.parse import parse_qs, quote

import pytest
from flask import Flask
from sqlalchemy import update

from mfaportal.domain import portals
from mfaportal.models import Account
from mfaportal.rules.mfa_rule import MfaRule
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.looking import Seen
from tests.people import Cast, add_person, give_app, on_the_command_line, set_rule

USERS = "/portals/city-data/backoffice/access/users"


def listed(page: Page) -> list[str]:
    """The names on a page of the list, in its order."""
    assert page.status == 200
    bodies = Seen(page).all("tbody")
    lines = [node for node in bodies[0].walk() if node.tag == "tr"] if bodies else []
    return [next(node.text for node in line.walk() if node.tag == "a") for line in lines]


def line_of(page: Page, name: str) -> str:
    (found,) = [node.text for node in Seen(page).all("tr") if node.text.startswith(name)]
    return found


@pytest.fixture
def admin(browser: Browser, people: Cast) -> Browser:
    """The admin's browser, logged in."""
    browser.log_in(people.admin)
    return browser


def test_the_list_shows_everybody_of_the_portal_and_the_operators(
    admin: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        portals.create(on_the_command_line(clock), "Elsewhere", "elsewhere")
        add_person(clock, "outsider@example.org", "Outsider", "admin", portal="elsewhere")
    page = admin.get(USERS)
    seen = Seen(page)
    assert "Users" in seen.title
    assert seen.h1 == "Users"
    assert listed(page) == ["Admin", "Editor", "Operator", "Reader"]
    assert seen.links["Reader"] == f"{USERS}/{people.reader.id}"
    assert [node.text for node in seen.all("th")] == ["Name", "Role", "MFA", "Last log-in"]


def test_each_line_says_role_mfa_last_log_in_and_suspension(
    admin: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast, clock: MovableClock
) -> None:
    clock.advance(seconds=1)
    with app.app_context():
        give_app(people.editor, clock, "One")
        give_app(people.editor, clock, "Two")
        give_app(people.operator, clock)
        set_rule(MfaRule.BACK_OFFICE, clock)
    rows.put(app, update(Account).where(Account.id == people.reader.id).values(suspended_at=clock()))
    clock.advance(minutes=1)
    new_browser().log_in(people.operator)
    page = admin.get(USERS)
    reader, editor, own, operator = (line_of(page, name) for name in ("Reader", "Editor", "Admin", "Operator"))
    assert all(words in reader for words in ("reader@example.org", "suspended", "not set up", "never"))
    assert "required" not in reader
    assert all(words in editor for words in ("editor", "2 apps", "never"))
    assert all(words in own for words in ("admin", "required, not set up", "today, 09:00 UTC"))
    assert all(words in operator for words in ("operator", "1 app", "today, 09:01 UTC"))


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("Ada", ["Ada Lovelace"]),
        ("aDA love", ["Ada Lovelace"]),
        ("  lovelace  ", ["Ada Lovelace"]),
        ("@science.example", ["Ada Lovelace", "Strauß"]),
        ("ADA@SCIENCE", ["Ada Lovelace"]),
        ("STRAUSS", ["Strauß"]),
        ("élo", ["Élodie"]),
        ("e\u0301lo", ["Élodie"]),
        ("%", ["100 % sure"]),
        ("r_s", ["under_score"]),
        ("k\\s", ["back\\slash"]),
        ("l", ["Ada Lovelace"]),
        ("s@", ["Strauß"]),
        ("ov", []),
        ("100 %", ["100 % sure"]),
        ("'; DROP TABLE accounts; --", []),
        ("no such person", []),
        ("\x00Ada", ["Ada Lovelace"]),
        ("x" * 5000, []),
    ],
)
def test_the_search_finds_parts_of_names_and_addresses_literally(
    admin: Browser, app: Flask, clock: MovableClock, typed: str, found: list[str]
) -> None:
    with app.app_context():
        for email, name in (
            ("ada@science.example", "Ada Lovelace"),
            ("s@science.example", "Strauß"),
            ("e@example.net", "Élodie"),
            ("p@example.net", "100 % sure"),
            ("u@example.net", "under_score"),
            ("b@example.net", "back\\slash"),
        ):
            add_person(clock, email, name, "reader")
    page = admin.get(f"{USERS}?q={quote(typed)}")
    assert listed(page) == found
    seen = Seen(page)
    assert seen.field("Search")["value"] == typed.strip().replace("\x00", "")[:100]
    if not found:
        assert "Nobody fits" in seen.main
        assert seen.links["Show all users"] == USERS


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("role=reader", ["Reader"]),
        ("role=editor", ["Editor"]),
        ("role=admin", ["Admin"]),
        ("mfa=set_up", ["Editor"]),
        ("mfa=not_set_up", ["Admin", "Operator", "Reader"]),
        ("mfa=missing", ["Admin", "Operator"]),
        ("mfa=missing&role=admin", ["Admin"]),
        ("q=example&mfa=set_up&role=editor", ["Editor"]),
        ("role=reader&mfa=set_up", []),
        ("role=owner&mfa=maybe", ["Admin", "Editor", "Operator", "Reader"]),
        ("role=&mfa=&q=", ["Admin", "Editor", "Operator", "Reader"]),
    ],
)
def test_filters_narrow_the_list_and_are_shown_as_chosen(
    admin: Browser, app: Flask, people: Cast, clock: MovableClock, query: str, found: list[str]
) -> None:
    clock.advance(minutes=1)
    with app.app_context():
        give_app(people.editor, clock)
        set_rule(MfaRule.BACK_OFFICE, clock)
    page = admin.get(f"{USERS}?{query}")
    assert listed(page) == found
    seen = Seen(page)
    sent = {name: values[0] for name, values in parse_qs(query).items()}
    for label, name in (("Role", "role"), ("MFA", "mfa")):
        options = [node for node in seen.field(label).walk() if node.tag == "option"]
        chosen = [node["value"] for node in options if "selected" in node.attributes]
        wanted = sent.get(name, "")
        assert chosen in ([wanted], [""] if wanted not in {node["value"] for node in options} else [wanted])


def test_a_role_may_be_covered_by_a_rule_for_all(
    admin: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    clock.advance(minutes=1)
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock)
    assert listed(admin.get(f"{USERS}?mfa=missing")) == ["Admin", "Editor", "Operator", "Reader"]
