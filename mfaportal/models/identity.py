"""Who is asking: login, account, portal of the URL, role, rules and menus, read by one statement (`identity_row`).

Every request makes these, so they are tuples with names: frozen dataclasses take three times as long.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from ..plumbing.clock import from_microseconds
from ..rules.lifetimes import RECOVERED, LoginLimits
from ..rules.roles import Role, role_in_portal
from ..rules.stages import LoginFacts, Stage, stage_of
from .gateway_row import GatewayRow
from .identity_row import IdentityRow, prepared
from .portal import SignUp, Visibility

ONLY_PORTAL = ""
"""In place of a slug: the installation's portal, where it has just one."""


class PortalSeen(NamedTuple):
    """The portal of the URL, as the gate and the pages need it."""

    id: int
    slug: str
    name: str
    public: bool
    takes_requests: bool
    """Whether somebody may ask here for access."""
    open_sign_up: bool = False
    """Whether its admins let in whoever confirms an address, as far as mail works."""


class AccountSeen(NamedTuple):
    """The account behind a login; Flask-Login's user at COMPLETE."""

    id: int
    email: str
    name: str
    is_operator: bool
    has_authenticator: bool
    covered_since: datetime | None
    """The oldest instant since which a rule covers the account."""

    @property
    def covered(self) -> bool:
        return self.covered_since is not None


class Identity(NamedTuple):
    """Everything that deciding about a request takes. `role` is the one in the URL's portal."""

    stage: Stage
    role: Role
    login_id: int | None
    account: AccountSeen | None
    portal: PortalSeen | None
    back_office_slug: str | None
    several_portals: bool
    confirmed_at: datetime | None
    recovered: bool
    """Let in by a recovery code half an hour ago at most, and no app added since: adding one asks for no step-up."""
    last_seen_at: datetime | None
    installation_name: str | None
    contact: str
    """Whom to ask where one can get no further, as admins put it; empty where they named nobody."""
    open_requests: int
    """How many access requests wait in this portal, for those who may decide them."""


def of_browser(*, token_digest: bytes | None, slug: str | None, now: datetime, limits: LoginLimits) -> Identity:
    """Who the bearer of a token is now, seen from the portal `slug` (None: from none). Outside any transaction."""
    row = prepared(by_slug=slug != ONLY_PORTAL, by_id=False).one({"token": token_digest, "slug": slug})
    return _identity(IdentityRow(*row), slug, now, limits)


def of_login(session: Session, login_id: int, *, slug: str | None, now: datetime, limits: LoginLimits) -> Identity:
    """The same for a login, asked inside an operation's transaction."""
    row = prepared(by_slug=slug != ONLY_PORTAL, by_id=True).one_in(session, {"login": login_id, "slug": slug})
    return _identity(IdentityRow(*row), slug, now, limits)


def _identity(row: IdentityRow, slug: str | None, now: datetime, limits: LoginLimits) -> Identity:
    facts = facts_of(row)
    stage = stage_of(facts, now, limits)
    known = facts is not None and stage is not Stage.ANONYMOUS
    whole = stage is Stage.COMPLETE
    portal = (
        None
        if row.portal_id is None
        else PortalSeen(
            row.portal_id,
            row.slug,
            row.portal_name,
            public=row.visibility == Visibility.PUBLIC,
            takes_requests=row.sign_up in (SignUp.APPROVAL, SignUp.OPEN),
            open_sign_up=row.sign_up == SignUp.OPEN,
        )
    )
    return Identity(
        stage=stage,
        role=role_in_portal(
            operator=whole and bool(row.is_operator),
            member=row.role if whole else None,
            public=portal.public if portal else slug == ONLY_PORTAL,  # several: their list is for everybody
        ),
        login_id=row.login_id if known else None,
        account=_account(row, facts) if known and facts else None,
        portal=portal,
        back_office_slug=row.back_office if whole else None,
        confirmed_at=_instant(row.confirmed_at),
        recovered=whole and row.recovered_at is not None and now - from_microseconds(row.recovered_at) <= RECOVERED,
        last_seen_at=_instant(row.last_seen_at),
        installation_name=row.installation,
        contact=row.contact or "",
        open_requests=row.open_requests if whole else 0,
        several_portals=row.portals > 1,
    )


def _instant(number: int | None) -> datetime | None:
    return None if number is None else from_microseconds(number)


def facts_of(row: IdentityRow | GatewayRow) -> LoginFacts | None:
    """What the row says of a login; None where it is nobody's."""
    if row.login_id is None:
        return None
    since = [number for number in (row.member_since, row.operator_since) if number is not None]
    return LoginFacts(
        password_at=from_microseconds(row.password_at),
        second_factor_at=_instant(row.second_factor_at),
        last_seen_at=from_microseconds(row.last_seen_at or 0),
        ended_at=_instant(row.ended_at),
        suspended_at=_instant(row.suspended_at),
        has_authenticator=bool(row.has_app),
        required_since=_instant(min(since, default=None)),
        confirmed_at=_instant(row.confirmed_at),
    )


def _account(row: IdentityRow, facts: LoginFacts) -> AccountSeen:
    return AccountSeen(
        id=row.account_id,
        email=row.email,
        name=row.account_name,
        is_operator=bool(row.is_operator),
        has_authenticator=facts.has_authenticator,
        covered_since=facts.required_since,
    )
