"""Who comes to a guarded host with a pass, and what is guarded there, read by one statement (`gateway_row`)."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from ..plumbing.clock import from_microseconds
from ..rules.gateway import GuardedPlace
from ..rules.lifetimes import LoginLimits
from ..rules.roles import Role, role_in_portal
from ..rules.stages import CLOCKS_APART, Stage, stage_of
from .gateway_row import FIELD, PATH, ROW, GatewayRow, prepared
from .identity import facts_of
from .portal import Visibility


@dataclass(frozen=True, slots=True)
class PlaceSeen:
    """A guarded address of the host, and what the holder counts as in its portal."""

    place: GuardedPlace
    role: Role


@dataclass(frozen=True, slots=True)
class PassHolder:
    """`login_id`, `email` and `name` of somebody whose log-in is whole; anybody else has none of them."""

    stage: Stage
    login_id: int | None
    account_id: int | None
    last_seen_at: datetime | None
    email: str
    name: str
    places: tuple[PlaceSeen, ...]


def of_pass(token_digest: bytes | None, host: str, *, now: datetime, limits: LoginLimits) -> PassHolder:
    """Who holds the pass with this digest for `host` now. Outside any transaction.

    Half logged in is a stranger here: the steps of a log-in are taken on the portal's own host.
    """
    row = GatewayRow(*prepared().one({"token": token_digest, "host": host}))
    stage = stage_of(facts_of(row), now, limits)
    # A cookie that was signed while the clock was ahead is not believed; a pass has no time but its login's.
    ahead = row.login_id is not None and from_microseconds(row.password_at) > now + CLOCKS_APART
    whole = stage is Stage.COMPLETE and not ahead
    return PassHolder(
        stage=Stage.COMPLETE if whole else Stage.ANONYMOUS,
        login_id=row.login_id if whole else None,
        account_id=row.account_id if whole else None,
        last_seen_at=from_microseconds(row.last_seen_at) if whole and row.last_seen_at else None,
        email=row.email if whole else "",
        name=row.account_name if whole else "",
        places=_places(row.places, whole=whole, operator=whole and bool(row.is_operator)),
    )


@lru_cache(maxsize=256)
def _places(lines: str | None, *, whole: bool, operator: bool) -> tuple[PlaceSeen, ...]:
    return tuple(_place(line, whole=whole, operator=operator) for line in lines.split(ROW)) if lines else ()


def _place(line: str, *, whole: bool, operator: bool) -> PlaceSeen:
    portal_id, scheme, prefix, visibility, member, paths = line.split(FIELD)
    role = role_in_portal(operator=operator, member=member if whole else None, public=visibility == Visibility.PUBLIC)
    held = tuple(paths.split(PATH)) if paths else ()
    return PlaceSeen(GuardedPlace(int(portal_id), scheme, prefix, held), role)
