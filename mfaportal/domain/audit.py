"""Writing events: beside the change they tell of, in its transaction."""

from typing import Any

from sqlalchemy import bindparam
from sqlalchemy.orm import Session

from ..models import Event, EventKind
from ..plumbing.prepared_change import Insert, PreparedChange
from .caller import Caller


def _insert(insert: Insert) -> Any:
    events = Event.metadata.tables[Event.__tablename__]
    row = {column.key: bindparam(column.key, type_=column.type) for column in events.c if not column.primary_key}
    return insert(events).inline().values(row)


_WRITE = PreparedChange(_insert)


def record(
    session: Session,
    caller: Caller,
    kind: EventKind,
    *,
    account_id: int | None = None,
    portal_id: int | None = None,
    **details: Any,
) -> None:
    """Note that `caller` did `kind` to an account or a portal. `details` hold no secrets and nobody's address."""
    values = {
        "kind": kind.value,
        "at": caller.now,
        "source": caller.source.value,
        "actor_id": caller.account_id,
        "account_id": account_id,
        "portal_id": portal_id,
        "address": caller.address,
        "browser": caller.browser,
        "details": details,
    }
    _WRITE.run(session, values)
