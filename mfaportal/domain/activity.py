"""Reading the log of events: one's own, a portal's, all of it; newest first, paged by number, a statement a page."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, or_, select
from sqlalchemy.orm import aliased

from ..models import Account, Event, EventKind, Membership, Portal
from ..plumbing.clock import midnight
from ..plumbing.db import reading
from ..rules.names import key_of

PAGE = 50
PORTION = 500
_QUERY_MAX = 100
_DIGITS_MAX = 18


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
    EventGroup.SETTINGS: ("portal", "people", "events", "keys", "clock", "backup", "mail"),
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
    return _page(_of_portal(portal_id, query, everything=everything).where(*_older(query.after)))


def of_all(query: EventsQuery) -> EventsPage:
    """What happened anywhere."""
    return _page(_of_all(query).where(*_older(query.after)))


def every(
    query: EventsQuery, until: int, *, portal_id: int | None = None, everything: bool = True
) -> Iterator[EventLine]:
    """All that fit, oldest first and up to the number `until`, read in portions."""
    statement = _of_all(query) if portal_id is None else _of_portal(portal_id, query, everything=everything)
    last = 0
    while True:
        with reading() as session:
            portion = statement.where(Event.id > last, Event.id <= until).order_by(Event.id).limit(PORTION)
            found = [EventLine(*row) for row in session.execute(portion)]
        yield from found
        if len(found) < PORTION:
            return
        last = found[-1].id


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


def _of_all(query: EventsQuery) -> Select[Any]:
    statement = _filtered(_lines(), query, email=None)
    return statement.where(Portal.slug == query.portal) if query.portal else statement


def _of_portal(portal_id: int, query: EventsQuery, *, everything: bool) -> Select[Any]:
    """Its admins see from where its members and people without an account came, not from where operators did."""
    place = aliased(Membership)
    member = exists().where(place.portal_id == portal_id, place.account_id == _ACTOR.id)
    seen = or_(Event.actor_id.is_(None), and_(_ACTOR.is_operator.is_(False), member))
    statement = _lines(None if everything else seen).where(Event.portal_id == portal_id)
    return _filtered(statement, query, email=None if everything else portal_id)


def _filtered(statement: Select[Any], query: EventsQuery, *, email: int | None) -> Select[Any]:
    """`email`: the portal whose people may be looked for by e-mail; None: everybody may."""
    if query.group is not None:
        statement = statement.where(Event.kind.in_(kinds_of(query.group)))
    if query.person:
        statement = statement.where(_is_about(query.person[:_QUERY_MAX], email))
    if query.since is not None:
        statement = statement.where(Event.at >= midnight(query.since))
    if query.until is not None:
        statement = statement.where(Event.at < midnight(query.until) + timedelta(days=1))
    return statement


def kinds_of(group: EventGroup) -> list[EventKind]:
    """The kinds of event in a group."""
    return [kind for kind in EventKind if kind.partition(":")[0] in _SUBJECTS[group]]


def _is_about(text: str, portal_id: int | None) -> ColumnElement[bool]:
    """Done by or to somebody whose name or e-mail holds the text, or who has this number: of a deleted account.

    An e-mail is looked for only where the list of users shows it: else one could guess it letter by letter.
    """
    who, place = aliased(Account), aliased(Membership)
    email = who.email.contains(text.lower(), autoescape=True)
    if portal_id is not None:
        here = exists().where(place.account_id == who.id, place.portal_id == portal_id)
        email = and_(email, or_(who.is_operator, here))
    ids = select(who.id).where(or_(who.name_key.contains(key_of(text), autoescape=True), email))
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX else None
    sides = (Event.account_id, Event.actor_id)
    return or_(*(side.in_(ids) for side in sides), *(side == number for side in sides if number is not None))
