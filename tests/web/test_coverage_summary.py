"""Who is covered and has not set up: by role above the list of users, in one line on the desk."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import update

from mfaportal.domain import coverage, members, portals
from mfaportal.domain.access_security import Coverage, look
from mfaportal.domain.coverage import RoleCovered
from mfaportal.models import Account, Membership
from mfaportal.rules.mfa_rule import MfaRule
from mfaportal.rules.roles import MemberRole
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.looking import Seen
from tests.people import PORTAL, Cast, add_person, give_app, on_the_command_line, set_rule

DESK = "/portals/city-data/backoffice"
USERS = f"{DESK}/access/users"


@pytest.fixture
def mixed(app: Flask, people: Cast, clock: MovableClock) -> Cast:
    """Two admins, one suspended and with apps; two operators who are members, one with an app; another portal."""
    with app.app_context():
        second = add_person(clock, "second@example.org", "Second", "admin")
        give_app(second, clock)
        give_app(second, clock, "Another")
        give_app(add_person(clock, "reads@example.org", "Reads", "reader", operator=True), clock)
        portals.create(on_the_command_line(clock), "Harbour", "harbour")
        add_person(clock, "tide@example.org", "Tide", "editor", portal="harbour")
        members.add(on_the_command_line(clock), "harbour", people.reader.id, MemberRole.ADMIN)
        members.add(on_the_command_line(clock), PORTAL, people.operator.id, MemberRole.ADMIN)
    rows.put(app, update(Account).where(Account.id == second.id).values(suspended_at=clock()))
    return people


def of_portal(app: Flask) -> list[tuple[str, int, int]]:
    with app.app_context():
        return [(each.role, each.people, each.set_up) for each in coverage.of_portal(rows.portal(app).id).roles]


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        (MfaRule.OFF, []),
        (MfaRule.BACK_OFFICE, [("editor", 1, 0), ("admin", 2, 1), ("operator", 2, 1)]),
        (MfaRule.EVERYONE, [("reader", 1, 0), ("editor", 1, 0), ("admin", 2, 1), ("operator", 2, 1)]),
    ],
)
def test_everybody_whom_the_rule_covers_is_counted_once_by_role(
    app: Flask, mixed: Cast, clock: MovableClock, rule: MfaRule, found: list[tuple[str, int, int]]
) -> None:
    with app.app_context():
        set_rule(rule, clock)
        here = look(PORTAL)
        assert here is not None
        counted = coverage.of_portal(rows.portal(app).id)
    assert of_portal(app) == found
    whole = {MfaRule.OFF: Coverage(0, 0), MfaRule.BACK_OFFICE: here.back_office, MfaRule.EVERYONE: here.everyone}[
        rule
    ]
    assert (counted.people, counted.missing) == (whole.people, whole.without_app)


def test_a_role_that_cannot_be_read_is_covered_by_a_rule_for_all_users_only(
    app: Flask, people: Cast, clock: MovableClock
) -> None:
    rows.put(app, update(Membership).where(Membership.account_id == people.editor.id).values(role="owner"))
    with app.app_context():
        set_rule(MfaRule.BACK_OFFICE, clock)
        assert of_portal(app) == [("admin", 1, 0), ("operator", 1, 0)]
        set_rule(MfaRule.EVERYONE, clock)
        assert coverage.of_portal(rows.portal(app).id).roles[-1] == RoleCovered("none", 1, 0)


def test_the_list_says_it_by_role_with_a_meter_and_a_link_to_just_these_people(
    browser: Browser, app: Flask, mixed: Cast, clock: MovableClock
) -> None:
    browser.log_in(mixed.admin)
    clock.advance(seconds=1)
    with app.app_context():
        set_rule(MfaRule.BACK_OFFICE, clock)
    seen = Seen(browser.get(USERS))
    assert "MFA is required of 5 people" in seen.main
    assert [(meter["max"], meter["value"]) for meter in seen.all("meter")] == [("1", "0"), ("2", "1"), ("2", "1")]
    for words, names in {
        "editor: 1 not set up": ["Editor"],
        "admin: 1 not set up": ["Admin"],
        "operator: 1 not set up": ["Operator"],
    }.items():
        page = Seen(browser.get(seen.links[words]))
        lines = [node for node in page.all("tbody")[0].walk() if node.tag == "tr"]
        assert [next(node.text for node in line.walk() if node.tag == "a") for line in lines] == names


def test_the_desk_says_it_to_admins_in_one_line_and_says_nothing_without_a_rule(
    browser: Browser, new_browser: Callable[[], Browser], app: Flask, mixed: Cast, clock: MovableClock
) -> None:
    editor = new_browser()
    for theirs, person in ((browser, mixed.admin), (editor, mixed.editor)):
        theirs.log_in(person)
    clock.advance(seconds=1)
    assert "whom the rule covers" not in Seen(browser.get(DESK)).main
    assert all(meter not in browser.get(USERS).html for meter in ("<meter", "MFA is required of"))
    with app.app_context():
        set_rule(MfaRule.BACK_OFFICE, clock)
    with rows.counted_statements(app) as statements:
        seen = Seen(browser.get(DESK))
    assert len(statements) == 2
    assert seen.links["3 of 5 people whom the rule covers have not set up MFA"] == f"{USERS}?mfa=missing"
    assert "whom the rule covers" not in Seen(editor.get(DESK)).main
