"""`mfa status`, `mfa rule`, `mfa reset`: whom the rules cover, and the two ways out when everybody is locked out."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import update

from mfaportal.models import EventKind, Portal
from mfaportal.rules.mfa_rule import BEGINNING
from tests import rows
from tests.browser_client import Browser
from tests.cli.terminal import Terminal
from tests.clock import MovableClock
from tests.people import Cast, give_app


def covered(terminal: Terminal) -> dict[str, bool]:
    found = terminal.do("mfa", "status", "--json").json
    return {person["email"].partition("@")[0]: person["covered"] for person in found}


def test_the_status_as_json(terminal: Terminal, app: Flask, people: Cast, clock: MovableClock) -> None:
    with app.app_context():
        give_app(people.editor, clock)
    terminal.do("mfa", "rule", "city-data", "back_office")
    row = {"portal": "city-data", "covered": True, "set_up": False}
    assert terminal.do("mfa", "status", "--json").json == [
        {"email": "admin@example.org", "role": "admin", **row},
        {"email": "editor@example.org", "role": "editor", **row, "set_up": True},
        {"email": "operator@example.org", "role": "operator", **row},
        {"email": "reader@example.org", "role": "reader", **row, "covered": False},
    ]


def test_the_status_for_people(terminal: Terminal, app: Flask, people: Cast, clock: MovableClock) -> None:
    with app.app_context():
        give_app(people.editor, clock)
    terminal.do("mfa", "rule", "city-data", "back_office")
    assert terminal.do("mfa", "status").lines == [
        "city-data: MFA rule back_office, covers 3 people, 2 of them without an app",
        "  admin@example.org     admin     covered      not set up",
        "  editor@example.org    editor    covered      set up",
        "  operator@example.org  operator  covered      not set up",
        "  reader@example.org    reader    not covered  not set up",
    ]


def test_the_status_of_one_portal(terminal: Terminal, people: Cast) -> None:
    terminal.do("portals", "create", "Second", "--slug", "second")
    terminal.do("mfa", "rule", "second", "everyone")
    both = terminal.do("mfa", "status", "--json").json
    second = terminal.do("mfa", "status", "--portal", "second", "--json").json
    assert [(person["portal"], person["email"]) for person in second] == [("second", "operator@example.org")]
    assert (second[0]["covered"], len(both)) == (True, 5)
    assert terminal.do("mfa", "status", "--portal", "second").lines[0] == (
        "second: MFA rule everyone, covers 1 person, 1 of them without an app"
    )
    assert [line[:9] for line in terminal.do("mfa", "status").lines if line[0] != " "] == ["city-data", "second: M"]
    assert terminal.refused("mfa", "status", "--portal", "nowhere") == "There is no portal nowhere."


def test_a_rule_that_cannot_be_read_counts_as_everyone(terminal: Terminal, app: Flask, people: Cast) -> None:
    rows.put(app, update(Portal).values(mfa_rule="sometimes"))
    assert set(covered(terminal).values()) == {True}
    terminal.do("mfa", "rule", "city-data", "off")
    assert rows.portal(app).mfa_rule == "off"


@pytest.mark.parametrize(
    ("rule", "who", "line"),
    [
        ("off", set(), "it covers nobody; whoever has an app is still asked for its code."),
        (
            "back_office",
            {"admin", "editor", "operator"},
            "it covers 3 people, 3 of them without an app, who set one up at their next log-in.",
        ),
        (
            "everyone",
            {"admin", "editor", "operator", "reader"},
            "it covers 4 people, 4 of them without an app, who set one up at their next log-in.",
        ),
    ],
)
def test_a_rule_is_set(terminal: Terminal, people: Cast, rule: str, who: set[str], line: str) -> None:
    ran = terminal.do("mfa", "rule", "city-data", rule)
    assert ran.lines == [f"The MFA rule of city-data is {rule}: {line}"]
    assert {name for name, is_covered in covered(terminal).items() if is_covered} == who
    assert ran.kinds == ([EventKind.PORTAL_ACCESS_CHANGED] if who else [])


def test_the_event_tells_what_it_was_before(terminal: Terminal, people: Cast) -> None:
    terminal.do("mfa", "rule", "city-data", "everyone")
    ran = terminal.do("mfa", "rule", "city-data", "off")
    assert ran.events[0].details == {
        "rule": ["everyone", "off"],
        "visibility": ["private", "private"],
        "apply_now": False,
    }
    assert terminal.do("mfa", "rule", "city-data", "off").events == []


@pytest.mark.parametrize("visibility", ["public", "private"])
def test_a_rule_leaves_the_portal_as_public_as_it_is(
    terminal: Terminal, app: Flask, people: Cast, visibility: str
) -> None:
    rows.put(app, update(Portal).values(visibility=visibility))
    terminal.do("mfa", "rule", "city-data", "everyone")
    assert rows.portal(app).visibility == visibility


def test_a_rule_waits_for_the_next_log_in_unless_it_applies_now(
    terminal: Terminal, app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    browser.log_in(people.editor)
    clock.advance(minutes=1)
    terminal.do("mfa", "rule", "city-data", "back_office")
    assert browser.get("/account").status == 200
    ran = terminal.do("mfa", "rule", "city-data", "back_office", "--apply-now")
    assert ran.lines[0].endswith("who set one up with their next click.")
    assert rows.portal(app).back_office_since == BEGINNING
    assert browser.get("/account").location == "/log-in/set-up"


def test_off_lets_in_whoever_was_stuck_at_set_up(terminal: Terminal, browser: Browser, people: Cast) -> None:
    terminal.do("mfa", "rule", "city-data", "everyone")
    assert browser.give_password(people.operator).location == "/log-in/set-up"
    terminal.do("mfa", "rule", "city-data", "off")
    assert browser.get("/account").status == 200


def test_all_with_an_app(terminal: Terminal, app: Flask, people: Cast, clock: MovableClock) -> None:
    with app.app_context():
        for person in people.everybody:
            give_app(person, clock)
    ran = terminal.do("mfa", "rule", "city-data", "everyone")
    assert ran.lines == ["The MFA rule of city-data is everyone: it covers 4 people, all with an app."]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("city-data",), "Missing argument"),
        (("city-data", "on"), "'on' is not one of 'off', 'back_office', 'everyone'."),
        (("city-data", "back-office"), "is not one of"),
        (("\udcff", "off"), "This is not UTF-8."),
    ],
)
def test_a_rule_that_is_none(
    terminal: Terminal, app: Flask, people: Cast, arguments: tuple[str, ...], complaint: str
) -> None:
    assert complaint in terminal.misused("mfa", "rule", *arguments)
    assert rows.portal(app).mfa_rule == "off"


def test_a_rule_for_no_portal(terminal: Terminal, people: Cast) -> None:
    assert terminal.refused("mfa", "rule", "nowhere", "off") == "There is no portal nowhere."


def test_a_reset_takes_all_apps_and_ends_all_logins(
    terminal: Terminal, app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    terminal.do("mfa", "rule", "city-data", "back_office")
    with app.app_context():
        give_app(people.editor, clock)
        give_app(people.editor, clock, "My tablet")
    browser.log_in(people.editor)
    ran = terminal.do("mfa", "reset", "editor@example.org", "--reason", " phone lost ")
    assert ran.lines == ["Reset MFA of editor@example.org: 2 apps deleted, all logins ended."]
    assert ran.kinds == [EventKind.MFA_RESET]
    assert ran.events[0].details == {"reason": "phone lost", "apps": 2}
    assert rows.apps(app, people.editor) == []
    assert browser.get("/account").status == 303
    assert browser.give_password(people.editor).location == "/log-in/set-up"


def test_an_operator_who_lost_everything_is_helped_here(
    terminal: Terminal, app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        give_app(people.operator, clock)
    assert browser.give_password(people.operator).location == "/log-in/code"
    terminal.do("mfa", "reset", "operator@example.org", "--reason", "phone lost")
    assert browser.log_in(people.operator).location == "/"


def test_a_reset_may_demand_a_new_password(
    terminal: Terminal, browser: Browser, new_browser: Callable[[], Browser], people: Cast
) -> None:
    ran = terminal.do("mfa", "reset", "reader@example.org", "--reason", "stolen", "--new-password-too")
    assert ran.lines[0] == "Reset MFA of reader@example.org: 0 apps deleted, all logins ended."
    assert ran.kinds == [EventKind.MFA_RESET, EventKind.LINK_MADE]
    assert browser.give_password(people.reader).status == 422
    path = urlsplit(ran.out.split()[-1]).path
    browser.submit(path, button="Set password", password="seven lamps on the quiet harbour")
    person = people.reader
    person.password = "seven lamps on the quiet harbour"
    assert new_browser().log_in(person).location == "/"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ((), "Missing option '--reason'."),
        (("--reason", ""), "Say why, in 1 to 500 characters."),
        (("--reason", " \t"), "Say why, in 1 to 500 characters."),
        (("--reason", "x" * 501), "Say why, in 1 to 500 characters."),
        (("--reason", "\udcff"), "This is not UTF-8."),
    ],
)
def test_a_reset_needs_a_reason(
    terminal: Terminal, app: Flask, people: Cast, clock: MovableClock, options: tuple[str, ...], complaint: str
) -> None:
    with app.app_context():
        give_app(people.reader, clock)
    assert complaint in terminal.misused("mfa", "reset", "reader@example.org", *options)
    assert len(rows.apps(app, people.reader)) == 1
