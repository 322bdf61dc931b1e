import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from mfaportal.domain import members, portals
from mfaportal.models import Account, EventKind, Portal
from mfaportal.rules.mfa_rule import BEGINNING, MfaRule
from mfaportal.rules.roles import MemberRole
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.looking import Choice, Seen
from tests.people import Cast, add_person, give_app, on_the_command_line, set_rule

PATH = "/portals/city-data/backoffice/access/security"
ACCESS, RULE = "Portal access", "Multi-factor authentication is required of"
NOBODY, BACK_OFFICE, ALL = "Nobody", "Users with access to the back office", "All users"
START = datetime(2026, 3, 2, 9, 0, 16, tzinfo=UTC)


def checked(page: Page, group: str) -> list[str]:
    return [name for name, choice in Seen(page).radios[group].items() if choice.checked]


def covers(choice: Choice) -> tuple[int, int]:
    """How many people a choice says that it covers, and how many of them have not set up."""
    people = re.search(r"\b(\d+) (people|person)\b", choice.facts)
    assert people
    assert (people[1] == "1") == (people[2] == "person")
    without = re.search(r"\b(\d+) of them (has|have) not set it up", choice.facts)
    if without is None:
        assert "All of them have set it up" in choice.facts
        return int(people[1]), 0
    assert (without[1] == "1") == (without[2] == "has")
    return int(people[1]), int(without[1])


@pytest.fixture
def admin(browser: Browser, people: Cast, clock: MovableClock) -> Browser:
    """The browser of the admin, who has no app and logged in a second before `START`."""
    browser.log_in(people.admin)
    clock.advance(seconds=1)
    return browser


def test_the_page_offers_just_these_choices(admin: Browser) -> None:
    page = admin.get(PATH)
    seen = Seen(page)
    assert page.status == 200
    assert "Security" in seen.title
    assert "City data" in seen.title
    assert "Security" in seen.h1
    groups = {legend: {name: choice.value for name, choice in group.items()} for legend, group in seen.radios.items()}
    assert groups == {
        ACCESS: {"Public": "public", "Private": "private"},
        RULE: {NOBODY: "off", BACK_OFFICE: "back_office", ALL: "everyone"},
    }
    assert checked(page, ACCESS) == ["Private"]
    assert checked(page, RULE) == [NOBODY]
    ((name, box),) = seen.boxes.items()
    assert name.startswith("Also apply now")
    assert not box.checked
    assert seen.buttons == ["Save"]


def test_each_choice_says_how_many_people_it_covers_and_how_many_have_not_set_up(
    admin: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    """Four of the cast, and: a second portal's people, who do not count; people with two apps; suspended ones."""
    with app.app_context():
        portals.create(on_the_command_line(clock), "Elsewhere", "elsewhere")
        add_person(clock, "outsider@example.org", "Outsider", "admin", portal="elsewhere")
        two = add_person(clock, "two@example.org", "Two", "reader")
        give_app(two, clock, "One")
        give_app(two, clock, "Two")
        gone = add_person(clock, "gone@example.org", "Gone", "editor")
        lone = add_person(clock, "lone@example.org", "Lone", "reader")
        both = add_person(clock, "both@example.org", "Both", "admin", operator=True)
        give_app(both, clock)
        give_app(people.editor, clock)
        members.add(on_the_command_line(clock), "elsewhere", lone.id, MemberRole.ADMIN)
    rows.put(app, update(Account).where(Account.id == gone.id).values(suspended_at=clock()))
    group = Seen(admin.get(PATH)).radios[RULE]
    assert covers(group[BACK_OFFICE]) == (5, 3)  # editor, admin, operator, gone, both; three have no app
    assert covers(group[ALL]) == (8, 5)  # and reader, two, lone
    assert "3 of 8 have" in group[NOBODY].facts


def test_one_person_is_counted_in_the_singular(admin: Browser, app: Flask, people: Cast, clock: MovableClock) -> None:
    with app.app_context():
        for person in (people.admin, people.operator):
            give_app(person, clock)
    admin.log_out()
    clock.advance(seconds=30)
    admin.log_in(people.admin)
    group = Seen(admin.get(PATH)).radios[RULE]
    assert covers(group[BACK_OFFICE]) == (3, 1)
    with app.app_context():
        give_app(people.editor, clock)
    assert covers(Seen(admin.get(PATH)).radios[RULE][BACK_OFFICE]) == (3, 0)


def test_the_page_says_that_one_is_among_them_and_whether_one_has_set_up(
    admin: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    seen = Seen(admin.get(PATH))
    assert re.search(r"\byou\b", seen.radios[RULE][BACK_OFFICE].facts + seen.main)
    assert "You have not set up MFA on your own account yet." in seen.main
    assert seen.links["Set up"] == "/account/security/methods/add"
    admin.log_out()
    with app.app_context():
        give_app(people.admin, clock)
    admin.log_in(people.admin)
    seen = Seen(admin.get(PATH))
    assert "You have set up MFA on your own account." in seen.main
    assert "Set up" not in seen.links


def test_the_page_takes_the_same_number_of_statements_however_many_people(
    admin: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    with rows.counted_statements(app) as few:
        admin.get(PATH)
    with app.app_context():
        for number in range(15):
            give_app(add_person(clock, f"p{number}@example.org", f"P {number}", "editor"), clock)
    with rows.counted_statements(app) as many:
        admin.get(PATH)
    assert len(many) == len(few) <= 4


def test_a_choice_is_saved_shown_and_noted(admin: Browser, app: Flask, people: Cast, clock: MovableClock) -> None:
    page = admin.submit(PATH, visibility="public", mfa_rule="back_office")
    assert (page.status, page.location) == (303, PATH)
    page = admin.get(PATH)
    assert Seen(page).messages == ["Saved."]
    assert checked(page, ACCESS) == ["Public"]
    assert checked(page, RULE) == [BACK_OFFICE]
    portal = rows.portal(app)
    assert (portal.visibility, portal.mfa_rule, portal.back_office_since) == ("public", "back_office", clock())
    (event,) = rows.events(app, EventKind.PORTAL_ACCESS_CHANGED)
    assert (event.actor_id, event.portal_id, event.source, event.at) == (people.admin.id, portal.id, "web", clock())
    assert event.details == {
        "rule": ["off", "back_office"],
        "visibility": ["private", "public"],
        "apply_now": False,
    }


def test_an_operator_may_do_it_without_a_membership(browser: Browser, app: Flask, people: Cast) -> None:
    browser.log_in(people.operator)
    assert browser.submit(PATH, mfa_rule="everyone").status == 303
    assert rows.portal(app).mfa_rule == "everyone"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mfa_rule", "sometimes"),
        ("mfa_rule", " "),
        ("mfa_rule", "OFF"),
        ("mfa_rule", "off\x00"),
        ("mfa_rule", "x" * 10_000),
        ("visibility", "hidden"),
        ("visibility", "Public"),
        ("visibility", "\t"),
    ],
)
def test_an_unknown_value_is_refused_and_nothing_changes(
    admin: Browser, app: Flask, clock: MovableClock, field: str, value: str
) -> None:
    with app.app_context():
        set_rule(MfaRule.BACK_OFFICE, clock)
    clock.advance(minutes=1)
    fields: dict[str, Any] = {"visibility": "public", "mfa_rule": "everyone", field: value}
    page = admin.submit(PATH, **fields)
    assert page.status == 422
    assert "Choose one of these." in page.text or "Choose public or private." in page.text
    portal = rows.portal(app)
    assert (portal.visibility, portal.mfa_rule, portal.back_office_since) == ("private", "back_office", START)
    assert len(rows.events(app, EventKind.PORTAL_ACCESS_CHANGED)) == 1


@pytest.mark.parametrize("sent", [{}, {"visibility": "", "mfa_rule": ""}])
def test_a_choice_that_is_not_sent_stays_as_it_is(
    admin: Browser, app: Flask, clock: MovableClock, sent: dict[str, str]
) -> None:
    with app.app_context():
        set_rule(MfaRule.BACK_OFFICE, clock)
    data = {"csrf_token": admin.csrf("/account"), **sent}
    assert admin.open("POST", PATH, data=data).status == 303
    portal = rows.portal(app)
    assert (portal.visibility, portal.mfa_rule, portal.back_office_since) == ("private", "back_office", START)


def test_an_unknown_value_in_the_database_shows_and_counts_as_all_users(
    admin: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        give_app(people.operator, clock)
    rows.put(app, update(Portal).values(mfa_rule="sometimes", visibility="hidden"))
    assert admin.get(PATH).location == "/log-in/set-up"
    assert new_browser().give_password(people.reader).location == "/log-in/set-up"
    operator = new_browser()
    operator.log_in(people.operator)
    page = operator.get(PATH)
    assert checked(page, RULE) == [ALL]
    assert checked(page, ACCESS) == ["Private"]
    assert operator.send(page).status == 303
    portal = rows.portal(app)
    assert (portal.mfa_rule, portal.everyone_since, portal.visibility) == ("everyone", BEGINNING, "private")
