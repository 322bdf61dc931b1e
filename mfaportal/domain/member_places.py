"""Who stands on a page of a portal's list of users: read from `portal_people`, which lies ready in the list's order.

What people count as, and whether they have an app, are the first columns of an index that goes on in the same order:
so a filter reads each of its parts to the length of a page, and merges them.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, union_all
from sqlalchemy.orm import Session

from ..models import Account, Portal, PortalCount, PortalPerson
from ..models.account_search import SearchText, keep_order
from ..models.portal_person import UNREADABLE
from ..rules.mfa_rule import RuleInForce
from ..rules.roles import MemberRole, role_in_portal
from . import people_search
from .people_search import Columns, Place, Turn, places

OPERATORS = "operator"
"""In place of a role: those who run the installation, whatever their membership here."""
COUNT_AS = (*MemberRole, OPERATORS, UNREADABLE)
_COLUMNS = Columns(PortalPerson.account_id, PortalPerson.name_key, PortalPerson.email)
_BY_ADDRESS = Columns(Account.id, Account.name_key, Account.email)


class MfaFilter(StrEnum):
    """What to list by; an empty filter lists all."""

    SET_UP = "set_up"
    NOT_SET_UP = "not_set_up"
    MISSING = "missing"
    """Covered by the portal's rule and not set up."""


@dataclass(frozen=True, slots=True)
class MembersQuery:
    """Search text (part of a name or an e-mail), filters, and the member after whom the page begins."""

    text: str = ""
    role: MemberRole | str | None = None
    """A role of members who are no operators, or OPERATORS: everybody fits one, as in `coverage`."""
    mfa: MfaFilter | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True)
class _Part:
    """Of a portal's list: these kinds of people, with an app or without; None: whatever they count as."""

    portal_id: int
    kinds: tuple[str, ...] | None
    apps: tuple[bool, ...]

    @property
    def conditions(self) -> tuple[ColumnElement[bool], ...]:
        here = PortalPerson.portal_id == self.portal_id
        if self.kinds is None:
            return (here,)
        if (len(self.kinds), len(self.apps)) == (1, 1):
            return here, PortalPerson.counts_as == self.kinds[0], PortalPerson.set_up == self.apps[0]
        return here, PortalPerson.counts_as.in_(self.kinds), PortalPerson.set_up.in_(self.apps)

    def by_name(self, fits: tuple[ColumnElement[bool], ...], limit: int) -> Select[Any]:
        """Those of the list who fit, in its order."""
        if self.kinds is None:
            return _in_order((*self.conditions, *fits), limit)
        parts = [
            _in_order((*_Part(self.portal_id, (kind,), (app,)).conditions, *fits), limit).subquery()
            for kind in self.kinds
            for app in self.apps
        ]
        if len(parts) == 1:
            return select(parts[0])
        every = union_all(*(select(part) for part in parts)).subquery()
        return select(every).order_by(every.c.name_key, every.c.id).limit(limit)


def place_of(session: Session, portal_id: int, account_id: int | None) -> Place | None:
    """Where somebody of this list stands in it. Nobody else's place is told: after them comes the first page."""
    if account_id is None:
        return None
    here = (PortalPerson.portal_id == portal_id, PortalPerson.account_id == account_id)
    return people_search.place(session, _COLUMNS, *here)


def some(
    session: Session, portal_id: int, query: MembersQuery, place: Place | None, limit: int, *, by_name: bool = False
) -> list[Place]:
    """The next who fit, from behind a place on. `by_name`: sorted as a file is, whatever it costs."""
    part = _part(session, portal_id, query)
    if part.kinds == ():
        return []
    behind = _COLUMNS.behind(place)
    if not query.text:
        return places(session, part.by_name(behind, limit))
    text = people_search.text_of(query.text)
    fits = text.fits(_COLUMNS.name_key, _COLUMNS.email)
    if (few := people_search.among(session, text)) is not None:
        return places(session, _in_order((*part.conditions, *behind, few(PortalPerson.account_id), fits), limit))
    keep_order(session)
    if by_name or _number(session, part) <= people_search.FEW:
        return places(session, part.by_name((*behind, fits), limit))
    return people_search.in_turns(text, place, limit, partial(_read, session, part, text))


def _part(session: Session, portal_id: int, query: MembersQuery) -> _Part:
    kinds = None if query.role is None and query.mfa is None else COUNT_AS if query.role is None else (query.role,)
    if query.mfa is MfaFilter.MISSING:
        covered = _covered(session, portal_id)
        kinds = tuple(kind for kind in kinds or () if kind in covered)
    return _Part(portal_id, kinds, (False, True) if query.mfa is None else (query.mfa is MfaFilter.SET_UP,))


def _covered(session: Session, portal_id: int) -> frozenset[str]:
    rule = select(Portal.mfa_rule, Portal.back_office_since, Portal.everyone_since).where(Portal.id == portal_id)
    found = session.execute(rule).one_or_none()
    return frozenset() if found is None else kinds_under(RuleInForce(*found))


def kinds_under(rule: RuleInForce) -> frozenset[str]:
    """What people count as whom a rule covers."""
    roles = {kind: role_in_portal(operator=kind == OPERATORS, member=kind, public=False) for kind in COUNT_AS}
    return frozenset(kind for kind, role in roles.items() if rule.covers(role))


def _number(session: Session, part: _Part) -> int:
    """How many there are in this part of the list."""
    kept = (PortalCount.portal_id == part.portal_id, PortalCount.counted.in_(part.kinds or COUNT_AS))
    number, set_up = session.execute(
        select(func.sum(PortalCount.number), func.sum(PortalCount.set_up)).where(*kept)
    ).one()
    have_app = {True: set_up or 0, False: (number or 0) - (set_up or 0)}
    return sum(have_app[app] for app in part.apps)


def _read(
    session: Session, part: _Part, text: SearchText, turn: Turn, place: Place | None, limit: int
) -> list[Place]:
    if turn is not Turn.ADDRESSES:
        return places(session, part.by_name(turn.conditions(text, _COLUMNS, place), limit))
    here = select(PortalPerson.account_id).where(PortalPerson.account_id == Account.id, *part.conditions).exists()
    addresses = select(*_BY_ADDRESS.all).where(*turn.conditions(text, _BY_ADDRESS, place), here)
    return places(session, addresses.order_by(Account.email).limit(limit))


def _in_order(conditions: tuple[ColumnElement[bool], ...], limit: int) -> Select[Any]:
    statement = select(*_COLUMNS.all).where(*conditions)
    return statement.order_by(PortalPerson.name_key, PortalPerson.account_id).limit(limit)
