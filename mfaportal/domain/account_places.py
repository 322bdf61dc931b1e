"""Who stands on a page of all accounts, by name: each state has an index of its own in that order."""

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from ..models import Account, PortalPerson
from ..models.account_search import SearchText, keep_order
from ..models.portal_person import IN_NO_PORTAL
from . import people_search
from .people_search import Columns, Place, Turn, places

_ACCOUNTS = Columns(Account.id, Account.name_key, Account.email)
_NOWHERE = Columns(PortalPerson.account_id, PortalPerson.name_key, PortalPerson.email)


class AccountState(StrEnum):
    """What to list by; an empty filter lists all."""

    SUSPENDED = "suspended"
    OPERATOR = "operator"
    NO_PORTAL = "no_portal"
    """A member of none, and no operator either: they cannot log in."""


@dataclass(frozen=True, slots=True)
class AccountsQuery:
    """Search text (part of a name or an e-mail), a state, and the account after which the page begins."""

    text: str = ""
    state: AccountState | None = None
    after: int | None = None


def place_of(session: Session, account_id: int | None) -> Place | None:
    """Where an account stands in the list of all."""
    if account_id is None:
        return None
    return people_search.place(session, _ACCOUNTS, Account.id == account_id)


def some(session: Session, query: AccountsQuery, place: Place | None, limit: int) -> list[Place]:
    """The next who fit, from behind a place on."""
    columns, those = _those(query.state)
    those = (*those, *columns.behind(place))
    if not query.text:
        return _by_name(session, columns, those, limit)
    search = people_search.text_of(query.text)
    fits = search.fits(columns.name_key, columns.email)
    if (few := people_search.among(session, search)) is not None:
        return _by_name(session, columns, (*those, few(columns.id), fits), limit)
    keep_order(session)
    if query.state is not None:
        return _by_name(session, columns, (*those, fits), limit)
    return people_search.in_turns(search, place, limit, partial(_turn, session, search))


def _those(state: AccountState | None) -> tuple[Columns, tuple[Any, ...]]:
    """From which table they are read, and which of its rows: in the words that the partial indexes know."""
    match state:
        case AccountState.SUSPENDED:
            return _ACCOUNTS, (Account.suspended_at.is_not(None),)
        case AccountState.OPERATOR:
            return _ACCOUNTS, (Account.is_operator,)
        case AccountState.NO_PORTAL:
            return _NOWHERE, (PortalPerson.portal_id == IN_NO_PORTAL,)
        case None:
            return _ACCOUNTS, ()


def _turn(session: Session, search: SearchText, turn: Turn, place: Place | None, limit: int) -> list[Place]:
    conditions = turn.conditions(search, _ACCOUNTS, place)
    if turn is not Turn.ADDRESSES:
        return _by_name(session, _ACCOUNTS, conditions, limit)
    return places(session, select(*_ACCOUNTS.all).where(*conditions).order_by(Account.email).limit(limit))


def _by_name(
    session: Session, columns: Columns, conditions: tuple[ColumnElement[bool], ...], limit: int
) -> list[Place]:
    statement = select(*columns.all).where(*conditions)
    return places(session, statement.order_by(columns.name_key, columns.id).limit(limit))
