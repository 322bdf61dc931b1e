from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from mfaportal.domain import members, portals
from mfaportal.models import Account, EventKind
from mfaportal.rules.roles import MemberRole
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.looking import Seen
from tests.people import Cast, Person, add_person, on_the_command_line

USERS = "/portals/city-data/backoffice/access/users"
ADMINS_TOO = ("role", "remove")


def of(person: Person, action: str = "") -> str:
    return f"{USERS}/{person.id}/{action}".rstrip("/")


def web_events(app: Flask, kind: EventKind) -> list[tuple[int | None, int | None, dict[str, object]]]:
    """Who did what to whom in a browser."""
    return [
        (event.actor_id, event.account_id, event.details) for event in rows.events(app, kind) if event.source == "web"
    ]


@pytest.fixture
def admin(browser: Browser, people: Cast) -> Browser:
    browser.log_in(people.admin)
    return browser


@pytest.fixture
def operator(browser: Browser, people: Cast) -> Browser:
    browser.log_in(people.operator)
    return browser


@pytest.fixture
def second(app: Flask, people: Cast, clock: MovableClock) -> Person:
    """Another operator, who is a member of no portal."""
    with app.app_context():
        return add_person(clock, "second@example.org", "Second", None, operator=True)


def test_a_new_role_is_saved_and_noted_and_ends_that_persons_logins(
    admin: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast, clock: MovableClock
) -> None:
    first, other = new_browser(), new_browser()
    for theirs in (first, other):
        theirs.log_in(people.editor)
    page = admin.get(of(people.editor, "role"))
    seen = Seen(page)
    assert seen.h1 == "Change role"
    assert "Editor" in seen.title
    assert "Editor" in seen.main
    assert {name: choice.checked for name, choice in seen.radios["Role"].items()} == {
        "reader": False,
        "editor": True,
        "admin": False,
    }
    assert seen.buttons == ["Save"]
    answer = admin.send(page, role="reader")
    assert (answer.status, answer.location) == (303, of(people.editor))
    seen = Seen(admin.get(of(people.editor)))
    assert seen.messages == ["The role is saved."]
    assert rows.role(app, people.editor) == "reader"
    ((actor, whom, details),) = web_events(app, EventKind.ROLE_CHANGED)
    assert (actor, whom, details) == (people.admin.id, people.editor.id, {"role": ["editor", "reader"]})
    for theirs in (first, other):
        assert theirs.get("/account").location.startswith("/log-in")
    assert rows.live_logins(app, people.editor) == []
    first.log_in(people.editor)
    assert first.get("/portals/city-data/backoffice").status == 403
    assert admin.get(USERS).status == 200


def test_saving_the_same_role_ends_and_notes_nothing(
    admin: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast
) -> None:
    editor = new_browser()
    editor.log_in(people.editor)
    assert admin.submit(of(people.editor, "role")).status == 303
    assert editor.get("/account").status == 200
    assert web_events(app, EventKind.ROLE_CHANGED) == []


@pytest.mark.parametrize("role", ["owner", "", "Admin", "operator", "admin\x00", " "])
def test_a_role_that_does_not_exist_is_refused(admin: Browser, app: Flask, people: Cast, role: str) -> None:
    page = admin.submit(of(people.reader, "role"), role=role)
    assert page.status == 422
    assert rows.role(app, people.reader) == "reader"
    token = admin.csrf("/account")
    assert admin.open("POST", of(people.reader, "role"), data={"csrf_token": token}).status == 422


def test_an_admin_may_step_down_while_there_is_another_and_stays_logged_in_here(
    admin: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        add_person(clock, "more@example.org", "More", "admin")
    elsewhere = new_browser()
    elsewhere.log_in(people.admin)
    answer = admin.submit(of(people.admin, "role"), role="reader")
    assert answer.status == 303
    after = admin.get(answer.location, follow=True)
    assert after.status == 200
    assert "The role is saved." in Seen(after).messages
    assert rows.role(app, people.admin) == "reader"
    assert admin.get(USERS).status == 403
    assert elsewhere.get("/account").location.startswith("/log-in")


@pytest.mark.parametrize(("action", "form"), [("role", {"role": "editor"}), ("remove", {})])
def test_the_last_admin_can_be_changed_by_an_operator_only(
    admin: Browser,
    new_browser: Callable[[], Browser],
    app: Flask,
    people: Cast,
    action: str,
    form: dict[str, Any],
) -> None:
    refused = admin.submit(of(people.admin, action), **form)
    assert refused.status == 409
    assert "This is the portal's last admin. Only an operator can change that." in Seen(refused).messages
    assert rows.role(app, people.admin) == "admin"
    assert admin.get(USERS).status == 200
    operator = new_browser()
    operator.log_in(people.operator)
    assert operator.submit(of(people.admin, action), **form).status == 303
    assert rows.role(app, people.admin) == form.get("role")
    assert admin.get(USERS).location.startswith("/log-in")


def test_the_last_admin_is_the_portals_own_whoever_is_admin_elsewhere(
    admin: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        portals.create(on_the_command_line(clock), "Elsewhere", "elsewhere")
        add_person(clock, "outsider@example.org", "Outsider", "admin", portal="elsewhere")
    assert admin.submit(of(people.admin, "role"), role="reader").status == 409


def test_somebody_removed_is_gone_from_this_portal_and_from_no_other(
    admin: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        portals.create(on_the_command_line(clock), "Elsewhere", "elsewhere")
        members.add(on_the_command_line(clock), "elsewhere", people.reader.id, MemberRole.EDITOR)
    reader = new_browser()
    reader.log_in(people.reader)
    page = admin.get(of(people.reader, "remove"))
    seen = Seen(page)
    assert seen.h1 == "Remove from portal"
    assert seen.buttons == ["Remove from portal"]
    assert seen.links["Cancel"] == of(people.reader)
    answer = admin.send(page)
    assert (answer.status, answer.location) == (303, USERS)
    seen = Seen(admin.get(USERS))
    assert seen.messages == ["The person was removed from this portal."]
    assert "Reader" not in seen.links
    assert admin.get(of(people.reader)).status == 404
    assert (rows.role(app, people.reader), rows.role(app, people.reader, "elsewhere")) == (None, "editor")
    assert rows.account(app, people.reader).name == "Reader"
    assert web_events(app, EventKind.MEMBER_REMOVED) == [(people.admin.id, people.reader.id, {})]
    assert reader.get("/account").location.startswith("/log-in")
    reader.log_in(people.reader)
    assert reader.get("/portals/city-data/").status == 403
    assert reader.get("/portals/elsewhere/").status == 200


def test_somebody_removed_from_their_only_portal_is_told_so_after_the_right_password(
    admin: Browser, new_browser: Callable[[], Browser], people: Cast
) -> None:
    admin.submit(of(people.reader, "remove"))
    reader = new_browser()
    page = reader.give_password(people.reader)
    assert page.status == 403
    assert "not a member of any portal" in page.text
    assert reader.give_password(people.reader, password="not this one at all").status == 422


def test_an_operator_who_is_no_member_has_no_role_to_change(admin: Browser, app: Flask, people: Cast) -> None:
    for action in ADMINS_TOO:
        token = admin.csrf("/account")
        answer = admin.open("POST", of(people.operator, action), data={"csrf_token": token, "role": "reader"})
        assert answer.status == 404
    assert rows.account(app, people.operator).is_operator


def test_an_operator_makes_another_and_takes_it_back(
    operator: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast
) -> None:
    reader = new_browser()
    for value, made in (("yes", True), ("no", False)):
        reader.log_in(people.reader)
        page = operator.get(of(people.reader, "operator"))
        choices = Seen(page).radios["Operator"]
        assert {name: choice.value for name, choice in choices.items()} == {"Yes": "yes", "No": "no"}
        assert choices["No" if made else "Yes"].checked
        assert operator.send(page, operator=value).status == 303
        assert rows.account(app, people.reader).is_operator is made
        assert reader.get("/account").location.startswith("/log-in")
        assert rows.live_logins(app, people.reader) == []
        reader.log_in(people.reader)
        assert reader.get(USERS).status == (200 if made else 403)
        reader.log_out()
    assert web_events(app, EventKind.OPERATOR_CHANGED) == [
        (people.operator.id, people.reader.id, {"operator": True}),
        (people.operator.id, people.reader.id, {"operator": False}),
    ]


def test_the_last_operator_who_is_not_suspended_stays(
    operator: Browser, app: Flask, people: Cast, clock: MovableClock, second: Person
) -> None:
    rows.put(app, update(Account).where(Account.id == second.id).values(suspended_at=clock()))
    refused = operator.submit(of(people.operator, "operator"), operator="no")
    assert refused.status == 409
    assert any(message.startswith("This is the last operator") for message in Seen(refused).messages)
    assert rows.account(app, people.operator).is_operator
    rows.put(app, update(Account).where(Account.id == second.id).values(suspended_at=None))
    answer = operator.submit(of(people.operator, "operator"), operator="no")
    assert answer.status == 303
    assert not rows.account(app, people.operator).is_operator


def test_an_operator_who_steps_down_is_led_to_a_page_that_opens(
    operator: Browser, app: Flask, people: Cast, clock: MovableClock, second: Person
) -> None:
    with app.app_context():
        members.add(on_the_command_line(clock), "city-data", people.operator.id, MemberRole.READER)
    operator.log_in(people.operator)
    answer = operator.submit(of(people.operator, "operator"), operator="no")
    after = operator.get(answer.location, follow=True)
    assert after.status == 200
    assert "Saved." in Seen(after).messages


@pytest.mark.parametrize("value", ["", "maybe", "YES", "1", " "])
def test_neither_yes_nor_no_is_refused(operator: Browser, app: Flask, people: Cast, value: str) -> None:
    assert operator.submit(of(people.reader, "operator"), operator=value).status == 422
    assert not rows.account(app, people.reader).is_operator
