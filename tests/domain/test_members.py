from collections.abc import Iterator
from random import Random

import pytest
from flask import Flask
from sqlalchemy import delete, update

from mfaportal.domain import member_list, members, portals
from mfaportal.domain.authority import NotAllowed
from mfaportal.domain.caller import Caller, Source
from mfaportal.domain.member_list import PAGE, Member, MembersQuery, MfaFilter
from mfaportal.domain.outcomes import AccountRefusal, Done
from mfaportal.models import Account, EventKind, Membership
from mfaportal.rules.lifetimes import LoginLimits
from mfaportal.rules.mfa_rule import MfaRule
from mfaportal.rules.names import key_of
from mfaportal.rules.roles import MemberRole
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.people import PORTAL, Cast, Person, add_person, give_app, on_the_command_line, set_rule


def whole_list(app: Flask, query: MembersQuery | None = None) -> list[Member]:
    """All pages, one after the other."""
    return [member for page in pages(app, query or MembersQuery()) for member in page]


def pages(app: Flask, query: MembersQuery) -> Iterator[list[Member]]:
    portal_id = rows.portal(app).id
    after = query.after
    while True:
        with app.app_context():
            page = member_list.page(portal_id, MembersQuery(query.text, query.role, query.mfa, after))
        yield page.members
        if page.next_after is None:
            return
        assert page.next_after != after
        after = page.next_after


def in_browser(app: Flask, browser: Browser, person: Person, clock: MovableClock) -> Caller:
    """The caller that a whole log-in of somebody is."""
    browser.log_in(person)
    (login,) = rows.live_logins(app, person)
    with app.app_context():
        limits: LoginLimits = on_the_command_line(clock).limits
    return Caller(clock(), Source.WEB, limits, person.id, login.id, "192.0.2.7", "test")


def test_every_member_is_on_exactly_one_page_whatever_the_names(
    app: Flask, people: Cast, clock: MovableClock
) -> None:
    """Many equal names, names that differ in case only, and pages that end in the middle of them."""
    random = Random(6238)
    names = [random.choice(["Kim Lee", "kim lee", "KIM LEE", "Li", "Ærø", "Zoë", "Ø", "李"]) for _ in range(4 * PAGE)]
    ids = rows.add_crowd(app, clock, names)
    found = whole_list(app)
    assert len(found) == len({member.id for member in found}) == len(ids) + 4
    assert {member.id for member in found} == {*ids, *(person.id for person in people.everybody)}
    assert found == sorted(found, key=lambda member: (key_of(member.name), member.id))
    assert [len(page) for page in pages(app, MembersQuery())] == [PAGE] * 4 + [4]


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_the_last_page_is_never_empty(app: Flask, people: Cast, clock: MovableClock, extra: int) -> None:
    rows.add_crowd(app, clock, ["Kim"] * (2 * PAGE - 4 + extra))
    lengths = [len(page) for page in pages(app, MembersQuery())]
    assert sum(lengths) == 2 * PAGE + extra
    assert all(lengths)


def test_filters_hold_on_every_page(app: Flask, people: Cast, clock: MovableClock) -> None:
    readers = rows.add_crowd(app, clock, ["Kim"] * 120)
    rows.add_crowd(app, clock, ["Kim"] * 120, "editor")
    found = whole_list(app, MembersQuery(text="kim", role=MemberRole.READER, mfa=MfaFilter.NOT_SET_UP))
    assert [member.id for member in found] == readers


def test_a_page_is_as_many_statements_for_ten_people_and_for_a_thousand(
    app: Flask, people: Cast, clock: MovableClock
) -> None:
    portal_id = rows.portal(app).id
    query = MembersQuery("kim", MemberRole.READER, MfaFilter.NOT_SET_UP)
    numbers: list[int] = []
    for count in (10, 990):
        rows.add_crowd(app, clock, ["Kim"] * count, "reader" if count == 10 else "editor")
        for each in (MembersQuery(), query, MembersQuery(after=people.admin.id)):
            with app.app_context(), rows.counted_statements(app) as statements:
                member_list.page(portal_id, each)
            numbers.append(len(statements))
    assert numbers[:3] == numbers[3:]
    assert max(numbers) <= 8


def test_the_list_goes_on_after_somebody_who_was_removed_meanwhile_from_its_beginning(
    app: Flask, people: Cast, clock: MovableClock
) -> None:
    rows.put(app, delete(Membership).where(Membership.account_id == people.editor.id))
    assert [member.name for member in whole_list(app, MembersQuery(after=people.editor.id))] == [
        "Admin",
        "Operator",
        "Reader",
    ]


def test_an_operator_is_on_the_list_of_every_portal_with_the_role_there_if_any(
    app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        portals.create(on_the_command_line(clock), "Elsewhere", "elsewhere")
        members.add(on_the_command_line(clock), "elsewhere", people.operator.id, MemberRole.READER)
        here = member_list.one(rows.portal(app).id, people.operator.id)
        there = member_list.one(rows.portal(app, "elsewhere").id, people.operator.id)
    assert here is not None
    assert there is not None
    assert (here.role, there.role) == (None, MemberRole.READER)
    assert here.is_operator
    assert there.is_operator


def test_nobody_of_another_portal_is_found_by_number(app: Flask, people: Cast, clock: MovableClock) -> None:
    with app.app_context():
        portals.create(on_the_command_line(clock), "Elsewhere", "elsewhere")
        assert member_list.one(rows.portal(app, "elsewhere").id, people.reader.id) is None
        assert member_list.one(rows.portal(app).id, 999999) is None


def test_a_member_knows_how_many_apps_and_whether_the_rule_of_this_portal_covers(
    app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        portals.create(on_the_command_line(clock), "Elsewhere", "elsewhere")
        members.add(on_the_command_line(clock), "elsewhere", people.reader.id, MemberRole.ADMIN)
        give_app(people.editor, clock, "One")
        give_app(people.editor, clock, "Two")
        set_rule(MfaRule.BACK_OFFICE, clock)
    told = {member.name: (member.apps, member.covered) for member in whole_list(app)}
    assert told == {"Reader": (0, False), "Editor": (2, True), "Admin": (0, True), "Operator": (0, True)}


def test_a_role_that_cannot_be_read_is_shown_as_none(app: Flask, people: Cast) -> None:
    rows.put(app, update(Membership).where(Membership.account_id == people.reader.id).values(role="owner"))
    with app.app_context():
        found = member_list.one(rows.portal(app).id, people.reader.id)
    assert found is not None
    assert found.role is None


def test_the_command_line_adds_a_member_and_changes_the_role_of_one(
    app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        portals.create(on_the_command_line(clock), "Elsewhere", "elsewhere")
        caller = on_the_command_line(clock)
        assert members.add(caller, "elsewhere", people.reader.id, MemberRole.READER) == Done()
        assert members.add(caller, "elsewhere", people.reader.id, MemberRole.ADMIN) == Done()
        assert members.add(caller, "elsewhere", people.reader.id, MemberRole.ADMIN) is AccountRefusal.NO_CHANGE
        assert members.add(caller, "nowhere", people.reader.id, MemberRole.READER) is AccountRefusal.UNKNOWN_PORTAL
    assert rows.role(app, people.reader, "elsewhere") == "admin"
    assert rows.role(app, people.reader) == "reader"
    added = rows.events(app, EventKind.MEMBER_ADDED)[-1]
    (changed,) = rows.events(app, EventKind.ROLE_CHANGED)
    for event in (added, changed):
        assert (event.source, event.actor_id, event.account_id) == ("cli", None, people.reader.id)
        assert event.portal_id == rows.portal(app, "elsewhere").id


def test_the_command_line_may_change_a_portals_last_admin(app: Flask, people: Cast, clock: MovableClock) -> None:
    with app.app_context():
        assert members.change_role(on_the_command_line(clock), PORTAL, people.admin.id, MemberRole.READER) == Done()
    assert rows.role(app, people.admin) == "reader"


def test_a_caller_who_lost_the_right_changes_nothing(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    caller = in_browser(app, browser, people.admin, clock)
    rows.put(app, update(Membership).where(Membership.account_id == people.admin.id).values(role="editor"))
    with app.app_context():
        with pytest.raises(NotAllowed):
            members.change_role(caller, PORTAL, people.reader.id, MemberRole.ADMIN)
        with pytest.raises(NotAllowed):
            members.remove(caller, PORTAL, people.reader.id)
        with pytest.raises(NotAllowed):
            members.add(caller, PORTAL, people.reader.id, MemberRole.ADMIN)
    assert rows.role(app, people.reader) == "reader"
    assert rows.events(app, EventKind.ROLE_CHANGED) == []


def test_a_caller_whose_confirmation_is_too_old_changes_nothing(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    caller = in_browser(app, browser, people.admin, clock)
    clock.advance(minutes=20, seconds=1)
    late = Caller(clock(), caller.source, caller.limits, caller.account_id, caller.login_id)
    with app.app_context(), pytest.raises(NotAllowed):
        members.change_role(late, PORTAL, people.reader.id, MemberRole.ADMIN)
    assert rows.role(app, people.reader) == "reader"


def test_a_login_that_was_ended_changes_nothing(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    caller = in_browser(app, browser, people.admin, clock)
    rows.put(app, update(Account).where(Account.id == people.admin.id).values(suspended_at=clock()))
    with app.app_context(), pytest.raises(NotAllowed):
        members.remove(caller, PORTAL, people.reader.id)
    assert rows.role(app, people.reader) == "reader"


def test_of_two_admins_either_may_go_but_not_both(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        more = add_person(clock, "more@example.org", "More", "admin")
    caller = in_browser(app, browser, people.admin, clock)
    with app.app_context():
        assert members.remove(caller, PORTAL, more.id) == Done()
        assert members.change_role(caller, PORTAL, people.admin.id, MemberRole.READER) is AccountRefusal.LAST_ADMIN
        assert members.remove(caller, PORTAL, people.admin.id) is AccountRefusal.LAST_ADMIN
    assert rows.role(app, people.admin) == "admin"
    assert rows.role(app, more) is None
