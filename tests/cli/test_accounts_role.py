"""`accounts role`: operators and memberships, and the last operator, who stays."""

import pytest
from flask import Flask

from mfaportal.models import EventKind
from tests import rows
from tests.browser_client import Browser
from tests.cli.terminal import Terminal
from tests.people import Cast

LAST = (
    "operator@example.org is the last operator who can log in."
    " First make somebody else one: flask --app wsgi accounts role EMAIL --operator"
)


def test_somebody_becomes_an_operator_and_logs_in_as_one(
    terminal: Terminal, app: Flask, browser: Browser, people: Cast
) -> None:
    browser.log_in(people.reader)
    ran = terminal.do("accounts", "role", "reader@example.org", "--operator")
    assert ran.lines == ["reader@example.org is an operator now; its logins have ended."]
    assert ran.kinds == [EventKind.OPERATOR_CHANGED]
    assert rows.account(app, people.reader).is_operator
    assert rows.live_logins(app, people.reader) == []
    browser.log_in(people.reader)
    assert browser.get("/portals/city-data/backoffice/access/users").status == 200


def test_with_another_one_there_an_operator_may_go(terminal: Terminal, app: Flask, people: Cast) -> None:
    terminal.do("accounts", "role", "admin@example.org", "--operator")
    ran = terminal.do("accounts", "role", "operator@example.org", "--no-operator")
    assert ran.lines == ["operator@example.org is no operator now; its logins have ended."]
    assert ran.events[0].details == {"operator": False}
    assert not rows.account(app, people.operator).is_operator


def test_the_last_operator_is_neither_demoted_nor_suspended(
    terminal: Terminal, app: Flask, browser: Browser, people: Cast
) -> None:
    browser.log_in(people.operator)
    assert terminal.refused("accounts", "role", "operator@example.org", "--no-operator") == LAST
    assert terminal.refused("accounts", "suspend", "operator@example.org") == LAST
    account = rows.account(app, people.operator)
    assert (account.is_operator, account.suspended_at) == (True, None)
    assert browser.get("/account").status == 200


def test_an_operator_who_is_suspended_does_not_count_as_another(terminal: Terminal, app: Flask, people: Cast) -> None:
    terminal.do("accounts", "role", "admin@example.org", "--operator")
    terminal.do("accounts", "suspend", "admin@example.org")
    assert terminal.refused("accounts", "role", "operator@example.org", "--no-operator") == LAST
    assert terminal.refused("accounts", "suspend", "operator@example.org") == LAST
    terminal.do("accounts", "restore", "admin@example.org")
    terminal.do("accounts", "suspend", "operator@example.org")
    assert rows.account(app, people.operator).suspended_at is not None


def test_a_member_gets_another_role(terminal: Terminal, app: Flask, browser: Browser, people: Cast) -> None:
    browser.log_in(people.reader)
    ran = terminal.do("accounts", "role", "reader@example.org", "--portal", "city-data", "--role", "editor")
    assert ran.lines == ["reader@example.org is editor in city-data now; its logins have ended."]
    assert ran.kinds == [EventKind.ROLE_CHANGED]
    assert rows.role(app, people.reader) == "editor"
    assert rows.live_logins(app, people.reader) == []
    browser.log_in(people.reader)
    assert browser.get("/portals/city-data/backoffice").status == 200


def test_somebody_else_becomes_a_member(terminal: Terminal, app: Flask, people: Cast) -> None:
    terminal.do("portals", "create", "Second", "--slug", "second")
    ran = terminal.do("accounts", "role", "reader@example.org", "--portal", "second", "--role", "admin")
    assert ran.kinds == [EventKind.MEMBER_ADDED]
    assert rows.role(app, people.reader, "second") == "admin"
    assert rows.role(app, people.reader) == "reader"


def test_the_last_admin_of_a_portal_may_be_demoted_here(terminal: Terminal, app: Flask, people: Cast) -> None:
    terminal.do("accounts", "role", "admin@example.org", "--portal", "city-data", "--role", "reader")
    assert rows.role(app, people.admin) == "reader"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("operator@example.org", "--operator"), "operator@example.org is an operator already."),
        (("reader@example.org", "--no-operator"), "reader@example.org is no operator already."),
        (
            ("editor@example.org", "--portal", "city-data", "--role", "editor"),
            "editor@example.org is editor in city-data already.",
        ),
    ],
)
def test_what_is_so_already_changes_nothing_and_ends_no_login(
    terminal: Terminal, app: Flask, browser: Browser, people: Cast, arguments: tuple[str, ...], line: str
) -> None:
    person = next(person for person in people.everybody if person.email == arguments[0])
    browser.log_in(person)
    ran = terminal.do("accounts", "role", *arguments)
    assert (ran.lines, ran.events) == ([line], [])
    assert len(rows.live_logins(app, person)) == 1


def test_there_is_no_such_portal(terminal: Terminal, app: Flask, people: Cast) -> None:
    said = terminal.refused("accounts", "role", "reader@example.org", "--portal", "nowhere", "--role", "admin")
    assert said == "There is no portal nowhere."


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ((), "Name one change: --operator, --no-operator, or --portal SLUG --role ROLE."),
        (("--operator", "--portal", "city-data", "--role", "reader"), "Name one change"),
        (("--portal", "city-data"), "--portal and --role go together."),
        (("--role", "admin"), "--portal and --role go together."),
        (("--portal", "city-data", "--role", "operator"), "'operator' is not one of"),
    ],
)
def test_one_change_at_a_time(
    terminal: Terminal, app: Flask, people: Cast, options: tuple[str, ...], complaint: str
) -> None:
    assert complaint in terminal.misused("accounts", "role", "reader@example.org", *options)
    assert rows.role(app, people.reader) == "reader"
    assert not rows.account(app, people.reader).is_operator
