"""Portals: made and listed. An installation starts with one."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from ..models import EventKind, Membership, Portal, Visibility
from ..plumbing.db import reading, transaction
from ..rules.access import Audience
from ..rules.lifetimes import STEP_UP, STEP_UP_GRACE
from ..rules.names import PORTAL_MAX, clean_name, is_slug
from . import audit
from .authority import require
from .caller import Caller
from .outcomes import Done, PortalRefusal


@dataclass(frozen=True, slots=True)
class PortalListed:
    slug: str
    name: str
    visibility: str
    mfa_rule: str


def create(caller: Caller, name: str, slug: str) -> Done | PortalRefusal:
    """Make a portal: private, with no rule and no members but the operators."""
    cleaned = clean_name(name, PORTAL_MAX)
    if cleaned is None:
        return PortalRefusal.BAD_NAME
    if not is_slug(slug):
        return PortalRefusal.BAD_SLUG
    try:
        with transaction() as session:
            require(session, caller, Audience.OPERATORS, confirmed_within=STEP_UP + STEP_UP_GRACE)
            portal = Portal(slug=slug, name=cleaned, created_at=caller.now)
            session.add(portal)
            session.flush()
            audit.record(session, caller, EventKind.PORTAL_CREATED, portal_id=portal.id, slug=slug)
    except IntegrityError:
        return PortalRefusal.SLUG_TAKEN
    return Done()


def every() -> list[PortalListed]:
    """All portals, the first one first."""
    with reading() as session:
        return [_listed(portal) for portal in session.scalars(select(Portal).order_by(Portal.id))]


def enterable(account_id: int | None, *, operator: bool) -> list[PortalListed]:
    """The portals that somebody may enter: public ones, those they are a member of, all for an operator."""
    statement = select(Portal).order_by(Portal.name, Portal.id)
    if not operator:
        mine = select(Membership.portal_id).where(Membership.account_id == account_id)
        statement = statement.where((Portal.visibility == Visibility.PUBLIC) | Portal.id.in_(mine))
    with reading() as session:
        return [_listed(portal) for portal in session.scalars(statement)]


def _listed(portal: Portal) -> PortalListed:
    return PortalListed(portal.slug, portal.name, portal.visibility, portal.mfa_rule)
