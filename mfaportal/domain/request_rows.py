"""What becomes of access requests when somebody gets in by another way, inside somebody's transaction."""

from dataclasses import replace

from sqlalchemy import case, null, select, update
from sqlalchemy.orm import Session

from ..models import AccessRequest, EventKind, RequestState
from ..plumbing.db import change
from . import audit
from .caller import Caller

_HAS_ACCOUNT = "There is an account with this address now."


def close_for_email(session: Session, caller: Caller, email: str, *, portal_id: int | None = None) -> None:
    """There is an account with this address now: decline the open requests of strangers with it, in all portals.

    Their digests go, also those of requests declined before: nobody knows whose they were. `portal_id`: the one in
    which the caller decides; elsewhere nobody did, and nothing is said of where it happened.
    """
    strangers = (AccessRequest.email == email, AccessRequest.account_id.is_(None))
    waiting = session.execute(
        select(AccessRequest.id, AccessRequest.portal_id)
        .where(*strangers, AccessRequest.state == RequestState.OPEN)
        .with_for_update()
    ).all()
    change(
        session,
        update(AccessRequest)
        .where(AccessRequest.id.in_([row.id for row in waiting]), AccessRequest.state == RequestState.OPEN)
        .values(
            state=RequestState.DECLINED,
            decided_at=caller.now,
            decided_by=case((AccessRequest.portal_id == (portal_id or 0), caller.account_id), else_=null()),
            reason=_HAS_ACCOUNT,
        ),
    )
    change(session, update(AccessRequest).where(*strangers).values(password_digest=None))
    nobody = replace(caller, account_id=None, login_id=None, address=None, browser="")
    for row in waiting:
        by = caller if row.portal_id == portal_id else nobody
        audit.record(session, by, EventKind.REQUEST_DECLINED, portal_id=row.portal_id, request=row.id)


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
