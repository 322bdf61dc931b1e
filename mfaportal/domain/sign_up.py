"""Access > Log in & Sign up: how people without a membership get in, and whom to ask."""

from dataclasses import dataclass
from enum import Enum

from sqlalchemy import select

from ..models import EventKind, Portal, SignUp
from ..plumbing.db import reading, transaction
from ..rules.access import Audience
from ..rules.lifetimes import STEP_UP, STEP_UP_GRACE
from ..rules.names import CONTACT_MAX, clean_name
from . import audit, notices, sign_up_policy
from .authority import require
from .caller import Caller
from .outcomes import Done, PortalRefusal


@dataclass(frozen=True, slots=True)
class SignUpSeen:
    """What the page shows: the policy in force, and whether open was chosen but counts as by approval."""

    policy: SignUp
    message_required: bool
    contact: str
    mail_works: bool
    was_open: bool


class SignUpRefusal(Enum):
    BAD_CONTACT = "bad contact"
    NEEDS_MAIL = "needs mail"
    """Whoever may come in by themselves has to confirm an address first."""


def look(portal_id: int) -> SignUpSeen | None:
    """The portal's present choices; None where it is gone."""
    with reading() as session:
        portal = session.get(Portal, portal_id)
        if portal is None:
            return None
        policy = sign_up_policy.in_force(portal.sign_up)
        was_open = portal.sign_up == SignUp.OPEN and policy is not SignUp.OPEN
        return SignUpSeen(policy, portal.message_required, portal.contact, notices.mail_works(), was_open)


def change(
    caller: Caller, slug: str, *, policy: SignUp | None, message_required: bool, contact: str
) -> Done | SignUpRefusal | PortalRefusal:
    """Set the policy (None: as now), whether a request needs a message, and the contact, which may be empty.

    Open is refused where there is no mail: whoever may come in by themselves has to confirm an address first.
    """
    cleaned = clean_name(contact, CONTACT_MAX) if contact.strip() else ""
    if cleaned is None:
        return SignUpRefusal.BAD_CONTACT
    if policy is SignUp.OPEN and not notices.mail_works():
        return SignUpRefusal.NEEDS_MAIL
    with transaction() as session:
        require(session, caller, Audience.ADMINS, slug=slug, confirmed_within=STEP_UP + STEP_UP_GRACE)
        portal = session.scalars(select(Portal).where(Portal.slug == slug).with_for_update()).one_or_none()
        if portal is None:
            return PortalRefusal.UNKNOWN
        wanted = portal.sign_up if policy is None else policy
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
