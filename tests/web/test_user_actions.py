from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from mfaportal.domain import members, portals
from mfaportal.models import LinkKind, OneTimeLink
from mfaportal.rules.roles import MemberRole
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.looking import Seen
from tests.people import Cast, Person, add_person, give_app, on_the_command_line

USERS = "/portals/city-data/backoffice/access/users"
OPERATORS_ONLY = ("operator", "suspend", "restore", "end-logins", "reset-mfa", "reset-link")
ADMINS_TOO = ("role", "remove")
FORM = {"role": "editor", "operator": "yes", "reason": "asked in person", "new_password_too": "yes"}


def of(person: Person, action: str = "") -> str:
    return f"{USERS}/{person.id}/{action}".rstrip("/")


def reset_links(app: Flask) -> list[OneTimeLink]:
    return rows.rows(app, select(OneTimeLink).where(OneTimeLink.kind == LinkKind.RESET))


@pytest.fixture
def admin(browser: Browser, people: Cast) -> Browser:
    browser.log_in(people.admin)
    return browser


@pytest.fixture
def operator(browser: Browser, people: Cast) -> Browser:
    browser.log_in(people.operator)
    return browser


@pytest.fixture
def lost(app: Flask, people: Cast, clock: MovableClock) -> Person:
    """The editor, with two apps on a phone that is gone."""
    with app.app_context():
        give_app(people.editor, clock, "One")
        give_app(people.editor, clock, "Two")
    return people.editor


@pytest.mark.parametrize("action", OPERATORS_ONLY)
def test_what_is_for_operators_is_closed_to_admins(
    admin: Browser, app: Flask, people: Cast, clock: MovableClock, action: str
) -> None:
    with app.app_context():
        give_app(people.reader, clock)
    token = admin.csrf("/account")
    for person in (people.reader, people.admin):
        assert admin.get(of(person, action)).status == 403
        assert admin.open("POST", of(person, action), data={"csrf_token": token, **FORM}).status == 403
    reader = rows.account(app, people.reader)
    assert (reader.is_operator, reader.suspended_at) == (False, None)
    assert reader.password_digest is not None
    assert len(rows.apps(app, people.reader)) == 1
    assert reset_links(app) == []


@pytest.mark.parametrize("who", ["reader", "editor"])
@pytest.mark.parametrize("action", ADMINS_TOO + OPERATORS_ONLY)
def test_nothing_here_is_for_readers_and_editors(
    browser: Browser, app: Flask, people: Cast, who: str, action: str
) -> None:
    browser.log_in(getattr(people, who))
    token = browser.csrf("/account")
    for person in people.everybody:
        assert browser.get(of(person, action)).status == 403
        assert browser.open("POST", of(person, action), data={"csrf_token": token, **FORM}).status == 403
    assert [rows.role(app, person) for person in people.everybody] == ["reader", "editor", "admin", None]


@pytest.mark.parametrize("action", ADMINS_TOO + OPERATORS_ONLY)
def test_people_of_other_portals_are_not_found_whoever_asks(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, action: str
) -> None:
    with app.app_context():
        portals.create(on_the_command_line(clock), "Elsewhere", "elsewhere")
        outsider = add_person(clock, "outsider@example.org", "Outsider", "reader", portal="elsewhere")
        give_app(outsider, clock)
    browser.log_in(people.admin if action in ADMINS_TOO else people.operator)
    token = browser.csrf("/account")
    for path in (of(outsider, action), f"{USERS}/999999/{action}"):
        assert browser.get(path).status == 404
        assert browser.open("POST", path, data={"csrf_token": token, **FORM}).status == 404
    assert rows.role(app, outsider, "elsewhere") == "reader"
    assert rows.account(app, outsider).suspended_at is None
    assert len(rows.apps(app, outsider)) == 1


def test_a_right_that_went_while_the_page_was_open_is_asked_again(
    admin: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    page = admin.get(of(people.reader, "role"))
    with app.app_context():
        add_person(clock, "more@example.org", "More", "admin")
        members.add(on_the_command_line(clock), "city-data", people.admin.id, MemberRole.EDITOR)
    assert admin.send(page, role="admin").location.startswith("/log-in")
    assert rows.role(app, people.reader) == "reader"


def test_a_get_of_any_of_these_pages_changes_nothing(
    operator: Browser, app: Flask, people: Cast, lost: Person
) -> None:
    before = len(reset_links(app))
    for action in ADMINS_TOO + OPERATORS_ONLY:
        assert operator.get(of(lost, action)).status == 200
    editor = rows.account(app, lost)
    assert (editor.is_operator, editor.suspended_at, rows.role(app, lost)) == (False, None, "editor")
    assert len(rows.apps(app, lost)) == 2
    assert len(reset_links(app)) == before


@pytest.mark.parametrize(("action", "form"), [("role", {"role": "editor"}), ("remove", {})])
def test_an_operators_place_is_changed_by_operators_only_so_that_no_admin_ends_their_logins(
    admin: Browser,
    new_browser: Callable[[], Browser],
    app: Flask,
    people: Cast,
    clock: MovableClock,
    action: str,
    form: dict[str, Any],
) -> None:
    with app.app_context():
        reads = add_person(clock, "reads@example.org", "Reads", "reader", operator=True)
    theirs = new_browser()
    theirs.log_in(reads)
    links = Seen(admin.get(of(reads))).links
    assert not {"Change role", "Remove from portal"} & set(links)
    refused = admin.submit(of(reads, action), **form)
    assert refused.status == 409
    assert Seen(refused).messages == ["This person is an operator: only an operator can change their place here."]
    assert rows.role(app, reads) == "reader"
    assert theirs.get("/account").status == 200
    operator = new_browser()
    operator.log_in(people.operator)
    assert "Change role" in Seen(operator.get(of(reads))).links
    assert operator.submit(of(reads, action), **form).status == 303
    assert rows.role(app, reads) == form.get("role")
