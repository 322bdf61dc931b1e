"""Rows of what portals guard beside their own pages: kept with the portal, and read for those who may enter."""

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from ..models import BackOfficePath, EventKind, GuardedAddress, Portal
from ..plumbing.db import change, reading
from ..rules.gateway import Address
from ..rules.gateway_paths import Segments, folded_segments_of
from . import audit
from .caller import Caller
from .guard_lines import GuardRefusal, GuardWrong, Wanted


def refused(session: Session, wanted: Wanted, slug: str | None = None) -> GuardRefusal | None:
    """The first address that cannot be guarded because of another one. `slug`: the portal's own, where it has one.

    Holds the rows of all portals: of two portals that want one address at once, the second is told so.
    """
    if not wanted.addresses:
        return None
    session.execute(select(Portal.id).order_by(Portal.id).with_for_update()).all()
    hosts = {address.host for address in wanted.addresses}
    others = (
        select(GuardedAddress.host, GuardedAddress.prefix, Portal.name)
        .join(Portal, Portal.id == GuardedAddress.portal_id)
        .where(GuardedAddress.host.in_(hosts), Portal.slug != (slug or ""))
    )
    portals = {_alike(row.host, row.prefix): row.name for row in session.execute(others)}
    seen = set()
    for address, line in wanted.addresses.items():
        place = _alike(address.host, address.prefix)
        if place in portals:
            return GuardRefusal(GuardWrong.TAKEN, line, portals[place])
        if place in seen:
            return GuardRefusal(GuardWrong.ALIKE, line)
        seen.add(place)
    return None


def _alike(host: str, prefix: str) -> tuple[str, Segments]:
    """What no two addresses may have in common: whoever asked for one of them could mean either."""
    return host, folded_segments_of(prefix)


def keep(session: Session, caller: Caller, portal_id: int, wanted: Wanted) -> None:
    """Let a portal guard just what is wanted, and note it where that is a change. Nothing of it is another's."""
    before = addresses_of(session, portal_id), paths_of(session, portal_id)
    addresses = before[0] if wanted.addresses is None else _in_order(wanted.addresses)
    paths = before[1] if wanted.back_office_paths is None else sorted(wanted.back_office_paths)
    if (addresses, paths) == before:
        return
    for model in (GuardedAddress, BackOfficePath):
        change(session, delete(model).where(model.portal_id == portal_id))
    session.add_all(
        GuardedAddress(portal_id=portal_id, scheme=each.scheme, host=each.host, prefix=each.prefix)
        for each in addresses
    )
    session.add_all(BackOfficePath(portal_id=portal_id, path=path) for path in paths)
    audit.record(
        session,
        caller,
        EventKind.PORTAL_GUARDS,
        portal_id=portal_id,
        addresses=[str(address) for address in addresses],
        back_office_paths=paths,
    )


def addresses_of(session: Session, portal_id: int) -> list[Address]:
    """What a portal guards."""
    return addresses_by_portal(session, GuardedAddress.portal_id == portal_id)[portal_id]


def addresses_by_portal(session: Session, which: ColumnElement[bool]) -> dict[int, list[Address]]:
    """Guarded addresses by the numbers of their portals, an empty list for any other: one statement."""
    columns = GuardedAddress.portal_id, GuardedAddress.scheme, GuardedAddress.host, GuardedAddress.prefix
    found: dict[int, list[Address]] = defaultdict(list)
    for portal_id, *parts in session.execute(select(*columns).where(which)):
        found[portal_id].append(Address(*parts))
    return defaultdict(list, {portal_id: _in_order(addresses) for portal_id, addresses in found.items()})


def _in_order(addresses: Iterable[Address]) -> list[Address]:
    """Not the database's order: each collates in its own way, and a change is told by comparing."""
    return sorted(addresses, key=lambda address: (address.host, address.prefix))


def paths_of(session: Session, portal_id: int) -> list[str]:
    """The back-office paths of a portal, below each of its addresses."""
    statement = select(BackOfficePath.path).where(BackOfficePath.portal_id == portal_id)
    return sorted(session.scalars(statement))


def guarded_by(portal_id: int) -> list[Address]:
    """What a portal guards, for its front page."""
    with reading() as session:
        return addresses_of(session, portal_id)


def back_office_of(portal_id: int) -> list[str]:
    """The back-office paths of a portal, for the form in which they are changed."""
    with reading() as session:
        return paths_of(session, portal_id)
