"""What the three lists of events share: their filters as the address says them, and their files."""

import re
from datetime import date
from typing import Any

from flask import Response, abort, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue

from ..domain import events_export
from ..domain.activity import EventGroup, EventsPage, EventsQuery
from ..domain.events_export import Format
from ..domain.outcomes import PortalRefusal
from . import asking, query
from .event_words import shown

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_LAST_YEAR = 9000
_TYPES = {Format.CSV: "text/csv; charset=utf-8", Format.JSONL: "application/jsonl; charset=utf-8"}


def wanted_events(groups: dict[str, str], *, portals: bool = False) -> EventsQuery:
    """The filters of the address; what cannot be read is no filter. `portals`: one may filter by portal."""
    kind = request.args.get("kind", "")
    return EventsQuery(
        group=EventGroup(kind) if kind in groups else None,
        person=query.text("person"),
        since=_day("from"),
        until=_day("to"),
        portal=query.text("portal") if portals else "",
        after=query.number("after"),
    )


def _day(name: str) -> date | None:
    typed = request.args.get(name, "")
    if not _DAY.fullmatch(typed):
        return None
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        return None
    return day if day.year < _LAST_YEAR else None


def filters_of(wanted: EventsQuery) -> dict[str, Any]:
    """The same as the address says them, for links to the next page and to the files."""
    said = {
        "kind": wanted.group,
        "person": wanted.person,
        "portal": wanted.portal,
        "from": wanted.since,
        "to": wanted.until,
    }
    return {name: value for name, value in said.items() if value}


def show(template: str, page: EventsPage, wanted: EventsQuery, **context: Any) -> str:
    """The list in words."""
    events = [shown(event) for event in page.events]
    return render_template(
        template, events=events, next_after=page.next_after, query=wanted, filters=filters_of(wanted), **context
    )


def file(slug: str | None, wanted: EventsQuery, form: Format) -> ResponseReturnValue:
    """All events that fit, as a file that is sent while it is read."""
    found = events_export.export(asking.caller(), slug, wanted, form)
    if isinstance(found, PortalRefusal):
        abort(404)
    answer = Response(stream_with_context(found), content_type=_TYPES[form])
    name = f"activity-{slug}.{form}" if slug else f"activity.{form}"
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer
