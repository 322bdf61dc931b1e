"""Access > Security: who may see a portal, and whom its MFA rule covers, with the people behind each choice."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import EventKind, MailJobKind, Portal, PortalCount, Visibility
from ..plumbing.db import reading, transaction
from ..rules.access import Audience
from ..rules.lifetimes import STEP_UP, STEP_UP_GRACE
from ..rules.mfa_rule import MfaRule, RuleInForce, changed
from ..rules.roles import MemberRole, Role
from . import audit, notices
from .authority import require
from .caller import Caller
from .member_places import COUNT_AS, OPERATORS
from .outcomes import Done, PortalRefusal, RuleRefusal


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many people a choice covers, and how many of them have no app."""

    people: int
    without_app: int

    @property
    def with_app(self) -> int:
        return self.people - self.without_app


@dataclass(frozen=True, slots=True)
class AccessSecurity:
    """What the page shows. An unreadable rule shows as everyone, which is how it counts."""

    visibility: Visibility
    rule: MfaRule
    back_office: Coverage
    everyone: Coverage


def look(slug: str) -> AccessSecurity | None:
    """The portal's present choices and the people behind each: two statements, however many people."""
    with reading() as session:
        portal = session.scalars(select(Portal).where(Portal.slug == slug)).one_or_none()
        if portal is None:
            return None
        back_office, everyone = _coverage(session, portal.id)
        rule = MfaRule(portal.mfa_rule) if portal.mfa_rule in list(MfaRule) else MfaRule.EVERYONE
        visibility = Visibility.PUBLIC if portal.visibility == Visibility.PUBLIC else Visibility.PRIVATE
        return AccessSecurity(visibility, rule, back_office, everyone)


def _coverage(session: Session, portal_id: int) -> tuple[Coverage, Coverage]:
    """Suspended people are counted too: the rule covers them again the moment they are restored."""
    counts = select(PortalCount.counted, PortalCount.number, PortalCount.set_up).where(
        PortalCount.portal_id == portal_id, PortalCount.counted.in_(COUNT_AS)
    )
    people, without_app = Counter[str](), Counter[str]()
    for counted, number, set_up in session.execute(counts):
        people[counted], without_app[counted] = number, number - set_up
    back_office = (MemberRole.EDITOR, MemberRole.ADMIN, OPERATORS)
    return (
        Coverage(sum(people[kind] for kind in back_office), sum(without_app[kind] for kind in back_office)),
        Coverage(people.total(), without_app.total()),
    )


def change(
    caller: Caller, slug: str, *, visibility: Visibility | None, rule: MfaRule, apply_now: bool
) -> Done | RuleRefusal | PortalRefusal:
    """Set who may see the portal (None: as now) and whom the rule covers; saving without a change moves nothing."""
    with transaction() as session:
        identity = require(session, caller, Audience.ADMINS, slug=slug, confirmed_within=STEP_UP + STEP_UP_GRACE)
        portal = session.scalars(select(Portal).where(Portal.slug == slug).with_for_update()).one_or_none()
        if portal is None:
            return PortalRefusal.UNKNOWN
        seen_by = portal.visibility if visibility is None else visibility
        new_rule = changed(portal.rule, rule, caller.now, apply_now=apply_now)
        if apply_now and identity is not None and identity.account is not None:
            role = Role.OPERATOR if identity.account.is_operator else identity.role
            if new_rule.covers(role) and not identity.account.has_authenticator:
                return RuleRefusal.WOULD_COVER_YOU
        if portal.rule == new_rule and portal.visibility == seen_by:
            return Done()
        audit.record(
            session,
            caller,
            EventKind.PORTAL_ACCESS_CHANGED,
            portal_id=portal.id,
            rule=[portal.mfa_rule, rule],
            visibility=[portal.visibility, seen_by],
            apply_now=apply_now,
        )
        if _covers_more(portal.rule, new_rule):
            facts = {"portal_id": portal.id, "before": portal.mfa_rule, "apply_now": apply_now}
            notices.queue(session, caller, MailJobKind.RULE_RAISED, **facts)
        portal.rule, portal.visibility = new_rule, seen_by
    return Done()


def _covers_more(before: RuleInForce, after: RuleInForce) -> bool:
    """Whether there may be people whom only the new rule covers: they are mailed."""
    return any(after.covers(role) and not before.covers(role) for role in (Role.READER, Role.EDITOR))
