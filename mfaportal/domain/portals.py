"""Portals: made, renamed, deleted, and those that somebody may enter. An installation has at least one."""

from dataclasses import dataclass

from sqlalchemy import delete as delete_from
from sqlalchemy import select, true
from sqlalchemy.exc import IntegrityError

from ..models import AccessRequest, Dataset, EventKind, GuardedAddress, Invitation, Membership, Portal, Visibility
from ..plumbing.db import change, reading, transaction
from ..rules.access import Audience
from ..rules.gateway import Address
from ..rules.lifetimes import STEP_UP, STEP_UP_GRACE
from ..rules.names import PORTAL_MAX, clean_name, is_slug
from . import audit, guard_lines, guarding, invitation_rows, request_rows
from .authority import require
from .caller import Caller
from .guard_lines import GuardRefusal, Typed
from .outcomes import Done, PortalRefusal
from .stored_files import settled

_WITHIN = STEP_UP + STEP_UP_GRACE
NO_GUARDS = Typed()


@dataclass(frozen=True, slots=True)
class PortalListed:
    slug: str
    name: str
    visibility: str
    mfa_rule: str


@dataclass(frozen=True, slots=True)
class PortalEnterable:
    """One that somebody may enter. `role` is that of their membership, empty without one."""

    slug: str
    name: str
    public: bool
    role: str
    addresses: list[Address]
    """Those that it guards."""


def create(caller: Caller, name: str, slug: str, guards: Typed = NO_GUARDS) -> Done | PortalRefusal | GuardRefusal:
    """Make a portal: private, closed, with no rule and no members but the operators."""
    cleaned, wanted = _checked(name, slug), guard_lines.read(guards)
    if isinstance(cleaned, PortalRefusal):
        return cleaned
    if isinstance(wanted, GuardRefusal):
        return wanted
    try:
        with transaction() as session:
            require(session, caller, Audience.OPERATORS, confirmed_within=_WITHIN)
            if refusal := guarding.refused(session, wanted):
                return refusal
            portal = Portal(slug=slug, name=cleaned, created_at=caller.now)
            session.add(portal)
            session.flush()
            audit.record(session, caller, EventKind.PORTAL_CREATED, portal_id=portal.id, slug=slug)
            guarding.keep(session, caller, portal.id, wanted)
    except IntegrityError:
        return PortalRefusal.SLUG_TAKEN
    return Done()


def rename(
    caller: Caller, slug: str, name: str, new_slug: str, guards: Typed = NO_GUARDS
) -> Done | PortalRefusal | GuardRefusal:
    """Give a portal another name or slug, and let it guard something else. Addresses with the old slug are gone."""
    cleaned, wanted = _checked(name, new_slug), guard_lines.read(guards)
    if isinstance(cleaned, PortalRefusal):
        return cleaned
    if isinstance(wanted, GuardRefusal):
        return wanted
    try:
        with transaction() as session:
            require(session, caller, Audience.OPERATORS, slug=slug, confirmed_within=_WITHIN)
            if refusal := guarding.refused(session, wanted, slug):
                return refusal
            portal = session.scalars(select(Portal).where(Portal.slug == slug).with_for_update()).one_or_none()
            if portal is None:
                return PortalRefusal.UNKNOWN
            if (portal.name, portal.slug) != (cleaned, new_slug):
                portal.name, portal.slug = cleaned, new_slug
                session.flush()
                audit.record(session, caller, EventKind.PORTAL_RENAMED, portal_id=portal.id, slug=[slug, new_slug])
            guarding.keep(session, caller, portal.id, wanted)
    except IntegrityError:
        return PortalRefusal.SLUG_TAKEN
    return Done()


def delete(caller: Caller, slug: str) -> Done | PortalRefusal:
    """Delete a portal with its memberships, requests, invitations, datasets and their files; the last one stays.

    Nobody's login ends, and accounts stay.
    """
    with settled() as noted, transaction() as session:
        require(session, caller, Audience.OPERATORS, slug=slug, confirmed_within=_WITHIN)
        present = session.execute(select(Portal.slug, Portal.id).order_by(Portal.id).with_for_update()).all()
        portal_id = {row.slug: row.id for row in present}.get(slug)
        if portal_id is None:
            return PortalRefusal.UNKNOWN
        if len(present) == 1:
            return PortalRefusal.LAST
        files = select(Dataset.file_digest).where(Dataset.portal_id == portal_id, Dataset.file_digest.is_not(None))
        noted.update(session.scalars(files))
        request_rows.void_links(session, AccessRequest.portal_id == portal_id)
        invitation_rows.delete_open(session, Invitation.portal_id == portal_id)
        change(session, delete_from(Portal).where(Portal.id == portal_id))
        audit.record(session, caller, EventKind.PORTAL_DELETED, portal_id=portal_id, slug=slug)
    return Done()


def every() -> list[PortalListed]:
    """All portals, the first one first."""
    with reading() as session:
        return [_listed(portal) for portal in session.scalars(select(Portal).order_by(Portal.id))]


def enterable(account_id: int | None, *, operator: bool) -> list[PortalEnterable]:
    """The portals that somebody may enter, by name: public ones, those of their memberships, all for an operator."""
    mine = (Membership.portal_id == Portal.id) & (Membership.account_id == account_id)
    may = true() if operator else (Portal.visibility == Visibility.PUBLIC) | Membership.portal_id.is_not(None)
    theirs = select(Portal.id).outerjoin(Membership, mine).where(may)
    statement = theirs.add_columns(Portal.slug, Portal.name, Portal.visibility, Membership.role)
    with reading() as session:
        addresses = guarding.addresses_by_portal(session, GuardedAddress.portal_id.in_(theirs))
        found = session.execute(statement.order_by(Portal.name, Portal.id)).all()
    return [
        PortalEnterable(row.slug, row.name, row.visibility == Visibility.PUBLIC, row.role or "", addresses[row.id])
        for row in found
    ]


def _checked(name: str, slug: str) -> str | PortalRefusal:
    """The name as it is kept."""
    cleaned = clean_name(name, PORTAL_MAX)
    if cleaned is None:
        return PortalRefusal.BAD_NAME
    return cleaned if is_slug(slug) else PortalRefusal.BAD_SLUG


def _listed(portal: Portal) -> PortalListed:
    return PortalListed(portal.slug, portal.name, portal.visibility, portal.mfa_rule)
