"""What becomes of access requests inside somebody's transaction: they turn into accounts, are closed, or expire."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, literal, null, select, update
from sqlalchemy.orm import Session

from ..models import AccessRequest, Account, EventKind, RequestState
from ..models.account import new_account
from ..plumbing.db import change
from ..rules.lifetimes import ADDRESS_LINK
from . import audit, notices
from .caller import Caller

DECOY = timedelta(days=30)
"""How long a decoy waits that was made where there was no mail: about as long as a request that nobody decides."""
DECIDED = timedelta(days=90)
"""How long a stranger's request is kept that came to nothing."""
_HAS_ACCOUNT = "There is an account with this address now."
_MAILED = (RequestState.UNCONFIRMED, RequestState.DECOY)


def about(request_id: int) -> str:
    """How a mail with this request's link is found again."""
    return f"request:{request_id}"


def mail_is_dead(now: datetime) -> ColumnElement[bool]:
    """In SQL: a link was mailed for it (or, of a decoy, was not) so long ago that it is as good as never made."""
    return was_mailed_by(now - ADDRESS_LINK)


def was_mailed_by(instant: Any) -> ColumnElement[bool]:
    """The same, for an instant that may be told later: a link that was mailed by then is dead."""
    return and_(
        AccessRequest.confirm_digest.is_not(None),
        AccessRequest.state.in_(_MAILED),
        AccessRequest.made_at <= instant,
    )


def expired(session: Session, now: datetime, at_most: int = 500) -> int:
    """Delete some of what strangers asked for and nobody will decide: never confirmed, decoys, come to nothing."""
    strangers = AccessRequest.account_id.is_(None)
    long_ago = AccessRequest.made_at <= now - DECIDED  # what is decided was made before: the index knows when
    gone = 0
    for old in (
        mail_is_dead(now),
        and_(AccessRequest.state == RequestState.DECOY, AccessRequest.made_at <= now - DECOY),
        and_(
            AccessRequest.state.in_((RequestState.DECLINED, RequestState.WITHDRAWN)),
            long_ago,
            AccessRequest.decided_at <= now - DECIDED,
        ),
    ):
        ids = session.scalars(select(AccessRequest.id).where(strangers, old).limit(at_most - gone)).all()
        gone += change(session, delete(AccessRequest).where(AccessRequest.id.in_(ids))) if ids else 0
    return gone


def make_account(session: Session, caller: Caller, request: AccessRequest, *, portal_id: int | None) -> None:
    """A stranger's request becomes the account, and keeps nothing of its own. `portal_id`: as for `close_for_email`.

    Raises:
        IntegrityError: an account with the same address was made in this very moment.
    """
    email = request.email or ""
    account = new_account(
        email=email,
        name=request.name or "",
        password_digest=request.password_digest,
        now=caller.now,
        confirmed=request.email_confirmed_at is not None,
    )
    session.add(account)
    session.flush()
    request.account_id = account.id
    request.email = request.name = request.password_digest = None
    session.flush()
    audit.record(session, caller, EventKind.ACCOUNT_CREATED, account_id=account.id, operator=False)
    close_for_email(session, caller, email, portal_id=portal_id)


def has_account(session: Session, email: str | None) -> bool:
    """Whether somebody has an account with this address by now."""
    return session.scalar(select(Account.id).where(Account.email == email)) is not None


def close_for_email(session: Session, caller: Caller, email: str, *, portal_id: int | None = None) -> None:
    """There is an account with this address now: decline the open requests of strangers with it, in all portals.

    Their digests go, also those of requests declined before: nobody knows whose they were. Those whose address was
    never confirmed turn into decoys, which answer as before until their day is over: who asked with somebody else's
    address does not learn that it is known from now on. `portal_id`: the one in which the caller decides; elsewhere
    nobody did, and nothing is said of where it happened.
    """
    strangers = (AccessRequest.email == email, AccessRequest.account_id.is_(None))
    void_links(session, *strangers)
    waiting = session.execute(
        select(AccessRequest.id, AccessRequest.portal_id)
        .where(*strangers, AccessRequest.state == RequestState.OPEN)
        .with_for_update()
    ).all()
    by = literal(caller.account_id, AccessRequest.decided_by.type)  # PostgreSQL asks of what kind a NULL is
    change(
        session,
        update(AccessRequest)
        .where(AccessRequest.id.in_([row.id for row in waiting]), AccessRequest.state == RequestState.OPEN)
        .values(
            state=RequestState.DECLINED,
            decided_at=caller.now,
            decided_by=case((AccessRequest.portal_id == (portal_id or 0), by), else_=null()),
            reason=_HAS_ACCOUNT,
        ),
    )
    no_decoy = AccessRequest.state != RequestState.DECOY
    change(session, update(AccessRequest).where(*strangers, no_decoy).values(password_digest=None))
    nobody = replace(caller, account_id=None, login_id=None, address=None, browser="")
    for row in waiting:
        who = caller if row.portal_id == portal_id else nobody
        audit.record(session, who, EventKind.REQUEST_DECLINED, portal_id=row.portal_id, request=row.id)


def void_links(session: Session, *which: ColumnElement[bool]) -> None:
    """What has not been confirmed becomes a decoy, and what was to be mailed about it does not leave any more."""
    state = AccessRequest.state == RequestState.UNCONFIRMED
    unconfirmed = list(session.scalars(select(AccessRequest.id).where(*which, state).with_for_update()))
    if not unconfirmed:
        return
    change(
        session,
        update(AccessRequest)
        .where(AccessRequest.id.in_(unconfirmed))
        .values(state=RequestState.DECOY, name=None, message=""),
    )
    notices.drop(session, *map(about, unconfirmed))


def accept_own(
    session: Session, caller: Caller, account_id: int, portal_id: int, *, role: str, decided_by: int | None
) -> None:
    """The account is a member now: its own open request here is no longer one that admins have to decide."""
    mine = (
        AccessRequest.account_id == account_id,
        AccessRequest.portal_id == portal_id,
        AccessRequest.state == RequestState.OPEN,
    )
    found = session.scalar(select(AccessRequest.id).where(*mine))
    accepted = change(
        session,
        update(AccessRequest)
        .where(*mine)
        .values(state=RequestState.ACCEPTED, decided_at=caller.now, decided_by=decided_by, role=role),
    )
    if accepted:
        about = {"account_id": account_id, "portal_id": portal_id}
        audit.record(session, caller, EventKind.REQUEST_ACCEPTED, **about, request=found, role=role)
