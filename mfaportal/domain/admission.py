"""Whom an e-mail and a password belong to, and whether they may log in; the truth is for the right password only.

Somebody may have asked for access with the address: such a request is judged, too, and only ever told how it
stands. The first digest that is judged is the owner's: that of the account, or, where there is none, of the newest
request whose address was confirmed. The second may be anybody's: the newest request of which nobody knows whose it
is. So a stranger who asks with the same address does not hide the owner's, nor sees from an answer that there is one.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, String, and_, bindparam, not_, or_, select
from sqlalchemy.orm import Session

from ..models import AccessRequest, Account, Invitation, Membership, Portal, RequestState
from ..models.invitation import still_works
from ..plumbing.db import Instant, reading
from ..plumbing.passwords import verify_password
from ..plumbing.prepared_change import PreparedChange
from ..rules.lifetimes import ADDRESS_LINK
from .outcomes import LoginRefusal, StillAsking
from .request_rows import was_mailed_by
from .throttle_rows import Question

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
    with reading() as session:
        return Known(*_LOOK_UP.run(session, about(email, now)).rows[0])


def about(email: str, now: datetime) -> dict[str, Any]:
    """What `WHOSE` wants to know."""
    return {"typed": email.strip(" ").lower()[:254], "mailed_at": now - ADDRESS_LINK}


def _columns() -> list[ScalarSelect[Any]]:
    """In the order of `Known`, whether asked alone or along with counting."""
    confirmed = [AccessRequest.email_confirmed_at.is_not(None)]
    mail_lives = not_(was_mailed_by(bindparam("mailed_at", type_=Instant)))
    newest = [AccessRequest.email_confirmed_at.is_(None), mail_lives]
    of_account = [
        select(column).where(Account.email == _TYPED).scalar_subquery()
        for column in (Account.id, Account.password_digest)
    ]
    return of_account + [_newest(column, *which) for which in (confirmed, newest) for column in _OF_REQUEST]


def _newest(column: Any, *which: ColumnElement[bool]) -> ScalarSelect[Any]:
    return (
        select(column)
        .where(
            AccessRequest.email == _TYPED, AccessRequest.account_id.is_(None), AccessRequest.state.in_(_TOLD), *which
        )
        .order_by(AccessRequest.id.desc())
        .limit(1)
        .scalar_subquery()
    )


_TYPED = bindparam("typed", type_=String)
_OF_REQUEST = (AccessRequest.id, AccessRequest.password_digest)
WHOSE = Question(_columns)
_LOOK_UP = PreparedChange(lambda _insert: select(*_columns()))


def judge(known: Known, password: str) -> Right:
    """Whose the password is. Unless it is the owner's, who is told so, two digests are judged whatever the address;
    where there is none, nobody's.
    """
    has_account = known.account_id is not None
    if verify_password(password, known.account_digest if has_account else known.confirmed_digest):
        return Right.ACCOUNT if has_account else Right.CONFIRMED
    return Right.REQUEST if verify_password(password, known.request_digest) else Right.NOBODY


def holder_of(session: Session, known: Known, right: Right) -> Account | AccessRequest | None:
    """Whose the right password still is; a wrong one costs the same whatever the address."""
    if right is Right.NOBODY:
        return None
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


def refusal_of(session: Session, holder: Account | AccessRequest) -> LoginRefusal | StillAsking:
    """Why they may not log in: no account yet; suspended; in no portal, with no way open into one."""
    if isinstance(holder, AccessRequest):
        return _still_asking(session, holder)
    if holder.suspended_at is not None:
        return LoginRefusal.SUSPENDED
    newest = session.scalars(
        select(AccessRequest).where(AccessRequest.account_id == holder.id).order_by(AccessRequest.id.desc()).limit(1)
    ).one_or_none()
    told = newest is not None and newest.state in _TOLD
    return _still_asking(session, newest) if newest is not None and told else LoginRefusal.NO_PORTAL


def may_log_in(now: Any) -> ColumnElement[bool]:
    """In SQL, of an account: not suspended, and an operator, somewhere a member, or invited.

    An invitation is accepted by logging in.
    """
    member = select(Membership.portal_id).where(Membership.account_id == Account.id).exists()
    invited = select(Invitation.id).where(Invitation.email == Account.email, still_works(now)).exists()
    return and_(Account.suspended_at.is_(None), or_(Account.is_operator, member, invited))


def _still_asking(session: Session, request: AccessRequest) -> StillAsking:
    """How a request stands, for whoever made it."""
    portal = session.get_one(Portal, request.portal_id)
    declined = request.state == RequestState.DECLINED
    unconfirmed = (
        request.state in (RequestState.UNCONFIRMED, RequestState.DECOY) and request.confirm_digest is not None
    )
    return StillAsking(portal.name, declined, request.reason if declined else "", portal.contact, unconfirmed)
