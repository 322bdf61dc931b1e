"""The people of a portal as its admins see them: by name, paged by key, searched and filtered; and one of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from ..models import Account, Authenticator, Membership, Portal
from ..models.membership import works_in_back_office
from ..models.portal import covered_since
from ..plumbing.db import reading
from ..rules.roles import MemberRole
from . import member_places
from .member_places import OPERATORS, MembersQuery, MfaFilter
from .people_search import Place

__all__ = ["OPERATORS", "Member", "MembersPage", "MembersQuery", "MfaFilter", "everybody", "one", "page"]
PAGE = 50
PORTION = 500


@dataclass(frozen=True, slots=True)
class Member:
    """One line of the list. `role` is None for an operator who is no member."""

    id: int
    name: str
    email: str
    role: MemberRole | None
    is_operator: bool
    suspended: bool
    apps: int
    covered: bool
    last_login_at: datetime | None
    confirmed: bool
    """Whether somebody proved or vouched for the address."""


@dataclass(frozen=True, slots=True)
class MembersPage:
    members: list[Member]
    next_after: int | None


def page(portal_id: int, query: MembersQuery) -> MembersPage:
    """One page, by name: who stands on it, and what is said of them. As many statements, however many there are."""
    with reading() as session:
        place = member_places.place_of(session, portal_id, query.after)
        places = member_places.some(session, portal_id, query, place, PAGE + 1)
        found = _told(session, portal_id, places[:PAGE])
    return MembersPage(found, places[PAGE - 1].id if len(places) > PAGE else None)


def everybody(portal_id: int, query: MembersQuery) -> Iterator[Member]:
    """All who fit, by name, read in portions: neither memory nor the time of a transaction grows with them.

    It goes on from the last name that was read, not from its owner: whoever is removed or renamed meanwhile cannot
    send it back to the beginning.
    """
    with reading() as session:
        place = member_places.place_of(session, portal_id, query.after)
    while True:
        with reading() as session:
            places = member_places.some(session, portal_id, query, place, PORTION, by_name=True)
            found = _told(session, portal_id, places)
        yield from found
        if len(places) < PORTION:
            return
        place = places[-1]


def one(portal_id: int, account_id: int) -> Member | None:
    """The member with this number, None for anybody else's."""
    with reading() as session:
        row = session.execute(_members(portal_id).where(Account.id == account_id)).one_or_none()
        return None if row is None else _member(row)


def _told(session: Session, portal_id: int, places: list[Place]) -> list[Member]:
    """What is said of those who stand there, in their order."""
    if not places:
        return []
    rows = session.execute(_members(portal_id).where(Account.id.in_([place.id for place in places])))
    members = {row.id: _member(row) for row in rows}
    return [members[place.id] for place in places if place.id in members]


def _members(portal_id: int) -> Select[Any]:
    """Members, and the operators, who count as admins of every portal."""
    apps = select(func.count()).where(Authenticator.account_id == Account.id).scalar_subquery()
    works = or_(Account.is_operator, works_in_back_office(Membership.role))
    return (
        select(
            Account.id,
            Account.name,
            Account.email,
            Membership.role,
            Account.is_operator,
            Account.suspended_at,
            apps.label("apps"),
            covered_since(Portal, works).is_not(None).label("covered"),
            Account.last_login_at,
            Account.email_confirmed_at,
        )
        .select_from(Account)
        .join(Portal, Portal.id == portal_id)
        .outerjoin(Membership, (Membership.account_id == Account.id) & (Membership.portal_id == portal_id))
        .where(or_(Account.is_operator, Membership.portal_id.is_not(None)))
    )


def _member(row: Any) -> Member:
    role = MemberRole(row.role) if row.role in list(MemberRole) else None
    return Member(
        row.id,
        row.name,
        row.email,
        role,
        row.is_operator,
        row.suspended_at is not None,
        row.apps,
        bool(row.covered),
        row.last_login_at,
        row.email_confirmed_at is not None,
    )
