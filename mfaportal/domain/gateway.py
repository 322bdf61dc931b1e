"""What a reverse proxy is answered about a request: whose it is, and whether they may. Everything here only reads."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from ..models import GuardedAddress, Portal, SignUp
from ..models import pass_holder as holders
from ..models.pass_holder import PassHolder
from ..plumbing.db import reading
from ..rules.access import Audience, Decision, decide
from ..rules.gateway import Chosen, Forwarded, GuardedPlace, Malformed, Unknown, choose, read_forwarded
from ..rules.lifetimes import LoginLimits
from ..rules.roles import Role, is_member

_URL = re.compile(r"(https?)://([^/?#]+)([/?].*)?", re.ASCII)
_OF_PORTAL = (Portal.slug, Portal.name, Portal.sign_up, Portal.contact)


@dataclass(frozen=True, slots=True)
class Asked:
    """The answer. The identity is empty for strangers, and for people who have no place in the portal."""

    forwarded: Forwarded
    decision: Decision
    holder: PassHolder
    role: Role
    portal_id: int
    prefix: str
    """Of the address that the request lies under."""

    @property
    def member(self) -> bool:
        return is_member(self.role)


@dataclass(frozen=True, slots=True)
class PortalAt:
    """The portal that guards an address, as somebody sees it who may not open it."""

    id: int
    slug: str
    name: str
    takes_requests: bool
    contact: str


@dataclass(frozen=True, slots=True)
class Place:
    """A page of a guarded address."""

    portal: PortalAt
    forwarded: Forwarded
    prefix: str

    @property
    def origin(self) -> str:
        """Scheme and host."""
        return f"{self.forwarded.scheme}://{self.forwarded.host}"


def ask(
    forwarded: Forwarded, token_digest: bytes | None, *, now: datetime, limits: LoginLimits
) -> Asked | Unknown | Malformed:
    """Decide about the request that a proxy has forwarded: the portal's rules, and the same `decide` as for pages."""
    holder = holders.of_pass(token_digest, forwarded.host, now=now, limits=limits)
    chosen = choose(forwarded, [seen.place for seen in holder.places])
    if not isinstance(chosen, Chosen):
        return chosen
    role = next(seen.role for seen in holder.places if seen.place.portal_id == chosen.portal_id)
    audience = Audience.BACK_OFFICE if chosen.back_office else Audience.FRONT_OFFICE
    return Asked(forwarded, decide(audience, holder.stage, role), holder, role, chosen.portal_id, chosen.prefix)


def is_live(host: str, token_digest: bytes, *, now: datetime, limits: LoginLimits) -> bool:
    """Whether the pass with this digest opens `host`."""
    return holders.of_pass(token_digest, host, now=now, limits=limits).login_id is not None


def scheme_of(host: str) -> str | None:
    """The scheme of the addresses of this host; None where no portal guards one."""
    with reading() as session:
        return session.scalars(select(GuardedAddress.scheme).where(GuardedAddress.host == host).limit(1)).first()


def at(url: str) -> Place | None:
    """Where this URL leads, if a portal guards it; None where none does, or where it is not plain which."""
    found = _URL.fullmatch(url)
    forwarded = read_forwarded("GET", found[1], found[2], found[3] or "/") if found else None
    return place_of(forwarded) if isinstance(forwarded, Forwarded) else None


def place_of(forwarded: Forwarded) -> Place | None:
    """Which address a request lies under; None where nobody guards it, or where it is not plain which."""
    columns = GuardedAddress.portal_id, GuardedAddress.scheme, GuardedAddress.prefix
    statement = select(*columns, *_OF_PORTAL).join(Portal, Portal.id == GuardedAddress.portal_id)
    with reading() as session:
        rows = session.execute(statement.where(GuardedAddress.host == forwarded.host)).all()
    chosen = choose(forwarded, [GuardedPlace(row.portal_id, row.scheme, row.prefix, ()) for row in rows])
    if not isinstance(chosen, Chosen):
        return None
    row = next(row for row in rows if row.portal_id == chosen.portal_id)
    return Place(_portal(row.portal_id, row), forwarded, chosen.prefix)


def _portal(portal_id: int, row: Any) -> PortalAt:
    asks = row.sign_up in (SignUp.APPROVAL, SignUp.OPEN)
    return PortalAt(portal_id, row.slug, row.name, takes_requests=asks, contact=row.contact)
