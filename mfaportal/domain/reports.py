"""Lists for the command line: every account with its memberships, and whom the rules cover. One statement each."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import or_, select, true

from ..models import Account, Authenticator, Membership, Portal
from ..models.membership import works_in_back_office
from ..models.portal import covered_since
from ..plumbing.db import reading


@dataclass(frozen=True, slots=True)
class MembershipListed:
    portal: str
    role: str


@dataclass(frozen=True, slots=True)
class AccountListed:
    email: str
    name: str
    is_operator: bool
    suspended: bool
    set_up: bool
    confirmed: bool
    memberships: tuple[MembershipListed, ...]


@dataclass(frozen=True, slots=True)
class Covered:
    """Somebody in a portal: the role there (`operator` for one who is no member), covered or not, set up or not."""

    email: str
    portal: str
    role: str
    covered: bool
    set_up: bool


_SET_UP = select(Authenticator.id).where(Authenticator.account_id == Account.id).exists().label("set_up")


def accounts() -> list[AccountListed]:
    """All accounts by e-mail, each with its memberships."""
    statement = (
        select(
            Account.id,
            Account.email,
            Account.name,
            Account.is_operator,
            Account.suspended_at,
            Account.email_confirmed_at,
            _SET_UP,
            Portal.slug,
            Membership.role,
        )
        .outerjoin(Membership, Membership.account_id == Account.id)
        .outerjoin(Portal, Portal.id == Membership.portal_id)
        .order_by(Account.email, Portal.slug)
    )
    with reading() as session:
        rows = session.execute(statement).all()
    return [_account(list(group)) for _id, group in groupby(rows, key=lambda row: row.id)]


def _account(rows: list[Any]) -> AccountListed:
    first = rows[0]
    memberships = tuple(MembershipListed(row.slug, row.role) for row in rows if row.slug is not None)
    return AccountListed(
        first.email,
        first.name,
        first.is_operator,
        first.suspended_at is not None,
        bool(first.set_up),
        first.email_confirmed_at is not None,
        memberships,
    )


def coverage(slug: str | None = None) -> Iterator[Covered]:
    """Everybody in the portals (or in one), operators included, who are covered by any portal's rule."""
    works = or_(Account.is_operator, works_in_back_office(Membership.role))
    statement = (
        select(
            Account.email,
            Portal.slug,
            Membership.role,
            covered_since(Portal, works).is_not(None).label("covered"),
            _SET_UP,
        )
        .select_from(Account)
        .join(Portal, true() if slug is None else Portal.slug == slug)
        .outerjoin(Membership, (Membership.account_id == Account.id) & (Membership.portal_id == Portal.id))
        .where(or_(Account.is_operator, Membership.portal_id.is_not(None)))
        .order_by(Portal.slug, Account.email)
    )
    with reading() as session:
        for row in session.execute(statement):
            yield Covered(row.email, row.slug, row.role or "operator", bool(row.covered), bool(row.set_up))
