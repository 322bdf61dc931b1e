"""The log of events as a file, CSV or JSON lines. That somebody took it is an event, and the last one in it."""

import json
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select

from ..models import Event, EventKind, Portal
from ..plumbing.db import transaction
from ..rules.access import Audience
from ..rules.csv_safe import csv_line
from ..rules.lifetimes import STEP_UP, STEP_UP_GRACE
from ..rules.roles import Role
from . import activity, audit
from .activity import EventLine, EventsQuery
from .authority import require
from .caller import Caller
from .outcomes import PortalRefusal


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


_COLUMNS = (
    "id",
    "at",
    "kind",
    "source",
    "actor_id",
    "actor",
    "account_id",
    "account",
    "portal_id",
    "portal",
    "address",
    "browser",
    "details",
)


def export(caller: Caller, slug: str | None, query: EventsQuery, form: Format) -> Iterator[str] | PortalRefusal:
    """The lines of all events that fit, oldest first: of one portal, or of everything. Noted before the first one."""
    audience = Audience.OPERATORS if slug is None else Audience.ADMINS
    with transaction() as session:
        identity = require(session, caller, audience, slug=slug, confirmed_within=STEP_UP + STEP_UP_GRACE)
        portal_id = None if slug is None else session.scalar(select(Portal.id).where(Portal.slug == slug))
        if slug is not None and portal_id is None:
            return PortalRefusal.UNKNOWN
        audit.record(
            session,
            caller,
            EventKind.EVENTS_EXPORTED,
            portal_id=portal_id,
            format=form,
            group=query.group,
            since=query.since and query.since.isoformat(),
            until=query.until and query.until.isoformat(),
            searched=bool(query.person),  # not for whom: it may be somebody's name
        )
        session.flush()
        last = session.scalar(select(func.max(Event.id))) or 0
    everything = identity is None or identity.role is Role.OPERATOR
    return _lines(activity.every(query, last, portal_id=portal_id, everything=everything), form)


def _lines(events: Iterator[EventLine], form: Format) -> Iterator[str]:
    if form is Format.CSV:
        yield csv_line(_COLUMNS)
    for event in events:
        row = {name: getattr(event, name) for name in _COLUMNS} | {"at": _instant(event.at)}
        yield f"{json.dumps(row)}\n" if form is Format.JSONL else csv_line(map(_cell, row.values()))


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"
