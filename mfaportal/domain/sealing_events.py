"""Sealing the log of events, and its retention: in whole batches, so that what is left can be shown to be whole.

Only what has settled is sealed: databases that write side by side may commit a lower number after a higher one.
"""

import logging
from collections.abc import Callable
from itertools import takewhile
from typing import Any

from sqlalchemy import delete, select, update

from ..models import Event, EventSeal
from ..plumbing.clock import to_microseconds
from ..plumbing.db import change, insert_or_ignore, reading, transaction
from ..plumbing.digesting import UnknownKey
from ..plumbing.runtime import runtime
from ..rules.lifetimes import EVENTS_KEPT, EVENTS_SETTLED
from .caller import Caller
from .event_chain import BEGINNING, batch_digest, events_between, proof_of_retention, seal_of

BATCH = 1000
_log = logging.getLogger("mfaportal.events")


def seal_next(caller: Caller) -> int:
    """Seal the next batch of events that have settled; how many there were.

    Read before the transaction, since they never change; of two who seal at once one comes to nothing.
    """
    batch, before = _next_batch(caller)
    if batch is None:
        return 0
    values = {name: getattr(batch, name) for name in _COLUMNS}
    seal = seal_of({**values, "sealed_at": to_microseconds(batch.sealed_at)}, before)
    with transaction() as session:
        sealed = change(session, insert_or_ignore(session, EventSeal).values(**values, seal=seal))
    return batch.events if sealed == 1 else 0


_COLUMNS = ("after_event", "first_event", "last_event", "events", "batch", "key", "sealed_at")


def _next_batch(caller: Caller) -> tuple[EventSeal | None, bytes]:
    """What is to be sealed next, not yet sealed, and the seal before it."""
    with reading() as session:
        newest = session.scalars(select(EventSeal).order_by(EventSeal.last_event.desc()).limit(1)).one_or_none()
        after = newest.last_event if newest else 0
        events = list(takewhile(_settled(caller), session.execute(events_between(after, None).limit(BATCH)).all()))
    if not events:
        return None, BEGINNING
    batch = EventSeal(
        after_event=after,
        first_event=events[0].id,
        last_event=events[-1].id,
        events=len(events),
        batch=batch_digest(events),
        key=runtime().keys.digester.newest,
        sealed_at=caller.now,
    )
    return batch, newest.seal if newest else BEGINNING


def _settled(caller: Caller) -> Callable[[Any], bool]:
    """What lies further ahead than it takes to settle was written while the clock was ahead: long ago."""
    first, last = (to_microseconds(caller.now + by) for by in (-EVENTS_SETTLED, EVENTS_SETTLED))
    return lambda event: not first <= event.at <= last


def prune_oldest(caller: Caller) -> int:
    """Remove the events of the oldest batch if it was sealed longer ago than events are kept; how many went.

    Its seal stays, with the proof that it was retention. What does not fit its seal stays, too: it is evidence.
    """
    with reading() as session:
        oldest = session.scalars(
            select(EventSeal).where(EventSeal.pruned_at.is_(None)).order_by(EventSeal.last_event).limit(1)
        ).one_or_none()
        if oldest is None or caller.now - oldest.sealed_at <= EVENTS_KEPT:
            return 0
        events = session.execute(events_between(oldest.after_event, oldest.last_event)).all()
    if batch_digest(events) != oldest.batch:
        _log.error("events of batch %d were changed, so they are kept: see flask audit verify", oldest.id)
        return 0
    try:
        proof = proof_of_retention(oldest.key, oldest.seal, to_microseconds(caller.now))
    except UnknownKey as missing:
        _log.error("the key ring lacks the key %s of batch %d, whose events are kept", missing, oldest.id)
        return 0
    with transaction() as session:
        marked = update(EventSeal).where(EventSeal.id == oldest.id, EventSeal.pruned_at.is_(None))
        if change(session, marked.values(pruned_at=caller.now, pruned=proof)) != 1:
            return 0
        return change(session, delete(Event).where(Event.id > oldest.after_event, Event.id <= oldest.last_event))
