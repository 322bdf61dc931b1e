"""Asking for access: a stranger's request, which is no account yet; that of somebody logged in; withdrawing it.

To a stranger every answer is the same, and takes as long, whatever is known of the address. Where mail works one mail
leaves for it in any case: a link that confirms the address (`confirming`), or word to the owner of its account.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session

from ..models import AccessRequest, Account, EventKind, MailJobKind, Portal, RequestState, SignUp
from ..plumbing.addresses import normalise
from ..plumbing.db import change, insert_or_ignore, reading, transaction
from ..plumbing.passwords import hash_password
from ..rules.access import Audience
from ..rules.lifetimes import STEP_UP, STEP_UP_GRACE
from ..rules.names import PERSON_MAX, clean_name
from ..rules.roles import MemberRole, Role
from ..rules.throttling import Kind
from . import attempts, audit, hash_places, joining, notices, request_rows, sign_up_policy, stranger_rows, throttles
from .authority import require
from .caller import Caller
from .outcomes import AccountRefusal, Done, Joined, PausedUntil, RequestRefusal
from .stranger_rows import Wish
from .throttles import Subject

_TAKES = (SignUp.APPROVAL, SignUp.OPEN)


@dataclass(frozen=True, slots=True)
class Asking:
    """What the page shows: what the portal wants, and how somebody's newest request here stands (None: none yet)."""

    message_required: bool
    state: str | None
    message: str | None
    made_at: datetime | None
    reason: str | None

    @property
    def is_open(self) -> bool:
        return self.state == RequestState.OPEN

    @property
    def is_declined(self) -> bool:
        return self.state == RequestState.DECLINED


def takes_requests(slug: str) -> bool:
    """Whether there is a portal of this slug that takes requests."""
    with reading() as session:
        return _taking(session, slug) is not None


def look(portal_id: int, account_id: int | None) -> Asking:
    """How asking stands in this portal, for an account or for a stranger: one statement."""
    mine = and_(AccessRequest.portal_id == Portal.id, AccessRequest.account_id == (account_id or 0))
    statement = (
        select(
            Portal.message_required,
            AccessRequest.state,
            AccessRequest.message,
            AccessRequest.made_at,
            AccessRequest.reason,
        )
        .outerjoin(AccessRequest, mine)
        .where(Portal.id == portal_id)
        .order_by(AccessRequest.id.desc())
        .limit(1)
    )
    with reading() as session:
        row = session.execute(statement).one_or_none()
    return Asking(False, None, None, None, None) if row is None else Asking(*row)


def ask_as_stranger(caller: Caller, slug: str, wish: Wish) -> Done | AccountRefusal | RequestRefusal:
    """Record a stranger's request; for an address that has an account, or too often, do as if.

    Throttles come first, and a digest is made in any case, outside of transactions, but for one: whose own network
    has used up its budget is answered at once. That budget is the asker's, depends on no address that was typed, and
    so tells nothing; a hash and an event for each further try would cost the portal more than it costs them.
    """
    email, name = normalise(wish.email), clean_name(wish.name, PERSON_MAX)
    if email is None:
        return AccountRefusal.BAD_EMAIL
    if name is None:
        return AccountRefusal.BAD_NAME
    wish = replace(wish, email=email, name=name)
    caller = replace(caller, account_id=None, login_id=None)  # half logged in is nobody
    with hash_places.of_stranger(caller):
        with transaction() as session:
            portal_id = _taking(session, slug)
            if portal_id is None:
                return RequestRefusal.CLOSED
            paused = throttles.count(session, _strangers(caller, portal_id, email), caller.now)
            if paused:
                of = portal_id if Kind.REQUEST_TO_PORTAL in paused.full else None
                attempts.note_pause(session, caller, paused, portal_id=of, what="request")
                if Kind.REQUEST_FROM_ADDRESS in paused.full:
                    return Done()
        password_digest = hash_password(wish.password)
    if paused:
        return Done()
    with transaction() as session:
        if _taking(session, slug) != portal_id:
            return RequestRefusal.CLOSED
        stranger_rows.record(session, caller, portal_id, wish, password_digest)
    return Done()


def _taking(session: Session, slug: str) -> int | None:
    """The portal of this slug, if it takes requests; a policy that cannot be read takes none."""
    return session.scalar(select(Portal.id).where(Portal.slug == slug, Portal.sign_up.in_(_TAKES)))


def _strangers(caller: Caller, portal_id: int, email: str) -> list[Subject]:
    subjects = [throttles.of_email(Kind.REQUEST_OF_EMAIL, email), Subject(Kind.REQUEST_TO_PORTAL, str(portal_id))]
    if caller.address is not None:
        subjects.append(throttles.from_address(Kind.REQUEST_FROM_ADDRESS, caller.address))
    return subjects


def ask(caller: Caller, slug: str, message: str) -> Done | Joined | RequestRefusal | PausedUntil:
    """Ask with one's account: once at a time, and three times an hour.

    Where whoever confirms an address is let in, an account with a confirmed one is, at once; that asks for a step-up,
    as accepting an invitation does.
    """
    with transaction() as session:
        identity = require(session, caller, Audience.ACCOUNT, slug=slug)
        portal_id = _taking(session, slug)
        if portal_id is None:
            return RequestRefusal.CLOSED
        if identity is not None and identity.role >= Role.READER:
            return RequestRefusal.MEMBER
        if session.scalar(select(AccessRequest.id).where(*_own_open(portal_id, caller))) is not None:
            return RequestRefusal.ALREADY_OPEN
        subject = Subject(Kind.REQUEST_OF_EMAIL, f"account {caller.account_id}")
        paused = throttles.count(session, [subject], caller.now)
        if paused:
            return paused
        values = {
            "portal_id": portal_id,
            "account_id": caller.account_id,
            "message": message.strip(),
            "state": RequestState.OPEN,
            "made_at": caller.now,
        }
        if not change(session, insert_or_ignore(session, AccessRequest).values(**values)):
            return RequestRefusal.ALREADY_OPEN  # made in this very moment, by another tab
        audit.record(session, caller, EventKind.REQUEST_MADE, account_id=caller.account_id, portal_id=portal_id)
        if _is_let_in(session, portal_id, caller):
            require(session, caller, Audience.ACCOUNT, slug=slug, confirmed_within=STEP_UP + STEP_UP_GRACE)
            _let_in(session, caller, portal_id)
            return Joined()
        notices.queue(session, caller, MailJobKind.REQUEST_RECEIVED, portal_id=portal_id)
    return Done()


def _is_let_in(session: Session, portal_id: int, caller: Caller) -> bool:
    chosen = session.scalar(select(Portal.sign_up).where(Portal.id == portal_id)) or ""
    confirmed = session.scalar(select(Account.email_confirmed_at).where(Account.id == caller.account_id))
    return sign_up_policy.in_force(chosen) is SignUp.OPEN and confirmed is not None


def _let_in(session: Session, caller: Caller, portal_id: int) -> None:
    account_id, role = caller.account_id or 0, MemberRole.READER
    request_rows.accept_own(session, caller, account_id, portal_id, role=role, decided_by=None)
    joining.add_member(session, caller, account_id, portal_id, role)
    joining.end_logins(session, caller, account_id, portal_id, role)


def _own_open(portal_id: int | None, caller: Caller) -> tuple[ColumnElement[bool], ...]:
    """The caller's own open request in a portal."""
    return (
        AccessRequest.portal_id == portal_id,
        AccessRequest.account_id == caller.account_id,
        AccessRequest.state == RequestState.OPEN,
    )


def withdraw(caller: Caller, slug: str) -> Done | RequestRefusal:
    """Take one's own open request back; also where the portal takes none any more."""
    with transaction() as session:
        require(session, caller, Audience.ACCOUNT, slug=slug)
        portal_id = session.scalar(select(Portal.id).where(Portal.slug == slug))
        withdrawn = change(
            session,
            update(AccessRequest)
            .where(*_own_open(portal_id, caller))
            .values(state=RequestState.WITHDRAWN, decided_at=caller.now, decided_by=caller.account_id),
        )
        if not withdrawn:
            return RequestRefusal.NOT_OPEN
        audit.record(session, caller, EventKind.REQUEST_WITHDRAWN, account_id=caller.account_id, portal_id=portal_id)
    return Done()
