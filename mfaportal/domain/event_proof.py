"""Whether the log of events is whole: the chain of seals is walked, and the first thing that does not fit is named.

What it cannot show: that the newest events were cut off together with their seals, unless a head was kept elsewhere;
and anything against somebody who has the key ring, who can make seals.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Select, func, select, type_coerce
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from ..models import Event, EventSeal
from ..plumbing.clock import from_microseconds
from ..plumbing.db import reading
from ..plumbing.digesting import UnknownKey
from .event_chain import BEGINNING, batch_digest, events_between, proof_of_retention, seal_of

Seal = Mapping[Any, Any]
"""A row of `event_seals`."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The first batch that does not fit, and why. `sealed_at` is empty where what stands there is no instant."""

    number: int
    first_event: int
    last_event: int
    sealed_at: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class Whole:
    """Everything fits. `pruned`: how many of the batches retention has emptied. `head`: the newest seal."""

    batches: int
    pruned: int
    events: int
    unsealed: int
    number: int
    head: bytes
    kept_head: int | None
    """The number of the batch whose seal was kept elsewhere, if one was given and is there."""


def verify(kept_head: bytes | None = None) -> Whole | Broken:
    """Walk all batches, oldest first, in one look at the database."""
    before, last_event, number, batches, pruned, events = BEGINNING, 0, 0, 0, 0, 0
    found: int | None = None
    with reading() as session:
        for seal in session.execute(_seals()).mappings():
            why = _fault(session, seal, before, last_event, number)
            if why is not None:
                return _broken(seal, why)
            before, last_event, number = seal["seal"], seal["last_event"], seal["id"]
            found = number if before == kept_head else found
            batches += 1
            pruned += seal["pruned_at"] is not None
            events += 0 if seal["pruned_at"] else seal["events"]
        unsealed = session.scalar(select(func.count()).where(Event.id > last_event)) or 0
    return Whole(batches, pruned, events, unsealed, number, before, found)


def _seals() -> Select[Any]:
    """Instants as they stand in the database: what somebody put in their place need not be one."""
    columns = [
        type_coerce(column, BigInteger).label(column.name) if column.name.endswith("_at") else column
        for column in EventSeal.__table__.columns
    ]
    return select(*columns).order_by(EventSeal.last_event)


def _broken(seal: Seal, why: str) -> Broken:
    try:
        sealed_at = from_microseconds(seal["sealed_at"])
    except (TypeError, OverflowError):
        sealed_at = None
    return Broken(seal["id"], seal["first_event"], seal["last_event"], sealed_at, why)


def _fault(session: Session, seal: Seal, before: bytes, last_event: int, number: int) -> str | None:
    """Why this batch does not fit behind the one before it; None where it does."""
    if seal["after_event"] != last_event or seal["id"] <= number:
        return "it does not follow the batch before it: one was removed, or they were put in another order"
    try:
        if seal["seal"] != seal_of(seal, before):
            return "its seal was changed, or that of the batch before it"
        if seal["pruned_at"] is None:
            return _read(session, seal, _fault_of_events)
        if seal["pruned"] != proof_of_retention(seal["key"], seal["seal"], seal["pruned_at"]):
            return "its events are said to have been removed by retention, but it was not retention"
    except UnknownKey as missing:
        return f"its key {missing} is not in the key ring, so nothing can be said of it"
    return _read(session, seal, _fault_of_pruned)


def _fault_of_events(seal: Seal, events: Sequence[Any]) -> str | None:
    if batch_digest(events) == seal["batch"]:
        return None
    missing = seal["events"] - len(events)
    if missing > 0:
        return f"{missing} of its {seal['events']} events were removed"
    if missing < 0:
        return f"it had {seal['events']} events, and {-missing} were put in"
    return "events in it were changed, or put in another order"


def _fault_of_pruned(_seal: Seal, events: Sequence[Any]) -> str | None:
    return "retention removed its events, and yet there are some" if events else None


def _read(session: Session, seal: Seal, fault: Callable[[Seal, Sequence[Any]], str | None]) -> str | None:
    try:
        return fault(seal, session.execute(events_between(seal["after_event"], seal["last_event"])).all())
    except DatabaseError:  # a text that is none any more
        return "events in it cannot be read any more"
