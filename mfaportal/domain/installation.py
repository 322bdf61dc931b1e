"""Installation: what operators see of all portals and all accounts, paged by key."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, exists, func, literal, select, true, tuple_
from sqlalchemy.orm import Session, aliased

from ..models import AccessRequest, Account, Authenticator, Dataset, GuardedAddress, Membership, Portal
from ..models.access_request import RequestState
from ..models.membership import works_in_back_office
from ..models.portal import covered_since
from ..plumbing.db import reading
from ..rules.gateway import Address
from ..rules.names import key_of
from . import guarding

PAGE = 50
_QUERY_MAX = 100


@dataclass(frozen=True, slots=True)
class PortalLine:
    """A portal, and what would go with it."""

    id: int
    slug: str
    name: str
    visibility: str
    mfa_rule: str
    members: int
    datasets: int
    requests: int
    """Those that are still open."""
    addresses: list[Address]
    """Those that it guards."""


@dataclass(frozen=True, slots=True)
class PortalsPage:
    portals: list[PortalLine]
    next_after: int | None


class AccountState(StrEnum):
    """What to list by; an empty filter lists all."""

    SUSPENDED = "suspended"
    OPERATOR = "operator"
    NO_PORTAL = "no_portal"
    """A member of none, and no operator either: they cannot log in."""


@dataclass(frozen=True, slots=True)
class Place:
    """A membership, as it is listed."""

    slug: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One account. `covered`: by the rule of any portal."""

    id: int
    name: str
    email: str
    is_operator: bool
    suspended: bool
    confirmed: bool
    apps: int
    covered: bool
    last_login_at: datetime | None
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class AccountsPage:
    accounts: list[AccountLine]
    next_after: int | None


@dataclass(frozen=True, slots=True)
class AccountsQuery:
    """Search text (part of a name or an e-mail), a state, and the account after which the page begins."""

    text: str = ""
    state: AccountState | None = None
    after: int | None = None


def portals(after: int | None) -> PortalsPage:
    """One page, the oldest portal first: a statement for the portals and one for what they guard."""
    statement = _portals().where(Portal.id > (after or 0)).order_by(Portal.id).limit(PAGE + 1)
    with reading() as session:
        found = session.execute(statement).all()
        shown = GuardedAddress.portal_id.in_([row.id for row in found[:PAGE]])
        addresses = guarding.addresses_by_portal(session, shown)
    lines = [PortalLine(*(*row, addresses[row.id])) for row in found[:PAGE]]
    return PortalsPage(lines, lines[-1].id if len(found) > PAGE else None)


def portal(slug: str) -> PortalLine | None:
    """One portal, and what hangs on it."""
    with reading() as session:
        row = session.execute(_portals().where(Portal.slug == slug)).one_or_none()
        return None if row is None else PortalLine(*(*row, guarding.addresses_of(session, row.id)))


def _portals() -> Select[Any]:
    members, datasets, requests = (
        select(func.count()).where(model.portal_id == Portal.id) for model in (Membership, Dataset, AccessRequest)
    )
    return select(
        Portal.id,
        Portal.slug,
        Portal.name,
        Portal.visibility,
        Portal.mfa_rule,
        members.scalar_subquery(),
        datasets.scalar_subquery(),
        requests.where(AccessRequest.state == RequestState.OPEN).scalar_subquery(),
    )


def accounts(query: AccountsQuery) -> AccountsPage:
    """One page, by name: a statement for the accounts and one for their memberships, however many there are."""
    statement = _filtered(_accounts(), query).order_by(Account.name_key, Account.id).limit(PAGE + 1)
    with reading() as session:
        found = session.execute(statement).all()
        lines = _with_places(session, found[:PAGE])
    return AccountsPage(lines, lines[-1].id if len(found) > PAGE else None)


def account(account_id: int) -> AccountLine | None:
    """The account of this number, whatever portals it is in."""
    with reading() as session:
        lines = _with_places(session, session.execute(_accounts().where(Account.id == account_id)).all())
    return lines[0] if lines else None


def _accounts() -> Select[Any]:
    rules = exists(select(Portal.id).where(covered_since(Portal, true()).is_not(None)))
    return select(
        Account.id,
        Account.name,
        Account.email,
        Account.is_operator,
        Account.suspended_at,
        Account.email_confirmed_at,
        select(func.count()).where(Authenticator.account_id == Account.id).scalar_subquery().label("apps"),
        (Account.is_operator & rules).label("covered"),
        Account.last_login_at,
    )


def _filtered(statement: Select[Any], query: AccountsQuery) -> Select[Any]:
    if query.text:
        text = query.text[:_QUERY_MAX]
        statement = statement.where(
            Account.name_key.contains(key_of(text), autoescape=True)
            | Account.email.contains(text.lower(), autoescape=True)
        )
    match query.state:
        case AccountState.SUSPENDED:
            statement = statement.where(Account.suspended_at.is_not(None))
        case AccountState.OPERATOR:
            statement = statement.where(Account.is_operator)
        case AccountState.NO_PORTAL:
            statement = statement.where(~Account.is_operator, ~exists().where(Membership.account_id == Account.id))
    if query.after is not None:
        who = aliased(Account)
        before = func.coalesce(select(who.name_key).where(who.id == query.after).scalar_subquery(), "")
        statement = statement.where(tuple_(Account.name_key, Account.id) > tuple_(before, literal(query.after)))
    return statement


def _with_places(session: Session, found: Sequence[Any]) -> list[AccountLine]:
    """The accounts with their memberships: one statement for all of them, none where there is nobody."""
    covered = covered_since(Portal, works_in_back_office(Membership.role)).is_not(None)
    statement = (
        select(Membership.account_id, Portal.slug, Portal.name, Membership.role, covered.label("covered"))
        .join(Portal, Portal.id == Membership.portal_id)
        .where(Membership.account_id.in_([row.id for row in found]))
        .order_by(Portal.name, Portal.id)
    )
    places: dict[int, list[Any]] = defaultdict(list)
    for place in session.execute(statement) if found else ():
        places[place.account_id].append(place)
    return [_line(row, places[row.id]) for row in found]


def _line(row: Any, places: list[Any]) -> AccountLine:
    return AccountLine(
        row.id,
        row.name,
        row.email,
        row.is_operator,
        row.suspended_at is not None,
        row.email_confirmed_at is not None,
        row.apps,
        bool(row.covered) or any(place.covered for place in places),
        row.last_login_at,
        tuple(Place(place.slug, place.name, place.role) for place in places),
    )
