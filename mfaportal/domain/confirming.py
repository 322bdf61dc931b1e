"""Confirming the address of a stranger's request by the link that was mailed to it.

The link is taken once, and only with the password of the request: otherwise whoever asked with somebody else's
address, and a password of their own, would have an account in that person's name once that person clicked. Then the
request waits for the admins; where the portal lets in whoever confirms an address, it becomes the account at once.
It logs nobody in. All that was true when it was asked is asked again.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from sqlalchemy import ColumnElement, not_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..models import AccessRequest, EventKind, MailJobKind, Portal, RequestState, SignUp
from ..plumbing.db import change, reading, transaction
from ..plumbing.passwords import verify_password
from ..plumbing.tokens import digest
from ..rules.roles import MemberRole
from ..rules.throttling import Kind
from . import audit, hash_places, joining, notices, request_rows, sign_up_policy, throttles
from .caller import Caller
from .outcomes import PausedUntil, WrongPassword
from .throttles import Subject


@dataclass(frozen=True, slots=True)
class RequestSeen:
    """A request that waits for its address: as whom, where to, and whether confirming lets in at once."""

    email: str
    name: str
    portal: str
    made_at: datetime
    lets_in: bool


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The address of a request is its owner's: it waits for the admins now, or, `account_made`, is an account."""

    portal: str
    account_made: bool


class ConfirmRefusal(Enum):
    GONE = "gone"
    """Used, expired, dropped or never made: one answer for all."""
    CLOSED = "closed"
    """The portal takes no requests any more."""
    HAS_ACCOUNT = "has account"
    """Meanwhile there is an account with the address: its owner logs in and asks from there."""


def look(token: str, now: datetime) -> RequestSeen | None:
    """The request behind a token, if its link would still be taken."""
    with reading() as session:
        row = session.execute(
            select(AccessRequest.email, AccessRequest.name, Portal.name, AccessRequest.made_at, Portal.sign_up)
            .join(Portal, Portal.id == AccessRequest.portal_id)
            .where(*_waits(token, now))
        ).one_or_none()
    if row is None:
        return None
    return RequestSeen(row[0] or "", row[1] or "", row[2], row[3], sign_up_policy.in_force(row[4]) is SignUp.OPEN)


def confirm(caller: Caller, token: str, password: str) -> Confirmed | ConfirmRefusal | WrongPassword | PausedUntil:
    """Take the link: the request comes into the queue, or becomes an account, a reader's.

    What it was refused for uses nothing up.
    """
    caller = replace(caller, account_id=None, login_id=None)  # who is logged in here has nothing to do with it
    with hash_places.of_stranger(caller):
        counted = _count_attempt(caller, token)
        if not isinstance(counted, str):
            return counted
        if not verify_password(password, counted):
            return WrongPassword()
    try:
        with transaction() as session:
            request = session.scalars(select(AccessRequest).where(*_waits(token, caller.now))).one_or_none()
            if request is None or request.password_digest != counted:
                return ConfirmRefusal.GONE
            throttles.clear(session, [_subject(request)])
            portal = session.get_one(Portal, request.portal_id)
            policy = sign_up_policy.in_force(portal.sign_up)
            if policy is SignUp.CLOSED:
                return ConfirmRefusal.CLOSED
            if request_rows.has_account(session, request.email):
                return ConfirmRefusal.HAS_ACCOUNT
            if not _taken(session, caller, request, token):
                return ConfirmRefusal.GONE
            audit.record(
                session, caller, EventKind.REQUEST_MADE, portal_id=portal.id, request=request.id, confirmed=True
            )
            if policy is SignUp.OPEN:
                _let_in(session, caller, request)
            else:
                _withdraw_earlier(session, caller, request)
                notices.queue(session, caller, MailJobKind.REQUEST_RECEIVED, portal_id=portal.id)
            return Confirmed(portal.name, account_made=policy is SignUp.OPEN)
    except IntegrityError:
        return ConfirmRefusal.HAS_ACCOUNT  # made while this one was: the link is not used up


def _count_attempt(caller: Caller, token: str) -> str | ConfirmRefusal | PausedUntil:
    """Count a try at the request's password; its digest."""
    with transaction() as session:
        request = session.scalars(select(AccessRequest).where(*_waits(token, caller.now))).one_or_none()
        if request is None or request.password_digest is None:
            return ConfirmRefusal.GONE
        return throttles.count(session, [_subject(request)], caller.now) or request.password_digest


def _subject(request: AccessRequest) -> Subject:
    return Subject(Kind.PASSWORD_OF_REQUEST, str(request.id))


def _waits(token: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        AccessRequest.confirm_digest == digest(token),
        AccessRequest.state == RequestState.UNCONFIRMED,
        not_(request_rows.mail_is_dead(now)),
    )


def _taken(session: Session, caller: Caller, request: AccessRequest, token: str) -> bool:
    taken = change(
        session,
        update(AccessRequest)
        .where(AccessRequest.id == request.id, *_waits(token, caller.now))
        .values(state=RequestState.OPEN, confirm_digest=None, email_confirmed_at=caller.now),
    )
    if taken == 1:
        session.refresh(request)
    return taken == 1


def _let_in(session: Session, caller: Caller, request: AccessRequest) -> None:
    """The account and its membership; the portal itself has decided, long ago."""
    role = MemberRole.READER
    request_rows.make_account(session, caller, request, portal_id=None)
    account_id = request.account_id or 0
    joining.add_member(session, caller, account_id, request.portal_id, role)
    request_rows.accept_own(session, caller, account_id, request.portal_id, role=role, decided_by=None)


def _withdraw_earlier(session: Session, caller: Caller, request: AccessRequest) -> None:
    """Whoever has the address waits once in a portal: with what they asked last."""
    change(
        session,
        update(AccessRequest)
        .where(
            AccessRequest.id != request.id,
            AccessRequest.portal_id == request.portal_id,
            AccessRequest.email == request.email,
            AccessRequest.account_id.is_(None),
            AccessRequest.state == RequestState.OPEN,
            AccessRequest.email_confirmed_at.is_not(None),
        )
        .values(state=RequestState.WITHDRAWN, decided_at=caller.now, password_digest=None),
    )
