"""People who use the portal while it is killed. Each knows what it was told, and what it was being told just then.

`wrong` compares that with the database: a success that somebody has heard of is never lost, and what was on its way
either happened or did not. `used` are codes and links that were taken, as requests that must be refused ever after.
"""

import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from http.client import HTTPException
from itertools import count

from sqlalchemy import func, select

from mfaportal.models import EventKind, RecoveryCode
from tests.people import Person, give_app
from tests.phone import Phone
from tests.races.arena import Arena
from tests.races.volley import Request
from tests.visitor import Visitor

_ADDRESSES = count(1)
METHODS, CODES = "/account/security/methods", "/account/security/recovery-codes"


def with_apps(place: Arena, number: int, role: str = "reader") -> tuple[Person, list[Phone]]:
    """Somebody with so many apps, and ten recovery codes."""
    person = place.person(role)
    return person, [give_app(person, place.clock(), f"App {each}", codes=each == 0) for each in range(number)]


class Life(ABC):
    """`live` is one round of what somebody does, cut in steps; it is begun again until `stop` is set."""

    def __init__(self, place: Arena) -> None:
        self.place = place
        self.bad: list[str] = []
        """Answers that nobody should have got, whatever was killed."""
        self.told = 0
        """How many successes it heard of."""
        self.used: list[Callable[[], Request]] = []

    @abstractmethod
    def live(self, visitor: Visitor) -> Iterator[None]:
        """One round."""

    @abstractmethod
    def wrong(self) -> list[str]:
        """What was lost, or happened by half."""

    def until(self, stop: threading.Event) -> None:
        while not stop.is_set():
            number = next(_ADDRESSES)
            visitor = Visitor(self.place.server, address=f"10.9.{number >> 8 & 255}.{number & 255}")
            try:
                for _ in self.live(visitor):
                    if stop.is_set():
                        return
            except (OSError, HTTPException):  # the line broke, or nobody is there
                time.sleep(0.02)
            except AssertionError as error:
                self.bad.append(f"{type(self).__name__}: {error}"[:500])
                return
            finally:
                visitor.close()
                self.bad += [f"{type(self).__name__}: {status}" for status in visitor.statuses if status >= 500]

    def heard(self, visitor: Visitor, *locations: str) -> None:
        """That was a success."""
        assert visitor.status == 303, f"{visitor.status} {visitor.text[:300]}"
        assert not locations or visitor.location in locations, visitor.location
        self.told += 1

    def at_the_code(self, person: Person, path: str, code: str) -> Callable[[], Request]:
        """The same code once more, from another browser."""
        return lambda: self.place.half_logins(person, 1)[0].post(path, code=code)


class Newcomer(Life):
    """Sets up the first app, as often as there is somebody who has none."""

    def __init__(self, place: Arena) -> None:
        super().__init__(place)
        self.people = [place.person() for _ in range(3)]
        self.waiting = list(self.people)
        self.set_up: list[Person] = []

    def live(self, visitor: Visitor) -> Iterator[None]:
        if not self.waiting:
            time.sleep(0.02)
            return
        person = self.waiting.pop()
        assert visitor.give_password(person).location == "/log-in/set-up", visitor.text
        yield
        phone = Phone(visitor.get("/log-in/set-up").key)
        yield
        code = phone.code(self.place.now())
        self.heard(visitor.post("/log-in/set-up", code=code, name="Phone"), f"{CODES}?next=/")
        self.set_up.append(person)
        self.used.append(self.at_the_code(person, "/log-in/code", code))
        assert len(re.findall("<li><code>", visitor.get(CODES).body)) == 10, visitor.text

    def wrong(self) -> list[str]:
        faults = []
        for person in self.people:
            apps = len(self.place.apps(person))
            codes = self.place.rows(select(func.count()).where(RecoveryCode.account_id == person.id))[0]
            events = self.place.events(EventKind.AUTHENTICATOR_ADDED, person)
            if (apps, codes, events) not in {(0, 0, 0), (1, 10, 1)} or (person in self.set_up and not apps):
                faults.append(f"{person.name} set up {apps} apps, {codes} codes, {events} events")
        return faults


class Dweller(Life):
    """Logs in by a code, renames itself and its apps, adds one, deletes one, logs out."""

    def __init__(self, place: Arena) -> None:
        super().__init__(place)
        self.person, phones = with_apps(place, 4)
        self.ids = dict(zip((app.id for app in place.apps(self.person)), phones, strict=True))
        self.steps: dict[int, int] = {}
        self.names = {self.person.name}
        self.apps = [{"App 0", "App 1", "App 2", "App 3"}]
        """The sets of apps that may be there: one, or two while something is on its way."""
        self._number = 0

    def live(self, visitor: Visitor) -> Iterator[None]:
        free = [app for app in self.ids if self.steps.get(app, 0) < self._step()]
        if not free:
            time.sleep(0.02)
            return
        yield from self._log_in(visitor, free[0])
        self._number += 1
        wanted = f"{self.person.name} {self._number}"
        self.names.add(wanted)
        self.heard(visitor.submit("/account", name=wanted))
        self.names = {wanted}
        yield
        yield from self._add_and_delete(visitor)
        self.heard(visitor.get("/account").post("/log-out"))

    def _step(self) -> int:
        return int(self.place.now().timestamp()) // 30

    def _log_in(self, visitor: Visitor, app: int) -> Iterator[None]:
        assert visitor.give_password(self.person).location == "/log-in/code", visitor.text
        yield
        now = self.place.now()
        code, step = self.ids[app].code(now), int(now.timestamp()) // 30
        self.steps[app] = step  # whether it was taken is not known until the answer is there: it is not sent again
        self.heard(visitor.submit("/log-in/code", code=code), "/")
        self.used.append(self.at_the_code(self.person, "/log-in/code", code))
        yield

    def _add_and_delete(self, visitor: Visitor) -> Iterator[None]:
        name, (had,) = f"New {self._number}", self._settled()
        phone = Phone(visitor.get(f"{METHODS}/add").key)
        self.apps = [had, had | {name}]
        self.heard(visitor.post(f"{METHODS}/add", code=phone.code(self.place.now()), name=name))
        self.apps = [had | {name}]
        yield
        number = re.findall(rf"{METHODS}/(\d+)/delete", visitor.get(METHODS).body)[-1]
        self.apps = [had | {name}, had]
        self.heard(visitor.submit(f"{METHODS}/{number}/delete"))
        self.apps = [had]
        yield

    def _settled(self) -> list[set[str]]:
        """After a line broke, what is there is what happened."""
        if len(self.apps) > 1:
            self.apps = [self._there()]
        return self.apps

    def _there(self) -> set[str]:
        with self.place.app.app_context():
            return {app.name for app in self.place.apps(self.person)}

    def wrong(self) -> list[str]:
        there, name = self._there(), self.place.account(self.person).name
        faults = [] if there in self.apps else [f"{self.person.name} has {there}, not {self.apps}"]
        faults += [] if name in self.names else [f"{name} is the name, not {self.names}"]
        added = self.place.events(EventKind.AUTHENTICATOR_ADDED, self.person)
        deleted = self.place.events(EventKind.AUTHENTICATOR_DELETED, self.person)
        return faults + (
            [] if len(there) == 4 + added - deleted else [f"{added} and {deleted} events, {len(there)} apps"]
        )


class Forgetful(Life):
    """Logs in by recovery codes, and makes new ones when the last is used."""

    def __init__(self, place: Arena) -> None:
        super().__init__(place)
        self.person, _ = with_apps(place, 1)
        self.left = list(self.person.codes)
        self.sure = True
        """Whether the codes in hand are those of the last set that was made."""

    def live(self, visitor: Visitor) -> Iterator[None]:
        if not self.left:
            time.sleep(0.02)
            return
        assert visitor.give_password(self.person).location == "/log-in/code", visitor.text
        yield
        code = self.left.pop()
        self.heard(visitor.submit("/log-in/recovery", code=code))
        self.used.append(self.at_the_code(self.person, "/log-in/recovery", code))
        yield
        if len(self.left) <= 2:
            self.sure = False
            self.heard(visitor.submit(CODES, replace="yes"))
            self.left = re.findall(r"<li><code>([^<]+)</code>", visitor.get(CODES).body)
            self.sure = len(self.left) == 10
            yield

    def wrong(self) -> list[str]:
        if not self.sure:
            return []
        statement = select(func.count()).where(
            RecoveryCode.account_id == self.person.id, RecoveryCode.used_at.is_(None)
        )
        unused = self.place.rows(statement)[0]
        return [] if unused - len(self.left) in (0, 1) else [f"{unused} codes are unused, {len(self.left)} in hand"]
