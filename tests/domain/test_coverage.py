"""Whom a rule covers is decided in three places that must agree: the rule itself, its SQL, and what counts people."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from flask import Flask
from sqlalchemy import false, select, true, update

from mfaportal.domain import access_security, member_list, members, portals, reports
from mfaportal.domain.access_security import Coverage
from mfaportal.models import Account, Membership, Portal
from mfaportal.models.portal import covered_since
from mfaportal.plumbing.db import reading
from mfaportal.rules.mfa_rule import MfaRule, RuleInForce
from mfaportal.rules.roles import MemberRole, Role
from tests import rows
from tests.clock import MovableClock
from tests.people import PORTAL, Cast, add_person, give_app, on_the_command_line, set_rule

T1 = datetime(2026, 1, 1, tzinfo=UTC)
T2 = T1 + timedelta(microseconds=1)
RULES = [
    RuleInForce(rule, back_office, everyone)
    for rule, back_office, everyone in product(
        [*MfaRule, "", "OFF", "sometimes", "back-office"], [None, T1, T2], [None, T1, T2]
    )
]


def numbers(app: Flask, slug: str = PORTAL) -> tuple[Coverage, Coverage]:
    with app.app_context():
        found = access_security.look(slug)
    assert found is not None
    return found.back_office, found.everyone


@pytest.fixture
def mixed(app: Flask, people: Cast, clock: MovableClock) -> Cast:
    """The cast, of whom the editor has two apps; a second portal; people of both, of one, of none; one suspended."""
    with app.app_context():
        give_app(people.editor, clock, "One")
        give_app(people.editor, clock, "Two")
        portals.create(on_the_command_line(clock), "Elsewhere", "elsewhere")
        gone = add_person(clock, "gone@example.org", "Gone", "editor")
        both = add_person(clock, "both@example.org", "Both", "reader")
        members.add(on_the_command_line(clock), "elsewhere", both.id, MemberRole.ADMIN)
        give_app(add_person(clock, "theirs@example.org", "Theirs", "reader", portal="elsewhere"), clock)
        add_person(clock, "nobody@example.org", "Nobody", None)
        give_app(add_person(clock, "second@example.org", "Second", "reader", operator=True), clock)
    rows.put(app, update(Account).where(Account.id == gone.id).values(suspended_at=clock()))
    return people


def test_the_rule_and_its_sql_say_the_same_instant_for_every_rule_and_role(app: Flask, people: Cast) -> None:
    wrong = []
    for rule in RULES:
        values = {
            "mfa_rule": rule.rule,
            "back_office_since": rule.back_office_since,
            "everyone_since": rule.everyone_since,
        }
        rows.put(app, update(Portal).values(values))
        with app.app_context(), reading() as session:
            for role, works in ((Role.READER, false()), (Role.EDITOR, true()), (Role.OPERATOR, true())):
                said = session.scalar(select(covered_since(Portal, works)))
                if said != rule.covered_since(role):
                    wrong.append((rule, role, said))
    assert wrong == []


def test_the_numbers_of_a_mixed_portal(app: Flask, mixed: Cast) -> None:
    """Back office: editor, admin, operator, gone, second (an operator who reads). All: and reader, both."""
    assert numbers(app) == (Coverage(5, 3), Coverage(7, 5))
    assert numbers(app, "elsewhere") == (Coverage(3, 2), Coverage(4, 2))


def test_the_numbers_add_up(app: Flask, mixed: Cast) -> None:
    for coverage in numbers(app):
        assert coverage.with_app + coverage.without_app == coverage.people


def test_the_numbers_do_not_hang_on_the_rule_in_force(app: Flask, mixed: Cast, clock: MovableClock) -> None:
    before = numbers(app)
    for rule in (MfaRule.BACK_OFFICE, MfaRule.EVERYONE):
        with app.app_context():
            set_rule(rule, clock)
        assert numbers(app) == before


def test_several_apps_do_not_make_one_person_several(app: Flask, people: Cast, clock: MovableClock) -> None:
    with app.app_context():
        for number in range(20):
            give_app(people.admin, clock, f"App {number}")
    assert numbers(app) == (Coverage(3, 2), Coverage(4, 3))


def test_a_membership_that_cannot_be_read_counts_among_all_and_not_in_the_back_office(
    app: Flask, people: Cast
) -> None:
    rows.put(app, update(Membership).where(Membership.account_id == people.editor.id).values(role="owner"))
    assert numbers(app) == (Coverage(2, 2), Coverage(4, 4))


def test_a_portal_without_members_covers_the_operators(app: Flask, people: Cast, clock: MovableClock) -> None:
    with app.app_context():
        portals.create(on_the_command_line(clock), "Elsewhere", "elsewhere")
    assert numbers(app, "elsewhere") == (Coverage(1, 1), Coverage(1, 1))


def test_there_are_no_numbers_of_a_portal_that_is_not_there(app: Flask, people: Cast) -> None:
    with app.app_context():
        assert access_security.look("nowhere") is None


def test_counting_a_thousand_people_takes_as_many_statements_as_counting_ten(
    app: Flask, people: Cast, clock: MovableClock
) -> None:
    rows.add_crowd(app, clock, ["Kim"] * 6)
    with rows.counted_statements(app) as few:
        assert numbers(app)[1] == Coverage(10, 10)
    rows.add_crowd(app, clock, ["Kim"] * 990, "editor")
    with rows.counted_statements(app) as many:
        assert numbers(app) == (Coverage(993, 993), Coverage(1000, 1000))
    assert len(many) == len(few) == 2


@pytest.mark.parametrize("rule", list(MfaRule))
def test_the_report_and_the_list_and_the_numbers_name_the_same_people(
    app: Flask, mixed: Cast, clock: MovableClock, rule: MfaRule
) -> None:
    with app.app_context():
        set_rule(rule, clock)
        told = [each for each in reports.coverage(PORTAL) if each.portal == PORTAL]
        listed = member_list.page(rows.portal(app).id, member_list.MembersQuery()).members
    covered = {each.email for each in told if each.covered}
    bare = {each.email for each in told if each.covered and not each.set_up}
    assert covered == {each.email for each in listed if each.covered}
    assert bare == {each.email for each in listed if each.covered and not each.apps}
    back_office, everyone = numbers(app)
    counted = {MfaRule.OFF: Coverage(0, 0), MfaRule.BACK_OFFICE: back_office, MfaRule.EVERYONE: everyone}[rule]
    assert (len(covered), len(bare)) == (counted.people, counted.without_app)
    with app.app_context():
        missing = member_list.page(
            rows.portal(app).id, member_list.MembersQuery(mfa=member_list.MfaFilter.MISSING)
        ).members
    assert {each.email for each in missing} == bare


def test_the_report_names_everybody_of_every_portal_with_their_role(app: Flask, mixed: Cast) -> None:
    with app.app_context():
        told = {(each.portal, each.email.partition("@")[0], each.role) for each in reports.coverage()}
    assert told == {
        ("city-data", "reader", "reader"),
        ("city-data", "editor", "editor"),
        ("city-data", "admin", "admin"),
        ("city-data", "operator", "operator"),
        ("city-data", "gone", "editor"),
        ("city-data", "both", "reader"),
        ("city-data", "second", "reader"),
        ("elsewhere", "both", "admin"),
        ("elsewhere", "theirs", "reader"),
        ("elsewhere", "operator", "operator"),
        ("elsewhere", "second", "operator"),
    }
