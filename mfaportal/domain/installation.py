"""Installation: what operators see of all portals and all accounts, paged by key."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, func, select, true
from sqlalchemy.orm import Session

from ..models import Account, Authenticator, Dataset, GuardedAddress, Membership, Portal, PortalCount
from ..models.membership import works_in_back_office
from ..models.portal import covered_since
from ..models.portal_count import MEMBERS, OPEN_REQUESTS
from ..plumbing.db import reading
from ..rules.gateway import Address
from . import account_places, guarding
from .account_places import AccountsQuery, AccountState

__all__ = [
    "AccountLine",
    "AccountState",
    "AccountsPage",
    "AccountsQuery",
    "Place",
    "PortalLine",
    "PortalsPage",
    "account",
    "accounts",
    "portal",
    "portals",
]
PAGE = 50


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
    members, requests = (
        select(PortalCount.number).where(PortalCount.portal_id == Portal.id, PortalCount.counted == counted)
        for counted in (MEMBERS, OPEN_REQUESTS)
    )
    return select(
        Portal.id,
        Portal.slug,
        Portal.name,
        Portal.visibility,
        Portal.mfa_rule,
        func.coalesce(members.scalar_subquery(), 0),
        select(func.count()).where(Dataset.portal_id == Portal.id).scalar_subquery(),
        func.coalesce(requests.scalar_subquery(), 0),
    )


def accounts(query: AccountsQuery) -> AccountsPage:
    """One page, by name: who stands on it, the accounts, their memberships. As many statements, however many."""
    with reading() as session:
        place = account_places.place_of(session, query.after)
        places = account_places.some(session, query, place, PAGE + 1)
        shown = [each.id for each in places[:PAGE]]
        found = session.execute(_accounts().where(Account.id.in_(shown))).all() if shown else []
        lines = {line.id: line for line in _with_places(session, found)}
    return AccountsPage([lines[each] for each in shown if each in lines], shown[-1] if len(places) > PAGE else None)


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
