"""Whom a portal's own MFA rule covers, and how many of them have set up: by role, in one statement."""

from dataclasses import dataclass

from sqlalchemy import select

from ..models import Portal, PortalCount
from ..plumbing.db import reading
from ..rules.mfa_rule import RuleInForce
from .member_places import COUNT_AS, kinds_under


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
    """The covered people of a portal, operators included, by role from reader to operator: their kept counts.

    Suspended people are counted too: the rule covers them again the moment they are restored.
    """
    statement = (
        select(
            PortalCount.counted,
            PortalCount.number,
            PortalCount.set_up,
            Portal.mfa_rule,
            Portal.back_office_since,
            Portal.everyone_since,
        )
        .join(Portal, Portal.id == PortalCount.portal_id)
        .where(PortalCount.portal_id == portal_id, PortalCount.counted.in_(COUNT_AS), PortalCount.number > 0)
    )
    with reading() as session:
        found = session.execute(statement).all()
    covered = [RoleCovered(row[0], row[1], row[2]) for row in found if row[0] in kinds_under(RuleInForce(*row[3:]))]
    return PortalCovered(sorted(covered, key=lambda each: COUNT_AS.index(each.role)))
