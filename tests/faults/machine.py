"""Random days of four people in four browsers, beside a model that says what each step must be answered.

Here is how they log in, step up and log out; `tests.faults.deeds` has what they do then, and what is done to them.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Flask
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from sqlalchemy import func, select

from mfaportal.models import Event, EventKind
from mfaportal.plumbing.db import reading
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.faults.model import ANONYMOUS, CODE, SET_UP, WHOLE, Human, Rule, Session, give_away, good, stage
from tests.people import PASSWORD, Cast

ACCOUNT, METHODS, CODES = "/account", "/account/security/methods", "/account/security/recovery-codes"
HOME = {CODE: "/log-in/code", SET_UP: "/log-in/set-up"}
BROWSERS, PEOPLE = 4, 4
MOST_WRONG = 100
which = st.integers(0, BROWSERS - 1)
who = st.integers(0, PEOPLE - 1)


class World:
    """One installation that each run begins from, as `again` brings it back, and what all runs counted."""

    def __init__(self, apps: list[Flask], clock: MovableClock, cast: Cast, again: Callable[[], None]) -> None:
        self.apps, self.clock, self.cast, self.again = apps, clock, cast, again
        self.began = clock()
        self.runs = self.steps = self.requests = self.codes_taken = self.accepted_twice = 0
        self.most_wrong_in_a_row = 0


class Entering(RuleBasedStateMachine):
    """`world` is set by the test."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        world = self.world
        world.again()
        world.runs += 1
        self.clock = world.clock
        self.clock.now = world.began
        cast, roles = world.cast.everybody, ("reader", "editor", "admin", None)
        members = zip(cast, roles, strict=True)
        self.humans = [Human(person, role, PASSWORD, operator=role is None) for person, role in members]
        self.rule, self.public = Rule(), False
        self.sessions: list[Session | None] = [None] * BROWSERS
        self.app = world.apps[0]
        self.browsers = [Browser(self.app, self.clock) for _ in range(BROWSERS)]
        for number, browser in enumerate(self.browsers):
            browser.address = f"192.0.2.{number + 1}"
        self.taken: set[tuple[str, int]] = set()
        self.old: list[str] = []
        """Codes that were taken."""
        self.told = self.count_events()
        """How many events of each kind there have to be."""
        self.events = self.told.total()

    def count_events(self) -> Counter[str]:
        with self.app.app_context(), reading() as session:
            found = session.execute(select(Event.kind, func.count()).group_by(Event.kind)).all()
        return Counter({str(row[0]): int(row[1]) for row in found})

    # what everybody does

    def ask(self, number: int, method: str, path: str, **options: Any) -> Page:
        """A request of a browser, by somebody who waits for nobody: never a 5xx."""
        self.world.requests += 1
        page = self.browsers[number].open(method, path, **options)
        assert page.status < 500, f"{method} {path}: {page.status} {page.text[:200]}"
        return page

    def send(self, number: int, path: str, button: str | None = None, **fields: str) -> Page:
        page = self.ask(number, "GET", path)
        if page.status != 200:
            return page
        return self.ask(number, "POST", path, data={**page.form(button).fields, **fields})

    def stage(self, number: int) -> str:
        return stage(self.sessions[number], self.rule, self.clock())

    def at(self, number: int, *stages: str, app: bool = False) -> tuple[int, Session] | None:
        """The first browser from this one on that is at one of these stages (with an app), and its login."""
        for each in range(number, number + BROWSERS):
            session = self.sessions[each % BROWSERS]
            if session and self.stage(each % BROWSERS) in stages and (session.human.apps or not app):
                return each % BROWSERS, session
        return None

    def end(self, human: Human, but: Session | None = None) -> None:
        self.sessions = [None if each and each.human is human and each is not but else each for each in self.sessions]

    def take(self, human: Human, code: str, *, accepted: bool) -> None:
        """Hold an answer to a code against the model; note it as taken, or as given away."""
        found = good(human, code, self.clock())
        assert accepted == (found is not None), f"{human.person.name}'s {code}: accepted {accepted}, model {found}"
        if found is None:
            give_away(human, code, self.clock())
            return
        app, step = found
        self.world.accepted_twice += (app.phone.key, step) in self.taken
        assert (app.phone.key, step) not in self.taken
        self.taken.add((app.phone.key, step))
        self.world.codes_taken += 1
        self.old.append(code)
        app.step = step

    def came_in(self, number: int, session: Session) -> None:
        session.seen_at = self.clock()
        self.told[EventKind.LOGIN_COMPLETED] += 1

    # logging in

    @rule(number=which, person=who, right=st.sampled_from([True, True, True, False]))
    def give_password(self, number: int, person: int, right: bool) -> None:
        self.enter(number, person, right=right)

    def enter(self, number: int, person: int, *, right: bool = True) -> None:
        human = self.humans[person]
        if self.stage(number) != ANONYMOUS:
            number = next((each for each in range(BROWSERS) if self.stage(each) == ANONYMOUS), number)
            self.log_out_of(number)
        page = self.ask(number, "GET", "/log-in")
        fields = {"email": human.person.email, "password": (human.password or "none") if right else "a wrong guess"}
        page = self.ask(number, "POST", "/log-in", data={**page.form().fields, **fields})
        if page.status == 429:
            return
        if not right or human.password is None:
            assert page.status == 422, page.text
            self.told[EventKind.LOGIN_PASSWORD_WRONG] += 1
            return
        if human.suspended:
            assert page.status == 403, page.text
            self.told[EventKind.LOGIN_REFUSED] += 1
            return
        assert page.status == 303, page.text
        session = Session(human, self.clock(), self.clock())
        self.sessions[number] = session
        reached = self.stage(number)
        assert page.location == HOME.get(reached, "/"), page.location
        if reached == WHOLE:
            session.confirmed_at = self.clock()
            self.came_in(number, session)
        else:
            self.told[EventKind.LOGIN_PASSWORD_RIGHT] += 1

    @rule(number=which, person=who)
    def come_in(self, number: int, person: int) -> None:
        """A whole log-in as it goes on most days."""
        self.clock.advance(seconds=30)
        self.enter(number, person)
        found = self.at(number, CODE, app=True)
        if found is not None and found[1].human is self.humans[person]:
            self.give(*found, code=self.humans[person].apps[-1].phone.code(self.clock()))

    @rule(number=which, data=st.data())
    def give_an_old_code(self, number: int, data: st.DataObject) -> None:
        """One that was taken already, wherever codes are asked for."""
        found = self.at(number, CODE, app=True) or self.at(number, WHOLE, app=True)
        if found is not None and self.old:
            self.give(*found, code=data.draw(st.sampled_from(self.old[-6:])))

    @rule(number=which, offset=st.sampled_from([0, 0, 0, -1, 1, -2, 3]), other=st.booleans(), data=st.data())
    def give_code(self, number: int, offset: int, other: bool, data: st.DataObject) -> None:
        """At log-in or at step-up: a code of one of the apps, or of somebody else's."""
        found = self.at(number, CODE, app=True) or self.at(number, WHOLE, app=True)
        if found is None:
            return
        session = found[1]
        owners = [human for human in self.humans if human.apps and (human is session.human or other)]
        app = data.draw(st.sampled_from(data.draw(st.sampled_from(owners)).apps))
        self.give(*found, code=app.phone.code(self.clock(), offset))

    def give(self, number: int, session: Session, *, code: str) -> None:
        at = self.stage(number)
        page = self.send(number, "/log-in/code" if at == CODE else "/confirm", code=code)
        if page.status == 429:
            return
        self.take(session.human, code, accepted=page.status == 303)
        if page.status != 303:
            assert page.status == 422
            self.guess(session.human, at)
            return
        self.proven(number, session, at)

    def proven(self, number: int, session: Session, at: str) -> None:
        """A code was taken: it lets somebody in, or confirms who is."""
        session.confirmed_at = self.clock()
        if at == CODE:
            session.human.wrong.clear()
            session.second_factor_at = self.clock()
            self.came_in(number, session)
        else:
            self.told[EventKind.LOGIN_CONFIRMED] += 1

    def guess(self, human: Human, at: str) -> None:
        """Invariant 3: at log-in no five minutes hold more than five judged codes, and no row more than a hundred."""
        self.told[EventKind.CODE_WRONG] += 1
        if at != CODE:
            return
        near = [when for when in human.wrong if abs(self.clock() - when) < timedelta(minutes=5)]
        human.wrong.append(self.clock())
        self.world.most_wrong_in_a_row = max(self.world.most_wrong_in_a_row, len(human.wrong))
        assert len(near) < 5, f"{len(near) + 1} wrong codes in five minutes"
        assert len(human.wrong) <= MOST_WRONG, f"{len(human.wrong)} wrong codes in a row"

    @rule(number=which, data=st.data())
    def give_recovery_code(self, number: int, data: st.DataObject) -> None:
        found = self.at(number, CODE, app=True) or self.at(number, WHOLE, app=True)
        if found is None:
            return
        number, session = found
        at, human = self.stage(number), session.human
        known = sorted(human.codes) + sorted(human.used_codes) + human.old_codes[-3:]
        if not known:
            return
        code = data.draw(st.sampled_from(known))
        page = self.send(number, "/log-in/recovery" if at == CODE else "/confirm", code=code)
        if page.status == 429:
            return
        assert (page.status == 303) == (code in human.codes), f"{page.status} {page.text}"
        if page.status != 303:
            self.guess(human, at)
            return
        human.codes.remove(code)
        human.used_codes.add(code)
        self.told[EventKind.RECOVERY_CODE_USED] += 1
        session.recovered = session.recovered or at == CODE
        self.proven(number, session, at)

    @rule(number=which)
    def confirm_by_password(self, number: int) -> None:
        found = self.at(number, WHOLE)
        if found is None or found[1].human.apps:
            return
        number, session = found
        page = self.send(number, "/confirm", password=session.human.password or "")
        if page.status != 429:
            assert page.status == 303, page.text
            session.confirmed_at = self.clock()
            self.told[EventKind.LOGIN_CONFIRMED] += 1

    @rule(number=which)
    def log_out(self, number: int) -> None:
        self.log_out_of(number)

    def log_out_of(self, number: int) -> None:
        if self.stage(number) == ANONYMOUS:
            return
        page = self.ask(number, "GET", HOME.get(self.stage(number), ACCOUNT))
        fields = page.form("Log out").fields
        assert self.ask(number, "POST", "/log-out", data=fields).status == 303
        self.told[EventKind.LOGIN_ENDED] += 1
        self.sessions[number] = None
