"""Whom an e-mail and a password belong to, and whether they may log in; the truth is for the right password only.

Somebody may have asked for access with the address: its newest request is judged, too, and is only ever told how it
stands.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import literal, select, true
from sqlalchemy.orm import Session

from ..models import AccessRequest, Account, Invitation, Membership, Portal, RequestState
from ..models.invitation import still_works
from ..plumbing.db import reading
from ..plumbing.passwords import verify_password
from .outcomes import LoginRefusal, StillAsking

_TOLD = (RequestState.OPEN, RequestState.DECLINED, RequestState.DECOY)


class Right(Enum):
    """What a password is right for."""

    ACCOUNT = "account"
    REQUEST = "request"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Known:
    """What judging a password takes of an address: the digests of its account and of its newest request, if any."""

    account_id: int | None
    account_digest: str | None
    request_id: int | None
    request_digest: str | None


def look_up(email: str) -> Known:
    """By the text typed, in lower case; what is no address is nobody's. One statement, whatever it finds."""
    typed = email.strip(" ").lower()[:254]
    account = select(Account.id, Account.password_digest).where(Account.email == typed).subquery()
    newest = (
        select(AccessRequest.id, AccessRequest.password_digest)
        .where(AccessRequest.email == typed, AccessRequest.account_id.is_(None), AccessRequest.state.in_(_TOLD))
        .order_by(AccessRequest.id.desc())
        .limit(1)
        .subquery()
    )
    one = select(literal(1).label("one")).subquery()
    statement = (
        select(account.c.id, account.c.password_digest, newest.c.id, newest.c.password_digest)
        .select_from(one)
        .outerjoin(account, true())
        .outerjoin(newest, true())
    )
    with reading() as session:
        return Known(*session.execute(statement).one())


def judge(known: Known, password: str) -> Right:
    """Whose the password is. Two digests are judged whatever the address; where there is none, nobody's."""
    as_account = verify_password(password, known.account_digest)
    as_request = verify_password(password, known.request_digest)
    if as_account:
        return Right.ACCOUNT
    return Right.REQUEST if as_request else Right.NOBODY


def holder_of(session: Session, known: Known, right: Right) -> Account | AccessRequest | None:
    """Whose the right password still is, at the same cost whatever the address."""
    account = session.get(Account, known.account_id or 0)
    request = session.get(AccessRequest, known.request_id or 0)
    if right is Right.ACCOUNT and account is not None and account.password_digest == known.account_digest:
        return account
    if right is Right.REQUEST and request is not None and request.password_digest == known.request_digest:
        return request if request.state in _TOLD else None
    return None


def admit(session: Session, holder: Account | AccessRequest, now: datetime) -> Account | LoginRefusal | StillAsking:
    """The account, or why it may not log in: none yet; suspended; in no portal, with no way open into one."""
    if isinstance(holder, AccessRequest):
        return _still_asking(session, holder)
    if holder.suspended_at is not None:
        return LoginRefusal.SUSPENDED
    if holder.is_operator or _may_enter(session, holder, now):
        return holder
    newest = session.scalars(
        select(AccessRequest).where(AccessRequest.account_id == holder.id).order_by(AccessRequest.id.desc()).limit(1)
    ).one_or_none()
    told = newest is not None and newest.state in _TOLD
    return _still_asking(session, newest) if newest is not None and told else LoginRefusal.NO_PORTAL


def _may_enter(session: Session, account: Account, now: datetime) -> bool:
    """Whether they are somewhere a member, or invited: an invitation is accepted by logging in."""
    member = select(Membership.portal_id).where(Membership.account_id == account.id).limit(1)
    invited = select(Invitation.id).where(Invitation.email == account.email, still_works(now)).limit(1)
    return session.scalar(member) is not None or session.scalar(invited) is not None


def _still_asking(session: Session, request: AccessRequest) -> StillAsking:
    """How a request stands, for whoever made it."""
    portal = session.get_one(Portal, request.portal_id)
    declined = request.state == RequestState.DECLINED
    return StillAsking(portal.name, declined, request.reason if declined else "", portal.contact)
