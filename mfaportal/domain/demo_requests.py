"""The demo's requests for access: one that waits, and one that was declined. Neither person has an account."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from ..models import AccessRequest, EventKind, Portal, RequestState, SignUp
from . import audit
from .caller import Caller

_CONTACT = "harbour@example.org"
_MESSAGE = "I draw the tide tables of the island, and need yours."
_REASON = "Please ask with your address at work."


@dataclass(frozen=True, slots=True)
class Asking:
    """Somebody who asked, with the digest of the password that they log in with to see how it stands."""

    email: str
    name: str
    password_digest: str
    declined: bool


def open_to_requests(session: Session, caller: Caller, portal: Portal) -> None:
    """By approval from now on, with somebody to ask."""
    audit.record(
        session,
        caller,
        EventKind.SIGN_UP_CHANGED,
        portal_id=portal.id,
        policy=[portal.sign_up, SignUp.APPROVAL],
        message_required=[portal.message_required, portal.message_required],
        contact_changed=True,
    )
    portal.sign_up, portal.contact = SignUp.APPROVAL, _CONTACT


def add(session: Session, caller: Caller, portal_id: int, asking: Asking) -> None:
    """A stranger's request in the portal; declined, it holds the reason that is told at log-in."""
    request = AccessRequest(
        portal_id=portal_id,
        email=asking.email,
        name=asking.name,
        password_digest=asking.password_digest,
        message=_MESSAGE,
        made_at=caller.now,
    )
    session.add(request)
    session.flush()
    audit.record(session, caller, EventKind.REQUEST_MADE, portal_id=portal_id, request=request.id)
    if asking.declined:
        request.state, request.decided_at, request.reason = RequestState.DECLINED, caller.now, _REASON
        audit.record(session, caller, EventKind.REQUEST_DECLINED, portal_id=portal_id, request=request.id)
