"""Reading the log of events: one's own, a portal's, all of it; newest first, paged by number, a statement a page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, or_, select
from sqlalchemy.orm import Session, aliased

from ..models import Account, Event, Membership, Portal
from ..plumbing.db import reading
from . import event_places
from .event_places import EventGroup, EventsQuery, Scope, kinds_of

__all__ = [
    "EventGroup",
    "EventLine",
    "EventsPage",
    "EventsQuery",
    "every",
    "kinds_of",
    "of_all",
    "of_portal",
    "own",
]
PAGE = 50
PORTION = 500


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event, with the names that its numbers have now. `kind` is no EventKind where a newer version wrote it."""

    id: int
    kind: str
    at: datetime
    source: str
    actor_id: int | None
    actor: str | None
    account_id: int | None
    account: str | None
    portal_id: int | None
    portal: str | None
    address: str | None
    browser: str
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EventsPage:
    """`next_after`: where older ones begin. There may be such a place behind a page that is not full, or empty."""

    events: list[EventLine]
    next_after: int | None


def own(account_id: int, after: int | None) -> EventsPage:
    """What was done to an account and what it did. Of what others did, not from where: that is their business."""
    sides = [
        select(Event.id)
        .where(column == account_id, *_older(after))
        .order_by(Event.id.desc())
        .limit(PAGE + 1)
        .subquery()
        for column in (Event.account_id, Event.actor_id)
    ]
    ids = select(sides[0].c.id).union(select(sides[1].c.id))
    seen = or_(Event.actor_id.is_(None), Event.actor_id == account_id)
    return _page(_lines(seen).where(Event.id.in_(ids)))


def of_portal(portal_id: int, query: EventsQuery, *, everything: bool) -> EventsPage:
    """What happened in a portal. `everything`: also from where operators acted, which is not for its admins."""
    return _listed(Scope(portal_id, own_people=not everything), query)


def of_all(query: EventsQuery) -> EventsPage:
    """What happened anywhere."""
    return _listed(Scope(), query)


def every(
    query: EventsQuery, until: int, *, portal_id: int | None = None, everything: bool = True
) -> Iterator[EventLine]:
    """All that fit, oldest first and up to the number `until`, read in portions."""
    scope, last = Scope(portal_id, own_people=not everything), 0
    while True:
        with reading() as session:
            ids, more = event_places.oldest(session, scope, query, last, until, PORTION)
            found = _lines_of(session, scope, ids)
        yield from found
        if more is None:
            return
        last = more


def _listed(scope: Scope, query: EventsQuery) -> EventsPage:
    with reading() as session:
        ids, more = event_places.newest(session, scope, query, PAGE)
        return EventsPage(_lines_of(session, scope, ids), more)


def _lines_of(session: Session, scope: Scope, ids: Sequence[int]) -> list[EventLine]:
    """The events with these numbers, in their order."""
    if not ids:
        return []
    statement = _lines(_seen_in(scope.portal_id) if scope.own_people else None).where(Event.id.in_(ids))
    lines = {row.id: EventLine(*row) for row in session.execute(statement)}
    return [lines[each] for each in ids if each in lines]


def _older(after: int | None) -> list[ColumnElement[bool]]:
    return [] if after is None else [Event.id < after]


def _page(statement: Select[Any]) -> EventsPage:
    with reading() as session:
        rows = session.execute(statement.order_by(Event.id.desc()).limit(PAGE + 1)).all()
    found = [EventLine(*row) for row in rows[:PAGE]]
    return EventsPage(found, found[-1].id if len(rows) > PAGE else None)


_ACTOR, _SUBJECT = aliased(Account), aliased(Account)


def _lines(seen: ColumnElement[bool] | None = None) -> Any:
    """A SELECT of events with names. Address and browser only where `seen` holds."""
    address: Any = Event.address
    browser: Any = Event.browser
    if seen is not None:
        address, browser = case((seen, Event.address)), case((seen, Event.browser), else_="")
    return (
        select(
            Event.id,
            Event.kind,
            Event.at,
            Event.source,
            Event.actor_id,
            _ACTOR.name,
            Event.account_id,
            _SUBJECT.name,
            Event.portal_id,
            Portal.name,
            address,
            browser,
            Event.details,
        )
        .select_from(Event)
        .outerjoin(_ACTOR, _ACTOR.id == Event.actor_id)
        .outerjoin(_SUBJECT, _SUBJECT.id == Event.account_id)
        .outerjoin(Portal, Portal.id == Event.portal_id)
    )


def _seen_in(portal_id: int | None) -> ColumnElement[bool]:
    """Its admins see from where its members and people without an account came, not from where operators did."""
    place = aliased(Membership)
    member = exists().where(place.portal_id == portal_id, place.account_id == _ACTOR.id)
    return or_(Event.actor_id.is_(None), and_(_ACTOR.is_operator.is_(False), member))
