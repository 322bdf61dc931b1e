"""However a page is found (through an index, by walking, in parts), all pages together are all who fit, each once."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import and_, or_, select, true

from mfaportal.domain import (
    activity,
    coverage,
    event_people,
    event_places,
    installation,
    member_list,
    people_search,
)
from mfaportal.domain.activity import EventsQuery
from mfaportal.domain.event_places import EventGroup
from mfaportal.domain.installation import AccountsQuery, AccountState
from mfaportal.domain.member_list import OPERATORS, MembersQuery, MfaFilter
from mfaportal.models import Account, Event, PortalPerson
from mfaportal.models.account_search import SearchText
from mfaportal.models.portal_person import IN_NO_PORTAL
from mfaportal.plumbing.clock import midnight
from mfaportal.plumbing.db import reading
from mfaportal.rules.mfa_rule import MfaRule
from mfaportal.rules.roles import MemberRole
from tests.domain.scene import Scene
from tests.people import set_rule
from tests.test_plans import grow

TEXTS = ("", "kim", "lee", "k", "1", "14", "person", "person1", "kim 1", "m 12", "example.org", "zzz", "reader", "e")


@pytest.fixture
def crowd(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A hundred people, of whom ten are many, and a few on each page."""
    for module, name, few in (
        (people_search, "FEW", 10),
        (event_people, "FEW", 5),
        (event_people, "_SOME", 60),
        (event_places, "_LOOKED_FIRST", 30),
        (event_places, "_LOOKED_AT", 80),
        (member_list, "PAGE", 9),
        (member_list, "PORTION", 13),
        (installation, "PAGE", 9),
        (activity, "PAGE", 20),
        (activity, "PORTION", 50),
    ):
        monkeypatch.setattr(module, name, few)
    grow(scene.app, scene.clock, 10, 110, timedelta(hours=6))
    with scene.app.app_context():
        set_rule(MfaRule.BACK_OFFICE, scene.clock)
    return scene


def walked(page: Callable[[int | None], tuple[list[int], int | None]]) -> list[int]:
    """The numbers on all pages, from the first one on."""
    numbers, after = [], None
    for _page in range(1000):
        found, after = page(after)
        numbers += found
        if after is None:
            return numbers
    raise AssertionError("there is no end to it")


def listed(portal_id: int, text: str, role: str | None, mfa: MfaFilter | None) -> list[int]:
    """By looking at everybody, in the order of names."""
    wanted = SearchText.of(text)
    fits = [PortalPerson.portal_id == portal_id]
    fits += [wanted.fits(PortalPerson.name_key, PortalPerson.email)] if text else []
    fits += [PortalPerson.counts_as == role] if role else []
    fits += [PortalPerson.set_up == (mfa is MfaFilter.SET_UP)] if mfa else []
    if mfa is MfaFilter.MISSING:
        covered = [each.role for each in coverage.of_portal(portal_id).roles]
        fits += [PortalPerson.counts_as.in_(covered)]
    with reading() as session:
        order = (PortalPerson.name_key, PortalPerson.account_id)
        return list(session.scalars(select(PortalPerson.account_id).where(*fits).order_by(*order)))


def test_every_page_of_members_together_is_everybody_who_fits_once(crowd: Scene) -> None:
    roles = (None, MemberRole.READER, MemberRole.EDITOR, OPERATORS)
    with crowd.app.app_context():
        for text, role, mfa in list(product(TEXTS, roles, (None, MfaFilter.NOT_SET_UP, MfaFilter.MISSING)))[::2]:

            def page(after: int | None, *, query: Any = (text, role, mfa)) -> tuple[list[int], int | None]:
                found = member_list.page(1, MembersQuery(query[0], query[1], query[2], after))
                return [member.id for member in found.members], found.next_after

            numbers, expected = walked(page), listed(1, text, role, mfa)
            assert sorted(numbers) == sorted(expected), (text, role, mfa)
            assert len(numbers) == len(set(numbers))
            in_file = [member.id for member in member_list.everybody(1, MembersQuery(text, role, mfa))]
            assert in_file == expected, "a file is by name"


def test_names_that_begin_with_it_come_first_where_thousands_have_it(crowd: Scene) -> None:
    with crowd.app.app_context():
        names = [member.name for member in member_list.page(1, MembersQuery("lee")).members]
        assert names[0].startswith("Lee")
        many = [member.email for member in member_list.page(1, MembersQuery("person1")).members]
        assert many == sorted(many), "then addresses that do, in their order"


def test_every_page_of_accounts_together_is_everybody_who_fits_once(crowd: Scene) -> None:
    conditions: dict[AccountState | None, Any] = {
        None: true(),
        AccountState.SUSPENDED: Account.suspended_at.is_not(None),
        AccountState.OPERATOR: Account.is_operator,
        AccountState.NO_PORTAL: Account.id.in_(
            select(PortalPerson.account_id).where(PortalPerson.portal_id == IN_NO_PORTAL)
        ),
    }
    with crowd.app.app_context():
        for text, state in product(TEXTS, conditions):

            def page(after: int | None, *, query: Any = (text, state)) -> tuple[list[int], int | None]:
                found = installation.accounts(AccountsQuery(query[0], query[1], after))
                return [line.id for line in found.accounts], found.next_after

            wanted = SearchText.of(text)
            fits = wanted.fits(Account.name_key, Account.email) if text else true()
            with reading() as session:
                expected = list(session.scalars(select(Account.id).where(fits, conditions[state])))
            numbers = walked(page)
            assert sorted(numbers) == sorted(expected), (text, state)


DAYS = ((None, None), (date(2026, 3, 3), date(2026, 3, 9)), (None, date(2026, 3, 5)), (date(2026, 4, 1), None))
GROUPS = (None, EventGroup.PEOPLE, EventGroup.DATASETS, EventGroup.LOGINS)
WHO = ("", "kim", "kim 50", "lee 9", "k", "17", "40", "person", "zzz", "operator")


def happened(portal_id: int | None, query: EventsQuery) -> list[int]:
    """By looking at every event, newest first."""
    fits: list[Any] = [] if portal_id is None else [Event.portal_id == portal_id]
    fits += [Event.kind.in_(event_places.kinds_of(query.group))] if query.group else []
    fits += [Event.at >= midnight(query.since)] if query.since else []
    fits += [Event.at < midnight(query.until) + timedelta(days=1)] if query.until else []
    if query.person:
        wanted = SearchText.of(query.person)
        who = select(Account.id).where(wanted.fits(Account.name_key, Account.email))
        number = int(query.person) if query.person.isdigit() else 0
        fits.append(or_(*(or_(side.in_(who), side == number) for side in (Event.account_id, Event.actor_id))))
    with reading() as session:
        return list(session.scalars(select(Event.id).where(and_(true(), *fits)).order_by(Event.id.desc())))


@pytest.mark.parametrize("portal_id", [None, 1])
def test_every_page_of_activity_together_is_all_that_fits_once_and_in_its_order(
    crowd: Scene, portal_id: int | None
) -> None:
    with crowd.app.app_context():
        for group, who, (since, until) in list(product(GROUPS, WHO, DAYS))[::3]:
            facts: dict[str, Any] = {"group": group, "person": who, "since": since, "until": until}

            def page(after: int | None, *, facts: dict[str, Any] = facts) -> tuple[list[int], int | None]:
                query = EventsQuery(**facts, after=after)
                of_portal = activity.of_portal(portal_id, query, everything=True) if portal_id else None
                found = of_portal or activity.of_all(query)
                return [event.id for event in found.events], found.next_after

            expected = happened(portal_id, EventsQuery(**facts))
            assert walked(page) == expected, facts
        newest = happened(portal_id, EventsQuery())[0]
        for facts in ({}, {"person": "kim"}, {"group": EventGroup.PEOPLE, "person": "k", "until": date(2026, 3, 9)}):
            query = EventsQuery(**facts)
            in_file = [event.id for event in activity.every(query, newest, portal_id=portal_id)]
            assert in_file == happened(portal_id, query)[::-1]
