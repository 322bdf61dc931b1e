"""Which events a page of Activity shows: their numbers alone, found through indexes, whatever is filtered by.

Every filter is turned into streams that indexes give in the order of numbers (one a kind, or one for each side of
each person), and a page merges them. Days become bounds of numbers (`event_days`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, union, union_all
from sqlalchemy.orm import Session

from ..models import Event, EventDay, EventKind, Portal
from ..models.account_search import keep_order
from ..plumbing.clock import EPOCH, midnight
from .event_people import EventPeople

_TEXT_MAX = 100
_HIGHEST = 1 << 62
"""Higher than any event's number."""
_LOOKED_FIRST = 1_000
"""So many of the newest events are looked through for somebody first, however rare they are: perhaps it is all of a
small portal's or of a rare kind's."""
_LOOKED_AT = 5_000
"""So many where very many people fit, for a page that then says where to go on."""


class EventGroup(StrEnum):
    """What to list by; no group lists all."""

    LOGINS = "logins"
    METHODS = "methods"
    ACCOUNTS = "accounts"
    PEOPLE = "people"
    DATASETS = "datasets"
    SETTINGS = "settings"


_SUBJECTS = {
    EventGroup.LOGINS: ("login", "gateway", "code", "throttle"),
    EventGroup.METHODS: ("authenticator", "recovery-codes"),
    EventGroup.ACCOUNTS: ("account", "password", "link"),
    EventGroup.PEOPLE: ("membership", "request", "invitation"),
    EventGroup.DATASETS: ("dataset",),
    EventGroup.SETTINGS: ("portal", "people", "events", "keys", "clock", "backup", "database", "mail"),
}
"""What stands before the colon of the kinds in a group; a test finds each kind in one."""


@dataclass(frozen=True, slots=True)
class EventsQuery:
    """Filters, and the event before which the page begins. `portal`: a slug, for those who see all portals.

    `since` and `until` are days in UTC, both of them included.
    """

    group: EventGroup | None = None
    person: str = ""
    since: date | None = None
    until: date | None = None
    portal: str = ""
    after: int | None = None


def kinds_of(group: EventGroup) -> list[EventKind]:
    """The kinds of event in a group."""
    return [kind for kind in EventKind if kind.partition(":")[0] in _SUBJECTS[group]]


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose list it is: of one portal or of everything. `own_people`: for its admins, who see no other addresses."""

    portal_id: int | None = None
    own_people: bool = False


@dataclass(frozen=True, slots=True)
class _Frame:
    """What holds for every stream: from which number to which, at what time, in which portal."""

    conditions: tuple[ColumnElement[bool], ...]
    descending: bool
    portal_id: int | None = None

    def through_people(self, query: EventsQuery) -> tuple[ColumnElement[bool], ...]:
        """The same for what is read through the indexes of people: no other index is to be taken for it."""
        conditions = list(self.conditions)
        if self.portal_id is not None:
            conditions.append(Event.portal_id + 0 == self.portal_id)
        if query.group is not None:
            conditions.append((Event.kind + "").in_(kinds_of(query.group)))
        return tuple(conditions)

    def merged(
        self, streams: Sequence[tuple[ColumnElement[bool], ...]], limit: int, *, twice: bool = False
    ) -> Select[Any]:
        """The first numbers of all streams together. `twice`: one may be in several."""
        order = Event.id.desc() if self.descending else Event.id.asc()
        here = () if self.portal_id is None else (Event.portal_id == self.portal_id,)
        some = [
            select(Event.id).where(*here, *self.conditions, *each).order_by(order).limit(limit) for each in streams
        ]
        if len(some) == 1:
            return some[0]
        every = (union if twice else union_all)(*(select(each.subquery().c.id) for each in some)).subquery()
        return select(every.c.id).order_by(every.c.id.desc() if self.descending else every.c.id).limit(limit)


def newest(session: Session, scope: Scope, query: EventsQuery, limit: int) -> tuple[list[int], int | None]:
    """The newest that fit and are older than `query.after`; and behind which number to go on, if there is more."""
    before = _HIGHEST if query.after is None else query.after
    frame = _frame(session, scope, query, range(before), descending=True)
    if frame is None:
        return [], None
    if not query.person:
        return _page(session.scalars(frame.merged(_kinds(query), limit + 1)).all(), limit)
    people = EventPeople(session, query.person[:_TEXT_MAX], scope.portal_id if scope.own_people else None)
    found, behind = _walked(session, frame, query, people, limit, _LOOKED_FIRST)
    if behind is None or len(found) == limit:
        return found, behind
    few = people.few()
    if few is None:
        return _walked(session, frame, query, people, limit, _LOOKED_AT)
    narrow = _Frame(frame.through_people(query), descending=True)
    streams = people.newest(few, narrow.conditions, limit + 1)
    keep_order(session)
    return _page(session.scalars(narrow.merged(streams, limit + 1, twice=True)).all() if streams else [], limit)


def _walked(
    session: Session, frame: _Frame, query: EventsQuery, people: EventPeople, limit: int, at_once: int
) -> tuple[list[int], int | None]:
    """Theirs among the newest `at_once` events. The page may not be full, and yet there be more."""
    window = frame.merged(_kinds(query), at_once)
    known = people.may_be_in_it() if at_once > _LOOKED_FIRST else None
    fits = (Event.id.in_(select(window.subquery().c.id)), *(() if known is None else (known,)), people.are_in_it())
    found = session.scalars(select(Event.id).where(*fits).order_by(Event.id.desc()).limit(limit + 1)).all()
    if len(found) > limit:
        return _page(found, limit)
    seen = window.subquery()
    last, number = session.execute(select(func.min(seen.c.id), func.count()).select_from(seen)).one()
    return list(found), last if number == at_once else None


def oldest(
    session: Session, scope: Scope, query: EventsQuery, last: int, until: int, limit: int
) -> tuple[list[int], int | None]:
    """The same the other way round, from behind `last` up to `until`: for files. A portion may be empty."""
    frame = _frame(session, scope, query, range(last + 1, until + 1), descending=False)
    if frame is None:
        return [], None
    ids = session.scalars(frame.merged(_kinds(query), limit)).all()
    more = ids[-1] if len(ids) == limit else None
    if query.person and ids:
        people = EventPeople(session, query.person[:_TEXT_MAX], scope.portal_id if scope.own_people else None)
        fitting = select(Event.id).where(Event.id.in_(ids), people.are_in_it()).order_by(Event.id)
        ids = session.scalars(fitting).all()
    return list(ids), more


def _page(ids: Sequence[int], limit: int) -> tuple[list[int], int | None]:
    return list(ids[:limit]), ids[limit - 1] if len(ids) > limit else None


def _frame(session: Session, scope: Scope, query: EventsQuery, numbers: range, *, descending: bool) -> _Frame | None:
    """None where nothing can fit. One bound on each side: of two SQLite takes one, and it may be the wrong one."""
    portal_id = scope.portal_id
    if query.portal:
        portal_id = session.scalar(select(Portal.id).where(Portal.slug == query.portal))
        if portal_id is None:
            return None
    if query.since is not None or query.until is not None:
        of_days = _numbers_of_days(session, query)
        numbers = range(max(numbers.start, of_days.start), min(numbers.stop, of_days.stop))
        if not numbers:
            return None
    conditions: list[ColumnElement[bool]] = [Event.id >= numbers.start, Event.id < numbers.stop]
    if query.since is not None:
        conditions.append(Event.at >= midnight(query.since))
    if query.until is not None:
        conditions.append(Event.at < midnight(query.until) + timedelta(days=1))
    return _Frame(tuple(conditions), descending, portal_id)


def _numbers_of_days(session: Session, query: EventsQuery) -> range:
    """Between which numbers the events of these days lie."""
    days = [EventDay.day >= _day(query.since)] if query.since is not None else []
    days += [EventDay.day <= _day(query.until)] if query.until is not None else []
    found: Any = session.execute(
        select(func.min(EventDay.first_event), func.max(EventDay.before_event)).where(*days)
    ).one()
    return range(0) if found[0] is None else range(found[0], found[1])


def _day(day: date) -> int:
    return (day - EPOCH.date()).days


def _kinds(query: EventsQuery) -> list[tuple[ColumnElement[bool], ...]]:
    return [()] if query.group is None else [(Event.kind == kind,) for kind in kinds_of(query.group)]
