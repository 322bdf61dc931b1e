"""The people of a portal as a file: that somebody took it is an event, written before the first line goes out."""

from collections.abc import Iterator

from sqlalchemy import select

from ..models import EventKind, Portal
from ..plumbing.db import transaction
from ..rules.access import Audience
from ..rules.lifetimes import STEP_UP, STEP_UP_GRACE
from . import audit, member_list
from .authority import require
from .caller import Caller
from .member_list import Member, MembersQuery
from .outcomes import PortalRefusal


def export(caller: Caller, slug: str, query: MembersQuery) -> Iterator[Member] | PortalRefusal:
    """All members that fit, by name. Noted at once; read in portions while the answer is sent."""
    with transaction() as session:
        require(session, caller, Audience.ADMINS, slug=slug, confirmed_within=STEP_UP + STEP_UP_GRACE)
        portal_id = session.scalar(select(Portal.id).where(Portal.slug == slug))
        if portal_id is None:
            return PortalRefusal.UNKNOWN
        audit.record(
            session,
            caller,
            EventKind.PEOPLE_EXPORTED,
            portal_id=portal_id,
            role=query.role,
            mfa=query.mfa,
            searched=bool(query.text),  # not for what: it may be somebody's name
        )
    return member_list.everybody(portal_id, query)
