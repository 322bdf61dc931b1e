"""Access > Requests, read: the queue of a portal, and what was decided before. Listed by key."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal, or_, select, tuple_
from sqlalchemy.orm import aliased

from ..models import AccessRequest, Account, RequestState
from ..plumbing.db import reading
from ..rules.throttling import Kind
from . import throttles
from .throttles import Subject

PAGE = 50
_SEEN_BY_NOBODY = (RequestState.OPEN, RequestState.DECOY, RequestState.UNCONFIRMED)
"""What is no history: open ones stand in the queue, and the others no admin ever sees."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One line of the queue. `sharing`: how many open requests of this portal carry its address."""

    id: int
    name: str
    email: str
    confirmed: bool
    sharing: int
    message: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Past:
    """One line of the history. `by` is empty for somebody who is gone, and for the portal itself."""

    id: int
    name: str
    email: str
    state: str
    decided_at: datetime | None
    by: str | None
    role: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class QueuePage:
    """`full_until`: when the portal takes strangers' requests again, having taken as many as it may in a day."""

    requests: list[Waiting]
    next_after: int | None
    full_until: datetime | None


@dataclass(frozen=True, slots=True)
class HistoryPage:
    requests: list[Past]
    next_after: int | None


def queue(portal_id: int, after: int | None, now: datetime) -> QueuePage:
    """The open requests, the oldest first: one statement, and one for the day's budget."""
    other = aliased(AccessRequest)
    sharing = (
        select(func.count())
        .where(other.portal_id == portal_id, other.state == RequestState.OPEN, other.email == AccessRequest.email)
        .scalar_subquery()
    )
    confirmed = or_(Account.email_confirmed_at.is_not(None), AccessRequest.email_confirmed_at.is_not(None))
    statement = (
        _of_portal(portal_id)
        .add_columns(confirmed, sharing, AccessRequest.message, AccessRequest.made_at)
        .where(AccessRequest.state == RequestState.OPEN, AccessRequest.id > (after or 0))
        .order_by(AccessRequest.id)
    )
    with reading() as session:
        found = [Waiting(row[0], row[1], row[2], bool(row[3]), *row[4:]) for row in session.execute(statement)]
        full_until = throttles.paused_until(session, Subject(Kind.REQUEST_TO_PORTAL, str(portal_id)), now)
    return QueuePage(found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None, full_until)


def history(portal_id: int, after: int | None) -> HistoryPage:
    """What became of earlier requests, the newest decision first: one statement."""
    decider = aliased(Account)
    statement = (
        _of_portal(portal_id)
        .add_columns(
            AccessRequest.state,
            AccessRequest.decided_at,
            decider.name,
            AccessRequest.role,
            AccessRequest.reason,
        )
        .outerjoin(decider, decider.id == AccessRequest.decided_by)
        .where(AccessRequest.state.not_in(_SEEN_BY_NOBODY), AccessRequest.decided_at.is_not(None))
        .order_by(AccessRequest.decided_at.desc(), AccessRequest.id.desc())
    )
    if after is not None:
        before = aliased(AccessRequest)
        when = select(before.decided_at).where(before.id == after, before.portal_id == portal_id).scalar_subquery()
        statement = statement.where(tuple_(AccessRequest.decided_at, AccessRequest.id) < tuple_(when, literal(after)))
    with reading() as session:
        found = [Past(*row) for row in session.execute(statement)]
    return HistoryPage(found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None)


def _of_portal(portal_id: int) -> Select[Any]:
    """Requests with name and e-mail: a stranger's own, else the account's."""
    columns: list[Any] = [
        AccessRequest.id,
        func.coalesce(Account.name, AccessRequest.name, ""),
        func.coalesce(Account.email, AccessRequest.email, ""),
    ]
    return (
        select(*columns)
        .outerjoin(Account, Account.id == AccessRequest.account_id)
        .where(AccessRequest.portal_id == portal_id)
        .limit(PAGE + 1)
    )
