"""Whom a portal's own MFA rule covers, and how many of them have set up: counted by role, in one statement."""

from dataclasses import dataclass

from sqlalchemy import case, func, or_, select

from ..models import Account, Authenticator, Membership, Portal
from ..models.membership import works_in_back_office
from ..models.portal import covered_since
from ..plumbing.db import reading
from ..rules.roles import MemberRole
from .member_list import OPERATORS

_UNREADABLE = "none"
"""A membership whose role cannot be read: it gives nothing, and a rule for all users covers it still."""
_ROLES = (*MemberRole, OPERATORS, _UNREADABLE)


@dataclass(frozen=True, slots=True)
class RoleCovered:
    """Those of one role whom the rule covers. Operators are one, whatever their membership."""

    role: str
    people: int
    set_up: int


@dataclass(frozen=True, slots=True)
class PortalCovered:
    """Nobody is covered where no rule is in force."""

    roles: list[RoleCovered]

    @property
    def people(self) -> int:
        return sum(each.people for each in self.roles)

    @property
    def missing(self) -> int:
        return self.people - sum(each.set_up for each in self.roles)


def of_portal(portal_id: int) -> PortalCovered:
    """The covered people of a portal, operators included, by role from reader to operator.

    Suspended people are counted too: the rule covers them again the moment they are restored.
    """
    known = Membership.role.in_(MemberRole)
    role = case((Account.is_operator, OPERATORS), (known, Membership.role), else_=_UNREADABLE)
    works = or_(Account.is_operator, works_in_back_office(Membership.role))
    set_up = select(Authenticator.id).where(Authenticator.account_id == Account.id).exists()
    statement = (
        select(role.label("role"), func.count().label("people"), func.sum(case((set_up, 1), else_=0)).label("set_up"))
        .select_from(Account)
        .join(Portal, Portal.id == portal_id)
        .outerjoin(Membership, (Membership.account_id == Account.id) & (Membership.portal_id == Portal.id))
        .where(or_(Account.is_operator, Membership.portal_id.is_not(None)), covered_since(Portal, works).is_not(None))
        .group_by(role)
    )
    with reading() as session:
        found = [RoleCovered(row.role, row.people, row.set_up) for row in session.execute(statement)]
    return PortalCovered(sorted(found, key=lambda each: _ROLES.index(each.role)))
