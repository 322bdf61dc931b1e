"""Who is asking: login, account, portal of the URL, role, rules and menus, in one statement that gives one row."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    LargeBinary,
    String,
    and_,
    bindparam,
    case,
    func,
    literal,
    null,
    select,
    true,
)
from sqlalchemy.orm import Session, aliased

from ..plumbing.clock import from_microseconds
from ..plumbing.db import Instant, PreparedRow
from ..rules.lifetimes import LoginLimits
from ..rules.roles import Role, role_in_portal
from ..rules.stages import LoginFacts, Stage, stage_of
from .account import Account
from .authenticator import Authenticator
from .login import Login
from .membership import Membership, works_in_back_office
from .portal import Portal, Visibility, covered_since

ONLY_PORTAL = ""
"""In place of a slug: the installation's portal, where it has just one."""


@dataclass(frozen=True, slots=True)
class PortalSeen:
    """The portal of the URL, as the gate and the pages need it."""

    id: int
    slug: str
    name: str
    public: bool


@dataclass(frozen=True, slots=True)
class AccountSeen:
    """The account behind a login; Flask-Login's user at COMPLETE."""

    id: int
    email: str
    name: str
    is_operator: bool
    has_authenticator: bool
    covered: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """Everything that deciding about a request takes. `role` is the one in the URL's portal."""

    stage: Stage
    role: Role
    login_id: int | None
    account: AccountSeen | None
    portal: PortalSeen | None
    back_office_slug: str | None
    several_portals: bool
    confirmed_at: datetime | None
    last_seen_at: datetime | None
    installation_name: str | None


def of_browser(*, token_digest: bytes | None, slug: str | None, now: datetime, limits: LoginLimits) -> Identity:
    """Who the bearer of a token is now, seen from the portal `slug` (None: from none). Outside any transaction."""
    prepared = _prepared(by_slug=slug != ONLY_PORTAL, by_id=False)
    row = prepared.one({"token": token_digest, "slug": slug})
    return _identity(_Row(*row), slug, now, limits)


def of_login(session: Session, login_id: int, *, slug: str | None, now: datetime, limits: LoginLimits) -> Identity:
    """The same for a login, asked inside an operation's transaction."""
    prepared = _prepared(by_slug=slug != ONLY_PORTAL, by_id=True)
    row = prepared.one_in(session, {"login": login_id, "slug": slug})
    return _identity(_Row(*row), slug, now, limits)


class _Row(NamedTuple):
    """What the statement selects, in its order; instants are numbers as they come from the driver."""

    login_id: int | None
    password_at: int
    second_factor_at: int | None
    confirmed_at: int | None
    last_seen_at: int | None
    ended_at: int | None
    account_id: int
    email: str
    account_name: str
    is_operator: bool
    suspended_at: int | None
    portal_id: int | None
    slug: str
    portal_name: str
    visibility: str
    role: str | None
    has_app: bool
    member_since: int | None
    operator_since: int | None
    back_office: str | None
    portals: int
    installation: str | None


def _identity(row: _Row, slug: str | None, now: datetime, limits: LoginLimits) -> Identity:
    facts = _facts(row)
    stage = stage_of(facts, now, limits)
    known = facts is not None and stage is not Stage.ANONYMOUS
    whole = stage is Stage.COMPLETE
    portal = (
        None
        if row.portal_id is None
        else PortalSeen(row.portal_id, row.slug, row.portal_name, row.visibility == Visibility.PUBLIC)
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
        last_seen_at=_instant(row.last_seen_at),
        installation_name=row.installation,
        several_portals=row.portals > 1,
    )


def _instant(number: int | None) -> datetime | None:
    return None if number is None else from_microseconds(number)


def _facts(row: _Row) -> LoginFacts | None:
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
    )


def _account(row: _Row, facts: LoginFacts) -> AccountSeen:
    return AccountSeen(
        id=row.account_id,
        email=row.email,
        name=row.account_name,
        is_operator=bool(row.is_operator),
        has_authenticator=facts.has_authenticator,
        covered=facts.required_since is not None,
    )


@cache
def _prepared(*, by_slug: bool, by_id: bool) -> PreparedRow:
    return PreparedRow(_statement(by_slug=by_slug, by_id=by_id))


def _statement(*, by_slug: bool, by_id: bool) -> Any:
    one = select(literal(1).label("one")).subquery()
    here = aliased(Portal)
    count = select(func.count()).select_from(Portal).scalar_subquery()
    at_portal = here.slug == bindparam("slug", None, String) if by_slug else count == 1
    is_login = (
        Login.id == bindparam("login", None, BigInteger)
        if by_id
        else Login.token_digest == bindparam("token", None, LargeBinary)
    )
    return (
        select(
            Login.id.label("login_id"),
            Login.password_at,
            Login.second_factor_at,
            Login.confirmed_at,
            Login.last_seen_at,
            Login.ended_at,
            Account.id.label("account_id"),
            Account.email,
            Account.name.label("account_name"),
            Account.is_operator,
            Account.suspended_at,
            here.id.label("portal_id"),
            here.slug,
            here.name.label("portal_name"),
            here.visibility,
            Membership.role,
            select(Authenticator.id).where(Authenticator.account_id == Account.id).exists().label("has_app"),
            _member_since().label("member_since"),
            _operator_since().label("operator_since"),
            _back_office().label("back_office"),
            count.label("portals"),
            select(Portal.name).order_by(Portal.id).limit(1).scalar_subquery().label("installation"),
        )
        .select_from(one)
        .outerjoin(Login, is_login)
        .outerjoin(Account, Account.id == Login.account_id)
        .outerjoin(here, at_portal)
        .outerjoin(Membership, and_(Membership.portal_id == here.id, Membership.account_id == Account.id))
    )


def _member_since() -> Any:
    """The oldest instant since which a portal that the account is a member of covers it."""
    mine, portal = aliased(Membership), aliased(Portal)
    since = covered_since(portal, works_in_back_office(mine.role))
    return (
        select(func.min(since, type_=Instant()))
        .select_from(mine)
        .join(portal, portal.id == mine.portal_id)
        .where(mine.account_id == Account.id)
        .scalar_subquery()
    )


def _operator_since() -> Any:
    """Operators are covered by any portal's rule, as somebody with a back office."""
    portal = aliased(Portal)
    since = select(func.min(covered_since(portal, true()), type_=Instant())).select_from(portal).scalar_subquery()
    return case((Account.is_operator, since), else_=null())


def _back_office() -> Any:
    """The slug of the one back office that the account has; NULL where it has none or several."""
    mine, portal, every = aliased(Membership), aliased(Portal), aliased(Portal)
    of_member = (
        select(_only(portal.slug))
        .select_from(mine)
        .join(portal, portal.id == mine.portal_id)
        .where(mine.account_id == Account.id, works_in_back_office(mine.role))
        .scalar_subquery()
    )
    of_operator = select(_only(every.slug)).select_from(every).scalar_subquery()
    return case((Account.is_operator, of_operator), else_=of_member)


def _only(slug: Any) -> ColumnElement[str | None]:
    return case((func.count() == 1, func.min(slug)), else_=null())
