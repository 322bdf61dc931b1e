"""`demo`: people in every state, who log in exactly as it says."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from mfaportal.models import Account, EventKind, Portal
from tests import rows
from tests.browser_client import Browser, Page
from tests.cli.terminal import Terminal
from tests.clock import MovableClock
from tests.datasets import every, files
from tests.people import Cast, Person
from tests.phone import Phone
from tests.stored import raw_bytes

REFUSAL = "There are accounts here already; a demo needs an installation of its own (see MFAPORTAL_INSTANCE)."
NOTHING, CODE, SET_UP, SUSPENDED, NO_PORTAL, WAITING, DECLINED = (
    "The password is enough: the rule covers only those with access to the back office.",
    "A code is asked for, as of everybody who has an app.",
    "An app has to be set up before anything else opens: the rule covers this person.",
    "Refused, with the reason: the account is suspended.",
    "Refused, with the reason: the account is in no portal.",
    "Refused, with the reason: the request for access is waiting.",
    "Refused, with the reason: the request for access was declined.",
)


def meets(page: Page) -> str:
    """What a browser met after the password, in the demo's own words."""
    if page.status == 403:
        words = {"suspended": SUSPENDED, "is waiting": WAITING, "was declined": DECLINED, "not a member": NO_PORTAL}
        return next(state for word, state in words.items() if word in page.text)
    return {"/": NOTHING, "/log-in/code": CODE, "/log-in/set-up": SET_UP}[page.location]


def person(told: dict[str, Any]) -> Person:
    return Person(0, told["email"], told["name"], password=told["password"])


def test_everybody_logs_in_as_the_demo_says(
    terminal: Terminal, new_browser: Callable[[], Browser], clock: MovableClock
) -> None:
    told = terminal.do("demo", "--json").json
    clock.advance(minutes=1)
    for each in told:
        browser = new_browser()
        page = browser.give_password(person(each))
        assert meets(page) == each["at_log_in"], each
        if page.location == "/log-in/code":
            for app in each["set_up_keys"]:
                other = new_browser()
                other.give_password(person(each))
                code = Phone(app["key"]).code(clock())
                assert other.submit("/log-in/code", code=code).location == "/", each
                assert other.get("/account/security").status == 200
    assert Counter(each["at_log_in"] for each in told) == {
        NOTHING: 1,
        CODE: 5,
        SET_UP: 3,
        SUSPENDED: 1,
        NO_PORTAL: 1,
        WAITING: 1,
        DECLINED: 1,
    }


def test_there_are_datasets_to_look_at(terminal: Terminal, app: Flask, instance: Path) -> None:
    terminal.do("demo")
    assert {(row.title, row.visibility, row.file_name) for row in every(app)} == {
        ("Tide heights", "public", "tide-heights.csv"),
        ("Berths", "members", "berths.tsv"),
    }
    assert {row.file_digest for row in every(app)} == set(files(instance))


def test_every_state_is_there(terminal: Terminal) -> None:
    apps = {each["name"]: [app["name"] for app in each["set_up_keys"]] for each in terminal.do("demo", "--json").json}
    status = terminal.do("mfa", "status", "--json").json
    assert {(row["role"], row["covered"], row["set_up"]) for row in status} == {
        ("reader", False, False),
        ("reader", False, True),
        ("editor", True, False),
        ("editor", True, True),
        ("admin", True, False),
        ("admin", True, True),
        ("operator", True, False),
        ("operator", True, True),
    }
    assert apps["Demo reader with two apps"] == ["My phone", "My tablet"]
    accounts = terminal.do("accounts", "list", "--json").json
    assert [each["name"] for each in accounts if each["suspended"]] == ["Demo suspended editor"]
    assert all(each["email"].endswith("@example.org") and each["name"].startswith("Demo ") for each in accounts)


def test_what_is_printed_for_people_logs_in_too(terminal: Terminal, browser: Browser, clock: MovableClock) -> None:
    ran = terminal.do("demo")
    assert ran.lines[:2] == [
        "Filled the portal “Harbour data”, whose MFA rule is back_office.",
        "Log in at http://127.0.0.1:8000/log-in",
    ]
    found = re.search(
        r"^Demo admin with an app\n  e-mail +(\S+)\n  password +(\S+)\n"
        rf"  set-up key +((?:[A-Z2-7]{{4}} ?){{8}}) +\(My phone\)\n  at log-in +{re.escape(CODE)}$",
        ran.out,
        re.MULTILINE,
    )
    assert found, ran.out
    admin = Person(0, found[1], "", Phone(found[3]), found[2])
    assert browser.log_in(admin).location == "/"
    assert browser.get("/portals/harbour-data/backoffice/access/security").status == 200


def test_all_of_it_is_in_the_log_as_the_command_lines(terminal: Terminal, app: Flask) -> None:
    ran = terminal.do("demo")
    assert Counter(ran.kinds) == {
        EventKind.PORTAL_ACCESS_CHANGED: 1,
        EventKind.ACCOUNT_CREATED: 11,
        EventKind.MEMBER_ADDED: 8,
        EventKind.AUTHENTICATOR_ADDED: 7,
        EventKind.RECOVERY_CODES_MADE: 6,
        EventKind.ACCOUNT_SUSPENDED: 1,
        EventKind.DATASET_ADDED: 2,
        EventKind.SIGN_UP_CHANGED: 1,
        EventKind.REQUEST_MADE: 2,
        EventKind.REQUEST_DECLINED: 1,
    }
    portal = rows.portal(app, "harbour-data")
    assert (portal.name, portal.visibility, portal.mfa_rule) == ("Harbour data", "private", "back_office")


def test_afterwards_nobody_is_welcomed(terminal: Terminal, browser: Browser) -> None:
    assert browser.get("/welcome").status == 200
    terminal.do("demo")
    assert browser.get("/welcome").status == 404


def test_passwords_and_keys_are_random_and_stand_nowhere(
    terminal: Terminal, make_app: Callable[..., Flask], blank_instance: Path, tmp_path: Path, instance: Path
) -> None:
    told = terminal.do("demo", "--json").json
    secrets = [each["password"] for each in told]
    secrets += [app["key"] for each in told for app in each["set_up_keys"]]
    assert len(set(secrets)) == len(told) + 7
    stored = raw_bytes(instance)
    assert not [secret for secret in secrets if secret.encode() in stored]


def test_it_refuses_where_somebody_is(terminal: Terminal, app: Flask, people: Cast) -> None:
    assert terminal.refused("demo") == REFUSAL
    assert len(rows.rows(app, select(Account))) == 4
    assert rows.portal(app).name == "City data"


def test_it_works_once(terminal: Terminal, app: Flask) -> None:
    terminal.do("demo")
    assert terminal.refused("demo", "--json") == REFUSAL
    assert len(rows.rows(app, select(Account))) == 11


def test_it_refuses_where_somebody_was_welcomed(terminal: Terminal, app: Flask) -> None:
    terminal.do("accounts", "create", "one@example.org", "--name", "One")
    assert terminal.refused("demo") == REFUSAL


def test_a_portal_that_has_the_demos_slug_keeps_it(terminal: Terminal, app: Flask) -> None:
    terminal.do("portals", "create", "Another", "--slug", "harbour-data")
    terminal.do("demo")
    assert {(portal.slug, portal.name) for portal in rows.rows(app, select(Portal))} == {
        ("portal", "Harbour data"),
        ("harbour-data", "Another"),
    }


@pytest.mark.parametrize("extra", [("now",), ("--force",)])
def test_it_takes_no_arguments(terminal: Terminal, app: Flask, extra: tuple[str, ...]) -> None:
    terminal.misused("demo", *extra)
    assert rows.rows(app, select(Account)) == []
