"""Access > Users: the people of a portal, listed by key, looked at, given another role, removed."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, exists, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from ..models import Account, Authenticator, EventKind, Membership, Portal
from ..models.membership import works_in_back_office
from ..models.portal import covered_since
from ..plumbing.db import reading, transaction
from ..rules.access import Audience
from ..rules.lifetimes import STEP_UP, STEP_UP_GRACE
from ..rules.names import key_of
from ..rules.roles import MemberRole, Role
from . import audit, login_rows
from .authority import require
from .caller import Caller
from .outcomes import AccountRefusal, Done

PAGE = 50
_QUERY_MAX = 100
_WITHIN = STEP_UP + STEP_UP_GRACE


class MfaFilter(StrEnum):
    """What to list by; an empty filter lists all."""

    SET_UP = "set_up"
    NOT_SET_UP = "not_set_up"
    MISSING = "missing"
    """Covered by the portal's rule and not set up."""


@dataclass(frozen=True, slots=True)
class Member:
    """One line of the list. `role` is None for an operator who is no member."""

    id: int
    name: str
    email: str
    role: MemberRole | None
    is_operator: bool
    suspended: bool
    apps: int
    covered: bool
    last_login_at: datetime | None


@dataclass(frozen=True, slots=True)
class MembersPage:
    members: list[Member]
    next_after: int | None


@dataclass(frozen=True, slots=True)
class MembersQuery:
    """Search text (part of a name or an e-mail), filters, and the member after whom the page begins."""

    text: str = ""
    role: MemberRole | None = None
    mfa: MfaFilter | None = None
    after: int | None = None


def page(portal_id: int, query: MembersQuery) -> MembersPage:
    """One page, by name: one statement, however many people there are."""
    statement = _members(portal_id).order_by(Account.name_key, Account.id).limit(PAGE + 1)
    statement = _filtered(statement, portal_id, query)
    with reading() as session:
        found = [_member(row) for row in session.execute(statement)]
    more = len(found) > PAGE
    return MembersPage(found[:PAGE], found[PAGE - 1].id if more else None)


def one(portal_id: int, account_id: int) -> Member | None:
    """The member with this number, None for anybody else's."""
    with reading() as session:
        row = session.execute(_members(portal_id).where(Account.id == account_id)).one_or_none()
        return None if row is None else _member(row)


def _members(portal_id: int) -> Select[Any]:
    """Members, and the operators, who count as admins of every portal."""
    apps = select(func.count()).where(Authenticator.account_id == Account.id).scalar_subquery()
    works = or_(Account.is_operator, works_in_back_office(Membership.role))
    return (
        select(
            Account.id,
            Account.name,
            Account.email,
            Membership.role,
            Account.is_operator,
            Account.suspended_at,
            apps.label("apps"),
            covered_since(Portal, works).is_not(None).label("covered"),
            Account.last_login_at,
        )
        .select_from(Account)
        .join(Portal, Portal.id == portal_id)
        .outerjoin(Membership, (Membership.account_id == Account.id) & (Membership.portal_id == portal_id))
        .where(or_(Account.is_operator, Membership.portal_id.is_not(None)))
    )


def _filtered(statement: Select[Any], portal_id: int, query: MembersQuery) -> Select[Any]:
    set_up = exists().where(Authenticator.account_id == Account.id)
    works = or_(Account.is_operator, works_in_back_office(Membership.role))
    if query.text:
        text = query.text[:_QUERY_MAX]
        statement = statement.where(
            Account.name_key.contains(key_of(text), autoescape=True)
            | Account.email.contains(text.lower(), autoescape=True)
        )
    if query.role is not None:
        statement = statement.where(Membership.role == query.role)
    match query.mfa:
        case MfaFilter.SET_UP:
            statement = statement.where(set_up)
        case MfaFilter.NOT_SET_UP:
            statement = statement.where(~set_up)
        case MfaFilter.MISSING:
            statement = statement.where(~set_up, covered_since(Portal, works).is_not(None))
    if query.after is not None:
        before = _name_key_of(portal_id, query.after)
        statement = statement.where(tuple_(Account.name_key, Account.id) > tuple_(before, literal(query.after)))
    return statement


def _name_key_of(portal_id: int, account_id: int) -> Any:
    """Where somebody of this list stands in it. Nobody else's place is told: after them comes the first page."""
    who, here = aliased(Account), aliased(Membership)
    member = exists().where(here.account_id == who.id, here.portal_id == portal_id)
    found = select(who.name_key).where(who.id == account_id, or_(who.is_operator, member)).scalar_subquery()
    return func.coalesce(found, "")


def _member(row: Any) -> Member:
    role = MemberRole(row.role) if row.role in list(MemberRole) else None
    return Member(
        row.id,
        row.name,
        row.email,
        role,
        row.is_operator,
        row.suspended_at is not None,
        row.apps,
        bool(row.covered),
        row.last_login_at,
    )


def change_role(caller: Caller, slug: str, account_id: int, role: MemberRole) -> Done | AccountRefusal:
    """Give a member another role; ends their other logins. A portal's last admin is for operators only."""
    with transaction() as session:
        found = _membership(session, caller, slug, account_id)
        if isinstance(found, AccountRefusal):
            return found
        if found.role == role:
            return AccountRefusal.NO_CHANGE
        audit.record(
            session,
            caller,
            EventKind.ROLE_CHANGED,
            account_id=account_id,
            portal_id=found.portal_id,
            role=[found.role, role],
        )
        found.role = role
        _end_logins(session, caller, account_id)
    return Done()


def remove(caller: Caller, slug: str, account_id: int) -> Done | AccountRefusal:
    """Take somebody out of the portal; the account stays. Ends their other logins."""
    with transaction() as session:
        found = _membership(session, caller, slug, account_id)
        if isinstance(found, AccountRefusal):
            return found
        audit.record(session, caller, EventKind.MEMBER_REMOVED, account_id=account_id, portal_id=found.portal_id)
        session.delete(found)
        _end_logins(session, caller, account_id)
    return Done()


def add(caller: Caller, slug: str, account_id: int, role: MemberRole) -> Done | AccountRefusal:
    """Make somebody a member, or change the role of one (command line)."""
    with transaction() as session:
        require(session, caller, Audience.OPERATORS, confirmed_within=_WITHIN)
        portal_id = session.scalar(select(Portal.id).where(Portal.slug == slug))
        if portal_id is None:
            return AccountRefusal.UNKNOWN_PORTAL
        found = session.get(Membership, (account_id, portal_id))
        if found is not None and found.role == role:
            return AccountRefusal.NO_CHANGE
        about = {"account_id": account_id, "portal_id": portal_id}
        if found is None:
            session.add(Membership(**about, role=role, since=caller.now))
            audit.record(session, caller, EventKind.MEMBER_ADDED, **about, role=role)
        else:
            audit.record(session, caller, EventKind.ROLE_CHANGED, **about, role=[found.role, role])
            found.role = role
        _end_logins(session, caller, account_id)
    return Done()


def _membership(session: Session, caller: Caller, slug: str, account_id: int) -> Membership | AccountRefusal:
    """The membership that an admin wants to change, all admins of the portal locked until the end."""
    identity = require(session, caller, Audience.ADMINS, slug=slug, confirmed_within=_WITHIN)
    portal_id = session.scalar(select(Portal.id).where(Portal.slug == slug))
    if portal_id is None:
        return AccountRefusal.UNKNOWN_PORTAL
    admins = session.scalars(
        select(Membership)
        .where(Membership.portal_id == portal_id, Membership.role == MemberRole.ADMIN)
        .with_for_update()
    ).all()
    found = session.get(Membership, (account_id, portal_id))
    if found is None:
        return AccountRefusal.UNKNOWN
    by_operator = identity is None or identity.role is Role.OPERATOR
    if not by_operator and [admin.account_id for admin in admins] == [account_id]:
        return AccountRefusal.LAST_ADMIN
    return found


def _end_logins(session: Session, caller: Caller, account_id: int) -> None:
    """A change of role is met at the next log-in; whoever changes their own stays in this browser."""
    but = caller.login_id if account_id == caller.account_id else None
    login_rows.end_of_account(session, caller, account_id, but=but)
