"""What a seal over events is made of: the batch's digest, the chain to the seal before, the proof of retention."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Select, Text, cast, select, type_coerce

from ..models import Event
from ..plumbing.runtime import runtime
from ..rules.sealed_fields import joined

_PURPOSE = "events"
BEGINNING = b""
"""In place of the seal before the first one."""


def events_between(after: int, last: int | None) -> Select[Any]:
    """All columns of the events with these numbers, in order and as they stand in the database.

    From the end of the batch before (0: from whatever there is), not from the batch's own first: what is put in
    between belongs to it, too.
    """
    columns: list[Any] = [
        Event.id,
        Event.kind,
        type_coerce(Event.at, BigInteger),
        Event.source,
        Event.actor_id,
        Event.account_id,
        Event.portal_id,
        Event.address,
        Event.browser,
        cast(Event.details, Text),
    ]
    statement = select(*columns).order_by(Event.id)
    statement = statement.where(Event.id > after) if after else statement
    return statement if last is None else statement.where(Event.id <= last)


def batch_digest(events: Iterable[Sequence[Any]]) -> bytes:
    """SHA-256 over all columns of all events of a batch."""
    digest = hashlib.sha256()
    for event in events:
        digest.update(joined(event))
    return digest.digest()


def seal_of(batch: Mapping[str, Any], before: bytes) -> bytes:
    """The seal that this row must have, chained to the one before it. Instants as they stand in the database.

    Raises:
        UnknownKey: the ring does not hold the row's key.
    """
    facts = [batch[name] for name in ("after_event", "first_event", "last_event", "events", "batch", "sealed_at")]
    return runtime().keys.digester.digest(_PURPOSE, joined(("seal", before, *facts)), key=batch["key"])


def proof_of_retention(key: str, seal: bytes, at: int) -> bytes:
    """That it was retention which removed the events under this seal, and when.

    Raises:
        UnknownKey: the ring does not hold the row's key.
    """
    return runtime().keys.digester.digest(_PURPOSE, joined(("pruned", seal, at)), key=key)
