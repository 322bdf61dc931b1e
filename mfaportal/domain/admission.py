"""Whom an e-mail and a password belong to, and whether they may log in; the truth is for the right password only.

Somebody may have asked for access with the address: such a request is judged, too, and only ever told how it
stands. Two digests are judged, whoever asks. The first is the owner's: that of the account, or, where there is none,
of the newest request whose address was confirmed. The second may be anybody's: the newest request of which nobody
knows whose it is. So a stranger who asks with the same address does not hide the owner's, nor sees from an answer
that there is one.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, literal, not_, select, true
from sqlalchemy.orm import Session

from ..models import AccessRequest, Account, Invitation, Membership, Portal, RequestState
from ..models.invitation import still_works
from ..plumbing.db import reading
from ..plumbing.passwords import verify_password
from .outcomes import LoginRefusal, StillAsking
from .request_rows import mail_is_dead

_TOLD = (RequestState.OPEN, RequestState.DECLINED, RequestState.DECOY, RequestState.UNCONFIRMED)


class Right(Enum):
    """What a password is right for."""

    ACCOUNT = "account"
    CONFIRMED = "confirmed request"
    REQUEST = "request"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Known:
    """What judging a password takes of an address: the digests of its account and of two requests, if any."""

    account_id: int | None
    account_digest: str | None
    confirmed_id: int | None
    confirmed_digest: str | None
    request_id: int | None
    request_digest: str | None


def look_up(email: str, now: datetime) -> Known:
    """By the text typed, in lower case; what is no address is nobody's. One statement, whatever it finds."""
    typed = email.strip(" ").lower()[:254]
    account = select(Account.id, Account.password_digest).where(Account.email == typed).subquery()
    confirmed = _newest(typed, AccessRequest.email_confirmed_at.is_not(None))
    newest = _newest(typed, AccessRequest.email_confirmed_at.is_(None), not_(mail_is_dead(now)))
    one = select(literal(1).label("one")).subquery()
    statement = (
        select(
            account.c.id,
            account.c.password_digest,
            confirmed.c.id,
            confirmed.c.password_digest,
            newest.c.id,
            newest.c.password_digest,
        )
        .select_from(one)
        .outerjoin(account, true())
        .outerjoin(confirmed, true())
        .outerjoin(newest, true())
    )
    with reading() as session:
        return Known(*session.execute(statement).one())


def _newest(email: str, *which: ColumnElement[bool]) -> Any:
    return (
        select(AccessRequest.id, AccessRequest.password_digest)
        .where(
            AccessRequest.email == email, AccessRequest.account_id.is_(None), AccessRequest.state.in_(_TOLD), *which
        )
        .order_by(AccessRequest.id.desc())
        .limit(1)
        .subquery()
    )


def judge(known: Known, password: str) -> Right:
    """Whose the password is. Two digests are judged whatever the address; where there is none, nobody's."""
    has_account = known.account_id is not None
    as_owner = verify_password(password, known.account_digest if has_account else known.confirmed_digest)
    as_anybody = verify_password(password, known.request_digest)
    if as_owner:
        return Right.ACCOUNT if has_account else Right.CONFIRMED
    return Right.REQUEST if as_anybody else Right.NOBODY


def holder_of(session: Session, known: Known, right: Right) -> Account | AccessRequest | None:
    """Whose the right password still is, at the same cost whatever the address."""
    as_confirmed = right is Right.CONFIRMED
    request_id, seen = (
        (known.confirmed_id, known.confirmed_digest) if as_confirmed else (known.request_id, known.request_digest)
    )
    account = session.get(Account, known.account_id or 0)
    request = session.get(AccessRequest, request_id or 0)
    if right is Right.ACCOUNT and account is not None and account.password_digest == known.account_digest:
        return account
    if right in (Right.CONFIRMED, Right.REQUEST) and request is not None and request.password_digest == seen:
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
    unconfirmed = (
        request.state in (RequestState.UNCONFIRMED, RequestState.DECOY) and request.confirm_digest is not None
    )
    return StillAsking(portal.name, declined, request.reason if declined else "", portal.contact, unconfirmed)
