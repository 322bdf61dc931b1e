"""The MFA rule of a portal: whom it covers, since when, and how a change moves the instants."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from .roles import Role, has_back_office

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class MfaRule(StrEnum):
    OFF = "off"
    BACK_OFFICE = "back_office"
    EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class RuleInForce:
    """A rule as a portal keeps it. An empty instant of a rule that is in force reads as the beginning of time."""

    rule: str
    back_office_since: datetime | None
    everyone_since: datetime | None

    def covered_since(self, role: Role) -> datetime | None:
        """Since when somebody of this role is covered, None where not at all. An unreadable rule covers everyone."""
        back_office = self.back_office_since or BEGINNING
        everyone = self.everyone_since or BEGINNING
        match self.rule:
            case MfaRule.OFF:
                return None
            case MfaRule.BACK_OFFICE:
                return back_office if has_back_office(role) else None
            case MfaRule.EVERYONE:
                older = self.back_office_since if has_back_office(role) else None
                return min(everyone, older) if older else everyone
            case _:
                return BEGINNING

    def covers(self, role: Role) -> bool:
        return self.covered_since(role) is not None


def changed(current: RuleInForce, wanted: MfaRule, now: datetime, *, apply_now: bool) -> RuleInForce:
    """The rule after an admin chose `wanted`.

    Those covered before keep their older instant, so tightening or loosening lets nobody off; choosing the rule
    that is in force moves nothing. "Apply now" sets the instants to the beginning, so logins that live are asked too.
    """
    if wanted == MfaRule.OFF:
        return RuleInForce(MfaRule.OFF, None, None)
    back_office = BEGINNING if apply_now else current.covered_since(Role.EDITOR) or now
    if wanted == MfaRule.BACK_OFFICE:
        return RuleInForce(wanted, back_office, None)
    everyone = BEGINNING if apply_now else current.covered_since(Role.READER) or now
    return RuleInForce(wanted, min(back_office, everyone), everyone)
