"""The people of a portal as its admins see them: by name, paged by key, searched and filtered; and one of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, literal, or_, select, tuple_
from sqlalchemy.orm import aliased

from ..models import Account, Authenticator, Membership, Portal
from ..models.membership import works_in_back_office
from ..models.portal import covered_since
from ..plumbing.db import reading
from ..rules.names import key_of
from ..rules.roles import MemberRole

PAGE = 50
OPERATORS = "operator"
"""In place of a role: those who run the installation, whatever their membership here."""
PORTION = 500
_QUERY_MAX = 100


class MfaFilter(StrEnum):
    """What to list by; an empty filter lists all."""

    SET_UP = "set_up"
    NOT_SET_UP = "not_set_up"
    MISSING = "missing"
    """Covered by the portal's rule and not set up."""


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


@dataclass(frozen=True, slots=True)
class MembersQuery:
    """Search text (part of a name or an e-mail), filters, and the member after whom the page begins."""

    text: str = ""
    role: MemberRole | str | None = None
    """A role of members who are no operators, or OPERATORS: everybody fits one, as in `coverage`."""
    mfa: MfaFilter | None = None
    after: int | None = None


def page(portal_id: int, query: MembersQuery) -> MembersPage:
    """One page, by name: one statement, however many people there are."""
    statement = _members(portal_id).order_by(Account.name_key, Account.id).limit(PAGE + 1)
    statement = _filtered(statement, portal_id, query)
    with reading() as session:
        found = [_member(row) for row in session.execute(statement)]
    more = len(found) > PAGE
    return MembersPage(found[:PAGE], found[PAGE - 1].id if more else None)


def everybody(portal_id: int, query: MembersQuery) -> Iterator[Member]:
    """All who fit, by name, read in portions: neither memory nor the time of a transaction grows with them.

    It goes on from the last name that was read, not from its owner: whoever is removed or renamed meanwhile cannot
    send it back to the beginning.
    """
    statement = _filtered(_members(portal_id), portal_id, query).add_columns(Account.name_key)
    statement = statement.order_by(Account.name_key, Account.id).limit(PORTION)
    place = None
    while True:
        here = statement if place is None else statement.where(_behind(*place))
        with reading() as session:
            found = session.execute(here).all()
        yield from map(_member, found)
        if len(found) < PORTION:
            return
        place = (found[-1].name_key, found[-1].id)


def one(portal_id: int, account_id: int) -> Member | None:
    """The member with this number, None for anybody else's."""
    with reading() as session:
        row = session.execute(_members(portal_id).where(Account.id == account_id)).one_or_none()
        return None if row is None else _member(row)


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


def _filtered(statement: Select[Any], portal_id: int, query: MembersQuery) -> Select[Any]:
    set_up = exists().where(Authenticator.account_id == Account.id)
    works = or_(Account.is_operator, works_in_back_office(Membership.role))
    if query.text:
        text = query.text[:_QUERY_MAX]
        statement = statement.where(
            Account.name_key.contains(key_of(text), autoescape=True)
            | Account.email.contains(text.lower(), autoescape=True)
        )
    if query.role == OPERATORS:
        statement = statement.where(Account.is_operator)
    elif query.role is not None:
        statement = statement.where(Membership.role == query.role, ~Account.is_operator)
    match query.mfa:
        case MfaFilter.SET_UP:
            statement = statement.where(set_up)
        case MfaFilter.NOT_SET_UP:
            statement = statement.where(~set_up)
        case MfaFilter.MISSING:
            statement = statement.where(~set_up, covered_since(Portal, works).is_not(None))
    if query.after is not None:
        before = _name_key_of(portal_id, query.after)
        statement = statement.where(_behind(before, query.after))
    return statement


def _behind(name_key: Any, account_id: int) -> ColumnElement[bool]:
    """Those who come after this place in the list."""
    return tuple_(Account.name_key, Account.id) > tuple_(name_key, literal(account_id))


def _name_key_of(portal_id: int, account_id: int) -> Any:
    """Where somebody of this list stands in it. Nobody else's place is told: after them comes the first page."""
    who, here = aliased(Account), aliased(Membership)
    member = exists().where(here.account_id == who.id, here.portal_id == portal_id)
    found = select(who.name_key).where(who.id == account_id, or_(who.is_operator, member)).scalar_subquery()
    return func.coalesce(found, "")


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
