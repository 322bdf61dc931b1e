"""Access > Log in & Sign up: how people without a membership get in, and whom to ask."""

from dataclasses import dataclass

from sqlalchemy import select

from ..models import EventKind, Portal, SignUp
from ..plumbing.db import reading, transaction
from ..rules.access import Audience
from ..rules.lifetimes import STEP_UP, STEP_UP_GRACE
from ..rules.names import CONTACT_MAX, clean_name
from . import audit
from .authority import require
from .caller import Caller
from .outcomes import Done, PortalRefusal, SignUpRefusal


@dataclass(frozen=True, slots=True)
class SignUpSeen:
    """What the page shows. A policy that cannot be read counts as closed; open, for now, as by approval."""

    policy: SignUp
    message_required: bool
    contact: str


def look(portal_id: int) -> SignUpSeen | None:
    """The portal's present choices; None where it is gone."""
    with reading() as session:
        portal = session.get(Portal, portal_id)
        return None if portal is None else SignUpSeen(_policy(portal), portal.message_required, portal.contact)


def _policy(portal: Portal) -> SignUp:
    return SignUp.APPROVAL if portal.sign_up in (SignUp.APPROVAL, SignUp.OPEN) else SignUp.CLOSED


def change(
    caller: Caller, slug: str, *, policy: SignUp | None, message_required: bool, contact: str
) -> Done | SignUpRefusal | PortalRefusal:
    """Set the policy (None: as now), whether a request needs a message, and the contact, which may be empty."""
    cleaned = clean_name(contact, CONTACT_MAX) if contact.strip() else ""
    if cleaned is None:
        return SignUpRefusal.BAD_CONTACT
    if policy is SignUp.OPEN:
        return SignUpRefusal.NEEDS_MAIL
    with transaction() as session:
        require(session, caller, Audience.ADMINS, slug=slug, confirmed_within=STEP_UP + STEP_UP_GRACE)
        portal = session.scalars(select(Portal).where(Portal.slug == slug).with_for_update()).one_or_none()
        if portal is None:
            return PortalRefusal.UNKNOWN
        wanted = _policy(portal) if policy is None else policy
        before = (portal.sign_up, portal.message_required, portal.contact)
        if before == (wanted, message_required, cleaned):
            return Done()
        audit.record(
            session,
            caller,
            EventKind.SIGN_UP_CHANGED,
            portal_id=portal.id,
            policy=[portal.sign_up, wanted],
            message_required=[portal.message_required, message_required],
            contact_changed=portal.contact != cleaned,
        )
        portal.sign_up, portal.message_required, portal.contact = wanted, message_required, cleaned
    return Done()
