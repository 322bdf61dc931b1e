"""The one statement behind an identity. It always gives one row, and every request runs it: see `PreparedRow`."""

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
    or_,
    select,
    true,
)
from sqlalchemy.orm import aliased

from ..plumbing.db import Instant
from ..plumbing.prepared_row import PreparedRow
from ..rules.roles import MemberRole
from .account import Account
from .authenticator import Authenticator
from .login import Login
from .membership import Membership, works_in_back_office
from .portal import Portal, covered_since
from .portal_count import OPEN_REQUESTS, PortalCount


class IdentityRow(NamedTuple):
    """What the statement selects, in its order; instants are numbers as they come from the driver."""

    login_id: int | None
    password_at: int
    second_factor_at: int | None
    confirmed_at: int | None
    last_seen_at: int | None
    ended_at: int | None
    recovered_at: int | None
    account_id: int
    email: str
    account_name: str
    is_operator: bool
    suspended_at: int | None
    portal_id: int | None
    slug: str
    portal_name: str
    visibility: str
    sign_up: str
    role: str | None
    has_app: bool
    member_since: int | None
    operator_since: int | None
    back_office: str | None
    portals: int
    installation: str | None
    contact: str | None
    open_requests: int


@cache
def prepared(*, by_slug: bool, by_id: bool) -> PreparedRow:
    """The statement for a portal's slug (else: the only portal there is) and a login's number (else: its token)."""
    return PreparedRow(_statement(by_slug=by_slug, by_id=by_id))


def _statement(*, by_slug: bool, by_id: bool) -> Any:
    one = select(literal(1).label("one")).subquery()
    here = aliased(Portal)
    count = select(func.count()).select_from(Portal).scalar_subquery()
    at_portal = here.slug == bindparam("slug", None, String) if by_slug else count == 1
    return (
        select(
            *login_facts(),
            Login.recovered_at,
            Account.id.label("account_id"),
            Account.email,
            Account.name.label("account_name"),
            Account.is_operator,
            Account.suspended_at,
            here.id.label("portal_id"),
            here.slug,
            here.name.label("portal_name"),
            here.visibility,
            here.sign_up,
            Membership.role,
            has_app().label("has_app"),
            member_since().label("member_since"),
            operator_since().label("operator_since"),
            _back_office().label("back_office"),
            count.label("portals"),
            _of_the_first(Portal.name).label("installation"),
            _contact(here).label("contact"),
            _open_requests(here).label("open_requests"),
        )
        .select_from(one)
        .outerjoin(Login, _is_login(by_id=by_id))
        .outerjoin(Account, Account.id == Login.account_id)
        .outerjoin(here, at_portal)
        .outerjoin(Membership, and_(Membership.portal_id == here.id, Membership.account_id == Account.id))
    )


def _is_login(*, by_id: bool) -> ColumnElement[bool]:
    if by_id:
        return Login.id == bindparam("login", None, BigInteger)
    return Login.token_digest == bindparam("token", None, LargeBinary)


def login_facts() -> tuple[Any, ...]:
    """What happened to a login, and when."""
    times = Login.password_at, Login.second_factor_at, Login.confirmed_at, Login.last_seen_at, Login.ended_at
    return (Login.id.label("login_id"), *times)


def has_app() -> Any:
    """Whether the account has an authenticator."""
    return select(Authenticator.id).where(Authenticator.account_id == Account.id).exists()


def member_since() -> Any:
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


def operator_since() -> Any:
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


def _contact(here: Any) -> Any:
    """Whom to ask at this portal, which may name nobody; on pages of none, at the first one."""
    return case((here.id.is_(None), _of_the_first(Portal.contact)), else_=here.contact)


def _of_the_first(column: Any) -> Any:
    """What the installation's first portal says."""
    return select(column).order_by(Portal.id).limit(1).scalar_subquery()


def _open_requests(here: Any) -> Any:
    """How many requests wait for somebody who may decide them; nobody else's statement looks."""
    waiting = (
        select(PortalCount.number)
        .where(PortalCount.portal_id == here.id, PortalCount.counted == OPEN_REQUESTS)
        .scalar_subquery()
    )
    decides = or_(Account.is_operator, Membership.role == MemberRole.ADMIN)
    return case((decides, func.coalesce(waiting, 0)), else_=literal(0))


def _only(slug: Any) -> ColumnElement[str | None]:
    return case((func.count() == 1, func.min(slug)), else_=null())
