"""Writing events: beside the change they tell of, in its transaction."""

from typing import Any

from sqlalchemy.orm import Session

from ..models import Event, EventKind
from .caller import Caller


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
    session.add(
        Event(
            kind=kind,
            at=caller.now,
            source=caller.source,
            actor_id=caller.account_id,
            account_id=account_id,
            portal_id=portal_id,
            address=caller.address,
            browser=caller.browser,
            details=details,
        )
    )
