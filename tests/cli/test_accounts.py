"""`accounts list`, and what an operator does to an account from the terminal."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import insert, update

from mfaportal.models import Account, EventKind, Membership, Portal, Throttle
from mfaportal.rules.throttling import Kind
from tests import rows
from tests.browser_client import Browser
from tests.cli.terminal import Terminal
from tests.clock import MovableClock
from tests.people import Cast, add_person, give_app

NEW_PASSWORD = "seven lamps on the quiet harbour"


def test_the_list_as_json(terminal: Terminal, app: Flask, people: Cast, clock: MovableClock) -> None:
    with app.app_context():
        give_app(people.editor, clock)
    terminal.do("portals", "create", "Second", "--slug", "second")
    terminal.do("accounts", "role", "editor@example.org", "--portal", "second", "--role", "admin")
    terminal.do("accounts", "suspend", "reader@example.org")
    found = terminal.do("accounts", "list", "--json").json
    assert [account["email"] for account in found] == [
        "admin@example.org",
        "editor@example.org",
        "operator@example.org",
        "reader@example.org",
    ]
    assert found[1] == {
        "email": "editor@example.org",
        "name": "Editor",
        "operator": False,
        "suspended": False,
        "mfa": True,
        "memberships": [
            {"portal": "city-data", "role": "editor", "status": "member"},
            {"portal": "second", "role": "admin", "status": "member"},
        ],
    }
    assert (found[2]["operator"], found[2]["memberships"], found[2]["mfa"]) == (True, [], False)
    assert (found[3]["suspended"], found[0]["suspended"]) == (True, False)


def test_the_list_for_people(terminal: Terminal, app: Flask, people: Cast) -> None:
    terminal.do("accounts", "suspend", "reader@example.org")
    rows.put(app, update(Account).where(Account.email == "admin@example.org").values(email_confirmed_at=None))
    lines = terminal.do("accounts", "list").lines
    assert lines[1].endswith("active, address not confirmed")
    assert lines[0].split() == ["E-MAIL", "NAME", "RIGHTS", "MFA", "STATE"]
    assert [line.split()[0] for line in lines[1:]] == sorted(person.email for person in people.everybody)
    assert lines[3].split() == ["operator@example.org", "Operator", "operator", "not", "set", "up", "active"]
    assert lines[4].endswith("reader in city-data  not set up  suspended")


def test_a_list_of_nobody_says_what_to_do_next(terminal: Terminal) -> None:
    assert terminal.do("accounts", "list", "--json").json == []
    assert "flask --app wsgi accounts create" in terminal.do("accounts", "list").out


@pytest.mark.parametrize("command", [("accounts", "list"), ("mfa", "status")])
def test_lists_take_as_many_statements_for_many_as_for_few(
    terminal: Terminal, app: Flask, people: Cast, clock: MovableClock, command: tuple[str, str]
) -> None:
    with rows.counted_statements(app) as few:
        terminal.do(*command)
    with app.app_context():
        for number in range(20):
            add_person(clock, f"more{number}@example.org", f"More {number}", "reader")
    with rows.counted_statements(app) as many:
        assert "more19@example.org" in terminal.do(*command).out
    assert len(many) == len(few)


def test_suspending_ends_logins_and_restoring_lets_in_again(
    terminal: Terminal, app: Flask, browser: Browser, people: Cast
) -> None:
    browser.log_in(people.reader)
    ran = terminal.do("accounts", "suspend", "reader@example.org")
    assert ran.lines == ["Suspended reader@example.org and ended all its logins."]
    assert ran.kinds == [EventKind.ACCOUNT_SUSPENDED]
    assert rows.live_logins(app, people.reader) == []
    assert browser.get("/account").status == 303
    assert browser.give_password(people.reader).status == 403
    ran = terminal.do("accounts", "restore", "reader@example.org")
    assert ran.lines == ["Restored reader@example.org: it may log in again."]
    assert ran.kinds == [EventKind.ACCOUNT_RESTORED]
    assert browser.log_in(people.reader).location == "/"


def test_suspending_twice_and_restoring_nobody_change_nothing(terminal: Terminal, people: Cast) -> None:
    terminal.do("accounts", "suspend", "reader@example.org")
    again = terminal.do("accounts", "suspend", "reader@example.org")
    assert (again.lines, again.events) == (["reader@example.org is suspended already."], [])
    other = terminal.do("accounts", "restore", "editor@example.org")
    assert (other.lines, other.events) == (["editor@example.org is not suspended."], [])


def test_ending_logins_counts_them(
    terminal: Terminal, app: Flask, new_browser: Callable[[], Browser], people: Cast
) -> None:
    browsers = [new_browser(), new_browser()]
    for each in browsers:
        each.log_in(people.reader)
    ran = terminal.do("accounts", "end-logins", "reader@example.org")
    assert ran.lines == ["Ended 2 logins of reader@example.org."]
    assert ran.kinds == [EventKind.LOGINS_ENDED]
    assert ran.events[0].details == {"logins": 2}
    assert [each.get("/account").status for each in browsers] == [303, 303]
    assert terminal.do("accounts", "end-logins", "reader@example.org").lines == [
        "Ended 0 logins of reader@example.org."
    ]


def test_unlocking_lifts_the_stop_after_a_hundred_wrong_codes(
    terminal: Terminal, app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        phone = give_app(people.reader, clock)
    stopped = {"subject": str(people.reader.id), "attempts": "", "in_a_row": 100, "version": 1, "changed_at": clock()}
    rows.put(app, insert(Throttle).values(kind=Kind.CODE_OF_ACCOUNT, **stopped))
    browser.give_password(people.reader)
    page = browser.submit("/log-in/code", code=phone.code(clock()))
    assert (page.status, page.response.headers.get("Retry-After")) == (429, None)
    ran = terminal.do("accounts", "unlock", "reader@example.org")
    assert ran.lines == ["Unlocked reader@example.org: its wrong codes and passwords are forgotten."]
    assert ran.kinds == [EventKind.ACCOUNT_UNLOCKED]
    assert browser.submit("/log-in/code", code=phone.code(clock())).status == 303


def test_a_reset_link_sets_a_password_and_leaves_mfa_alone(
    terminal: Terminal, app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        give_app(people.operator, clock)
    ran = terminal.do("accounts", "reset-link", "operator@example.org")
    begin = "Link for operator@example.org to set a new password, works once within 30 minutes: http://127.0.0.1:8000"
    assert ran.lines[0].startswith(f"{begin}/reset-password/")
    assert (len(ran.lines), ran.kinds) == (1, [EventKind.LINK_MADE])
    path = urlsplit(ran.out.split()[-1]).path
    assert browser.submit(path, button="Set password", password=NEW_PASSWORD).location == "/log-in"
    assert browser.give_password(people.operator).status == 422
    assert browser.give_password(people.operator, password=NEW_PASSWORD).location == "/log-in/code"
    assert browser.get(path, follow=True).status == 410


@pytest.mark.parametrize(("minutes", "status"), [(29.9, 200), (30.1, 410)])
def test_a_reset_link_lives_as_long_as_its_line_says(
    terminal: Terminal, browser: Browser, people: Cast, clock: MovableClock, minutes: float, status: int
) -> None:
    path = urlsplit(terminal.do("accounts", "reset-link", "reader@example.org").out.split()[-1]).path
    clock.advance(minutes=minutes)
    assert browser.get(path, follow=True).status == status


@pytest.mark.parametrize(
    "arguments",
    [
        ("accounts", "suspend"),
        ("accounts", "restore"),
        ("accounts", "end-logins"),
        ("accounts", "unlock"),
        ("accounts", "reset-link"),
        ("accounts", "role", "--operator"),
        ("accounts", "role", "--portal", "city-data", "--role", "reader"),
        ("mfa", "reset", "--reason", "lost"),
    ],
)
@pytest.mark.parametrize("email", ["nobody@example.org", "no address", ""])
def test_nobody_is_there(terminal: Terminal, people: Cast, arguments: tuple[str, ...], email: str) -> None:
    group, name, *options = arguments
    assert terminal.refused(group, name, email, *options) == f"There is no account {email}."


def test_the_address_may_be_typed_in_capitals(terminal: Terminal, app: Flask, people: Cast) -> None:
    terminal.do("accounts", "suspend", "READER@Example.org")
    assert rows.account(app, people.reader).suspended_at is not None


def test_an_unreadable_role_is_listed_as_it_stands(terminal: Terminal, app: Flask, people: Cast) -> None:
    rows.put(app, update(Membership).where(Membership.account_id == people.reader.id).values(role="owner"))
    (reader,) = [each for each in terminal.do("accounts", "list", "--json").json if each["name"] == "Reader"]
    assert reader["memberships"] == [{"portal": "city-data", "role": "owner", "status": "member"}]


def test_names_from_anywhere_are_printed_and_json_stays_ascii(terminal: Terminal, app: Flask, people: Cast) -> None:
    rows.put(app, update(Account).where(Account.id == people.reader.id).values(name="Łukasz 陳"))
    rows.put(app, update(Portal).values(name="Données"))
    assert "Łukasz 陳" in terminal.do("accounts", "list").out
    ran = terminal.do("accounts", "list", "--json")
    assert ran.out.isascii()
    assert "Łukasz 陳" in [account["name"] for account in ran.json]
