from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from mfaportal.domain import members
from mfaportal.models import EventKind
from mfaportal.rules.roles import MemberRole
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.people import PORTAL, Cast, Person, add_person, give_app, on_the_command_line

ACCESS = "/portals/city-data/backoffice/access"
ADD = "/account/security/methods/add"
SECURITY = f"{ACCESS}/security"
JSON = {"Accept": "application/json"}


def asked_by(app: Flask, people: Cast) -> list[str]:
    """Every page that asks for step-up, as an operator with an app meets them. Those and no others."""
    app_id = rows.apps(app, people.operator)[0].id
    person = f"{ACCESS}/users/{people.reader.id}"
    actions = ("role", "remove", "operator", "suspend", "restore", "end-logins", "reset-mfa", "reset-link")
    return [
        ADD,
        f"/account/security/methods/{app_id}/delete",
        f"/account/security/methods/{app_id}/replace",
        "/account/security/password",
        "/account/security/recovery-codes",
        "/account/portals/city-data/leave",
        "/account/delete",
        f"{ACCESS}/users/invite",
        SECURITY,
        f"{ACCESS}/signup",
        *(f"{person}/{action}" for action in actions),
        "/installation/portals/new",
        "/installation/portals/city-data",
        "/installation/portals/city-data/delete",
        *(f"/installation/accounts/{people.reader.id}/{action}" for action in actions[2:]),
    ]


def not_asked_by(app: Flask, people: Cast) -> list[str]:
    app_id = rows.apps(app, people.operator)[0].id
    return [
        "/",
        "/account",
        "/account/security",
        "/account/security/logins",
        "/account/security/methods",
        f"/account/security/methods/{app_id}/rename",
        "/confirm",
        "/portals/city-data/",
        "/portals/city-data/backoffice",
        f"{ACCESS}/users",
        f"{ACCESS}/users?q=reader&role=reader",
        f"{ACCESS}/requests",
        f"{ACCESS}/requests?history=1",
        f"{ACCESS}/users/{people.reader.id}",
        "/installation/portals",
        "/installation/accounts",
        "/installation/mail",
        f"/installation/accounts/{people.reader.id}",
    ]


@pytest.fixture
def operator(browser: Browser, app: Flask, people: Cast, clock: MovableClock) -> Person:
    """The operator, who has an app and has just logged in: in a portal, and not the only operator."""
    with app.app_context():
        give_app(people.operator, clock)
        members.add(on_the_command_line(clock), PORTAL, people.operator.id, MemberRole.READER)
        add_person(clock, "deputy@example.org", "Deputy", None, operator=True)
    browser.log_in(people.operator)
    return people.operator


def test_a_whole_log_in_counts_for_ten_minutes(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, operator: Person
) -> None:
    clock.advance(minutes=10)
    for path in asked_by(app, people):
        assert browser.get(path).status == 200, path
    clock.advance(seconds=1)
    for path in asked_by(app, people):
        page = browser.get(path)
        assert (page.status, page.location) == (303, f"/confirm?next={path}"), path


def test_pages_that_change_nothing_sensitive_never_ask(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, operator: Person
) -> None:
    clock.advance(hours=3)
    for path in not_asked_by(app, people):
        assert browser.get(path).status == 200, path


def test_there_are_no_other_pages_that_ask(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, operator: Person
) -> None:
    """Every address of the portal that takes a GET, filled in: what is not in the first list does not lead to it."""
    clock.advance(hours=3)
    app_id = rows.apps(app, operator)[0].id
    values = {"portal": PORTAL, "account_id": people.reader.id, "app_id": app_id, "token": "x", "filename": "x"}
    values |= {"invitation_id": 1, "dataset": "trees", "mail_id": 1}
    asking = set()
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()):
            built = rule.build({name: values[name] for name in rule.arguments})
            assert built is not None
            if browser.get(built[1]).location.startswith("/confirm"):
                asking.add(built[1])
    files = {f"{ACCESS}/{name}.csv" for name in ("users", "activity")}
    files |= {"/installation/activity.csv", "/installation/activity.jsonl"}
    files |= {"/account/security/recovery-codes/download"}
    assert asking == {*asked_by(app, people), *files}


def test_renaming_asks_for_nothing_even_on_the_post(
    browser: Browser, app: Flask, clock: MovableClock, operator: Person
) -> None:
    clock.advance(hours=3)
    app_id = rows.apps(app, operator)[0].id
    assert browser.submit(f"/account/security/methods/{app_id}/rename", name="Old phone").status == 303
    assert browser.submit("/account", name="Grace").status == 303
    assert rows.apps(app, operator)[0].name == "Old phone"
    assert rows.account(app, operator).name == "Grace"


def test_a_form_opened_in_time_may_be_sent_ten_minutes_later(
    browser: Browser, app: Flask, clock: MovableClock, operator: Person
) -> None:
    clock.advance(minutes=10)
    page = browser.get(SECURITY)
    clock.advance(minutes=10)
    assert browser.send(page, visibility="public").status == 303
    assert rows.portal(app).visibility == "public"


def test_a_form_that_was_refused_meanwhile_is_as_old_as_it_was(
    browser: Browser, app: Flask, clock: MovableClock, operator: Person
) -> None:
    """What was typed is not lost: the page with the mistake may be sent as long as the one before."""
    clock.advance(minutes=9)
    page = browser.get("/account/security/password")
    for _ in range(2):
        clock.advance(minutes=5)
        page = browser.send(page, current_password=operator.password, password="short")
        assert page.status == 422
    before = rows.account(app, operator).password_digest
    clock.advance(minutes=2)
    answer = browser.send(page, current_password=operator.password, password="short")
    assert answer.location == "/confirm?next=/account/security/password"
    assert rows.account(app, operator).password_digest == before


def test_a_form_opened_too_late_or_by_another_login_has_no_time_on_top(
    browser: Browser,
    new_browser: Callable[[], Browser],
    app: Flask,
    clock: MovableClock,
    operator: Person,
    people: Cast,
) -> None:
    """A page that asks for no step-up gives a value, too, and it is a valid one."""
    other = new_browser()
    other.log_in(people.admin)
    foreign = other.csrf("/account")
    clock.advance(minutes=10, seconds=1)
    for token in (browser.csrf("/account"), foreign, "", "nonsense"):
        page = browser.open("POST", SECURITY, data={"csrf_token": token, "visibility": "public"})
        assert (page.status, page.location) == (303, f"/confirm?next={SECURITY}")
    assert rows.portal(app).visibility == "private"


def test_a_form_opened_before_the_last_step_up_has_no_time_on_top(
    browser: Browser, app: Flask, clock: MovableClock, operator: Person
) -> None:
    token = browser.csrf("/account")
    clock.advance(minutes=11)
    assert operator.phone is not None
    assert browser.submit("/confirm", code=operator.phone.code(clock())).status == 303
    for minutes, status in ((10, 422), (1, 303)):
        clock.advance(minutes=minutes)
        page = browser.open("POST", SECURITY, data={"csrf_token": token, "visibility": "nonsense"})
        assert page.status == status


def test_a_form_sent_later_than_that_asks_and_does_nothing(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, operator: Person
) -> None:
    pages = {path: browser.get(path) for path in asked_by(app, people)}
    clock.advance(minutes=20, seconds=1)
    more: dict[str, Any] = {
        "visibility": "public",
        "role": "admin",
        "operator": "yes",
        "reason": "x",
        "code": "000000",
        "name": "x",
    }
    for path, page in pages.items():
        button = "Submit" if path == ADD else None
        answer = browser.send(page, button=button, **more)
        assert (answer.status, answer.location) == (303, f"/confirm?next={path}"), path
    assert rows.portal(app).visibility == "private"
    assert len(rows.apps(app, operator)) == 1
    assert rows.role(app, people.reader) == "reader"
    reader = rows.account(app, people.reader)
    assert (reader.is_operator, reader.suspended_at) == (False, None)
    for kind in (EventKind.ROLE_CHANGED, EventKind.LINK_MADE, EventKind.LOGINS_ENDED, EventKind.MFA_RESET):
        assert [each for each in rows.events(app, kind) if each.source == "web"] == []


@pytest.mark.parametrize("headers", [JSON, {"X-Requested-With": "XMLHttpRequest"}])
def test_programs_are_told_that_confirmation_is_required(
    browser: Browser, app: Flask, clock: MovableClock, operator: Person, headers: dict[str, str]
) -> None:
    token = browser.csrf("/account")
    clock.advance(minutes=20, seconds=1)
    for method in ("GET", "POST"):
        page = browser.open(method, SECURITY, headers=headers, data={"csrf_token": token, "visibility": "public"})
        assert page.status == 401
        assert page.response.get_json() == {"error": "confirmation_required"}
    assert rows.portal(app).visibility == "private"
