"""What the portal promises, once more and in few lines: who is in, which codes are good. Written from design.md.

It knows no throttles: a pause may refuse anything, and the machine takes that for "nothing happened".
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from tests.people import Person
from tests.phone import Phone

ANONYMOUS, CODE, SET_UP, WHOLE = "anonymous", "code", "set-up", "whole"
EVER = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBERS = count(1)


@dataclass
class App:
    """An app that is proven. `step` is the last that was taken, `given_away` one that a wrong answer told of."""

    phone: Phone
    name: str
    step: int
    given_away: int = -1


@dataclass
class Human:
    """An account and whoever it belongs to."""

    person: Person
    member: str | None
    """The role in the portal, if any."""
    password: str | None
    operator: bool = False
    apps: list[App] = field(default_factory=list)
    codes: set[str] = field(default_factory=set)
    used_codes: set[str] = field(default_factory=set)
    old_codes: list[str] = field(default_factory=list)
    suspended: bool = False
    wrong: list[datetime] = field(default_factory=list)
    """When codes were wrong at log-in, since one was right."""

    @property
    def role(self) -> str:
        return "operator" if self.operator else self.member or "nobody"


@dataclass
class Session:
    """One login, by its facts."""

    human: Human
    password_at: datetime
    seen_at: datetime
    second_factor_at: datetime | None = None
    confirmed_at: datetime | None = None
    recovered: bool = False
    key: str = ""
    key_at: datetime = EVER
    number: int = field(default_factory=lambda: next(_NUMBERS))


@dataclass
class Rule:
    """Whom the portal's rule covers, and since when."""

    covers: str = "off"
    back_office_since: datetime = EVER
    everyone_since: datetime = EVER

    def since(self, role: str) -> datetime | None:
        at_desk = role != "reader"
        if self.covers == "off" or (self.covers == "back_office" and not at_desk):
            return None
        if self.covers == "back_office":
            return self.back_office_since
        return min(self.back_office_since, self.everyone_since) if at_desk else self.everyone_since

    def becomes(self, covers: str, now: datetime, *, apply_now: bool) -> "Rule":
        """Who was covered before stays so since then; "apply now" means since ever."""
        desk = EVER if apply_now else self.since("editor") or now
        everyone = EVER if apply_now else self.since("reader") or now
        return Rule(covers, min(desk, everyone) if covers == "everyone" else desk, everyone)


def stage(session: Session | None, rule: Rule, now: datetime) -> str:
    """Where somebody stands; design.md §2, line by line."""
    if session is None or session.human.suspended:
        return ANONYMOUS
    age = now - session.password_at
    if age > timedelta(hours=24) or now - session.seen_at > timedelta(hours=12):
        return ANONYMOUS
    if session.human.apps and session.second_factor_at is None:
        return CODE if age <= timedelta(minutes=10) else ANONYMOUS
    since = rule.since(session.human.role)
    asked = since is not None and (since <= session.password_at or since - now > timedelta(minutes=1))
    if not session.human.apps and asked:
        stale = session.confirmed_at is not None and now - session.confirmed_at > timedelta(minutes=20)
        return SET_UP if age <= timedelta(minutes=30) and not stale else ANONYMOUS
    return WHOLE


def is_fresh(session: Session, now: datetime, minutes: int = 10) -> bool:
    return session.confirmed_at is not None and now - session.confirmed_at <= timedelta(minutes=minutes)


def fits(human: Human, code: str, now: datetime, steps: int) -> list[tuple[App, int]]:
    """The apps and steps that show this code now, at most so many steps away: oldest app, newest step first."""
    here = int(now.timestamp()) // 30
    away = range(steps, -steps - 1, -1)
    return [(app, here + each) for app in human.apps for each in away if app.phone.code(now, each) == code]


def good(human: Human, code: str, now: datetime) -> tuple[App, int] | None:
    """The app and the step that would be taken by this code."""
    for app, step in fits(human, code, now, 1):
        if app.step < step != app.given_away:
            return app, step
    return None


def give_away(human: Human, code: str, now: datetime) -> None:
    """A code that is right only later is void from now on: the answer tells how far off the clock is."""
    here = int(now.timestamp()) // 30
    if fits(human, code, now, 1):
        return
    later = sorted(fits(human, code, now, 10), key=lambda found: abs(found[1] - here))
    if later and later[0][1] > here and later[0][0].step < later[0][1]:
        later[0][0].given_away = later[0][1]
