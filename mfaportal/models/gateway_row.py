"""The one statement behind an answer of the gateway: whose pass this is, and everything that is guarded on its host.

It always gives one row. The addresses of a host are few and come as one text, for which of them a path belongs to is
decided by `rules.gateway`, which knows how many ways there are to read a path.
"""

from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import LargeBinary, String, and_, bindparam, cast, func, literal, select
from sqlalchemy.orm import aliased

from ..plumbing.prepared_row import PreparedRow
from .account import Account
from .guarded_address import BackOfficePath, GuardedAddress
from .identity_row import has_app, login_facts, member_since, operator_since
from .login import Login
from .login_pass import LoginPass
from .membership import Membership
from .portal import Portal

ROW, FIELD, PATH = "\n", "\t", "\x1f"
"""Between addresses, between what is said of one, and between its paths: none of them holds a control character."""


class GatewayRow(NamedTuple):
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
    has_app: bool
    member_since: int | None
    operator_since: int | None
    places: str | None


@cache
def prepared() -> PreparedRow:
    """The statement for a pass's digest (`token`) and a host."""
    return PreparedRow(_statement())


def _statement() -> Any:
    one = select(literal(1).label("one")).subquery()
    token, host = bindparam("token", None, LargeBinary), bindparam("host", None, String)
    return (
        select(
            *login_facts(),
            Account.id.label("account_id"),
            Account.email,
            Account.name.label("account_name"),
            Account.is_operator,
            Account.suspended_at,
            has_app().label("has_app"),
            member_since().label("member_since"),
            operator_since().label("operator_since"),
            _places(host).label("places"),
        )
        .select_from(one)
        .outerjoin(LoginPass, and_(LoginPass.token_digest == token, LoginPass.host == host))
        .outerjoin(Login, Login.id == LoginPass.login_id)
        .outerjoin(Account, Account.id == Login.account_id)
    )


def _places(host: Any) -> Any:
    """One line an address of the host: portal, scheme, prefix, visibility, the account's role, back-office paths."""
    mine = aliased(Membership)
    paths = (
        select(func.aggregate_strings(BackOfficePath.path, PATH))
        .where(BackOfficePath.portal_id == Portal.id)
        .scalar_subquery()
    )
    said = [
        cast(Portal.id, String),
        GuardedAddress.scheme,
        GuardedAddress.prefix,
        Portal.visibility,
        func.coalesce(mine.role, ""),
        func.coalesce(paths, ""),
    ]
    line = said[0]
    for what in said[1:]:
        line = line + FIELD + what
    return (
        select(func.aggregate_strings(line, ROW))
        .select_from(GuardedAddress)
        .join(Portal, Portal.id == GuardedAddress.portal_id)
        .outerjoin(mine, and_(mine.portal_id == Portal.id, mine.account_id == Account.id))
        .where(GuardedAddress.host == host)
        .correlate(Account)
        .scalar_subquery()
    )
