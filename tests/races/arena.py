"""A running portal with four workers, and people who are half or wholly logged in to it without anybody typing.

Logins are written straight into the database and their cookies signed with the installation's own key: giving
twenty passwords for each round of a race would take longer than the race.
"""

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from flask import Flask, g, session
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import generate_csrf
from sqlalchemy import Select, func, select

from mfaportal.models import Account, Authenticator, Event, EventKind, Login
from mfaportal.models.authenticator import owner_of
from mfaportal.plumbing.db import reading, transaction
from mfaportal.plumbing.runtime import runtime
from mfaportal.plumbing.tokens import digest, new_token
from mfaportal.rules.totp import new_secret
from mfaportal.web import asking
from tests.clock import MovableClock
from tests.people import PORTAL, Person, add_person, give_app
from tests.phone import Phone
from tests.plugins.figures import Figure
from tests.races.volley import Answer, Request, fire
from tests.server import Server

WORKERS = 4
PARALLEL = 20
SERVER_OPTIONS = f"--worker-connections={PARALLEL // WORKERS} --access-logformat='worker %(p)s: %(m)s %(U)s %(s)s'"
"""A worker takes no more connections than its share: left alone, the first to wake up takes all twenty."""
ROUNDS = int(os.environ.get("ROUNDS", "3"))
"""`make races` runs ten. Of a portal that looks before it writes, at least six rounds of ten go wrong."""
LOCKED = re.compile(r"database is locked|could not serialize access|deadlock detected|due to lock timeout")
"""How SQLite and PostgreSQL say in the log that somebody else was faster, or held everything for too long."""
Row = TypeVar("Row")
UNCOVERED = "open-data"
"""The slug of the portal without a rule; that of the other one covers everybody since ever."""


@dataclass(frozen=True)
class Browser:
    """One browser with its session cookie. Each has an address of its own, unless a race says otherwise."""

    cookie: str
    csrf: str
    address: str
    login_id: int = 0
    phone: Phone | None = None
    """An app that was given the set-up key which this login is offered."""

    def get(self, path: str) -> Request:
        return Request("GET", path, self.cookie, self.address)

    def post(self, path: str, **fields: str) -> Request:
        return Request("POST", path, self.cookie, self.address, {"csrf_token": self.csrf, **fields})

    def at(self, address: str) -> "Browser":
        return replace(self, address=address)


class Arena:
    """A server under races. `verdict` looks at every answer there was: no 5xx, and nobody waited in vain.

    Its methods want the arena's own app context around them: several arenas may be there at once.
    """

    def __init__(self, server: Server, app: Flask) -> None:
        self.server = server
        self.app = app
        self.statuses: dict[int, int] = {}
        self._numbers = count(1)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def clock(self) -> MovableClock:
        return MovableClock(self.now())

    def person(
        self, role: str | None = "reader", *, operator: bool = False, apps: int = 0, portal: str = PORTAL
    ) -> Person:
        number = next(self._numbers)
        email, name = f"p{number}@example.org", f"Person {number}"
        made = add_person(self.clock(), email, name, role, operator=operator, portal=portal)
        for app in range(apps):
            give_app(made, self.clock(), f"App {app}")
        return made

    def half_logins(self, person: Person, number: int = PARALLEL, *, setting_up: bool = False) -> list[Browser]:
        """Browsers in which the person's password was given, and no more; `setting_up`: each is offered a key."""
        return self._logins(person, number, {}, setting_up=setting_up)

    def logins(
        self,
        person: Person,
        number: int = PARALLEL,
        *,
        setting_up: bool = False,
        content: dict[str, Any] | None = None,
    ) -> list[Browser]:
        """Browsers in which the person is wholly logged in, just now; their sessions hold `content`, too."""
        facts = {"second_factor_at": self.now(), "confirmed_at": self.now()}
        return self._logins(person, number, facts, setting_up=setting_up, content=content)

    def _logins(
        self,
        person: Person,
        number: int,
        facts: dict[str, datetime],
        *,
        setting_up: bool,
        content: dict[str, Any] | None = None,
    ) -> list[Browser]:
        now = self.now() - timedelta(seconds=1)
        made: list[tuple[Login, str, str | None]] = []
        with transaction() as database:
            for _ in range(number):
                token, key = new_token(), new_secret() if setting_up else None
                login = Login(
                    token_digest=digest(token), account_id=person.id, password_at=now, last_seen_at=now, **facts
                )
                if key is not None:
                    login.pending_secret = runtime().keys.sealer.seal(owner_of(person.id), key)
                    login.pending_at = now
                database.add(login)
                made.append((login, token, key))
        return [
            replace(
                self.browser({**(content or {}), asking.TOKEN: token}),
                login_id=login.id,
                phone=Phone(key) if key else None,
            )
            for login, token, key in made
        ]

    def browser(self, content: dict[str, Any] | None = None) -> Browser:
        """A browser whose session holds `content`: nobody's, when it is empty."""
        interface = self.app.session_interface
        assert isinstance(interface, SecureCookieSessionInterface)
        with self.app.test_request_context(base_url=self.server.url):
            g.pop("csrf_token", None)  # the app context around it is one for all browsers
            session.update(content or {})
            csrf = generate_csrf()
            signer = interface.get_signing_serializer(self.app)
            assert signer is not None
            cookie = signer.dumps(dict(session))
        number = next(self._numbers)
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        return Browser(f"{interface.get_cookie_name(self.app)}={cookie}", str(csrf), address)

    def browsers(self, number: int = PARALLEL, content: dict[str, Any] | None = None) -> list[Browser]:
        return [self.browser(content) for _ in range(number)]

    def fire(self, requests: Iterable[Request]) -> list[Answer]:
        answers = fire(self.server.port, list(requests))
        for answer in answers:
            self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
        return answers

    def rows(self, statement: Select[Row]) -> list[Row]:
        with reading() as database:
            return list(database.scalars(statement))

    def apps(self, person: Person) -> list[Authenticator]:
        of_person = select(Authenticator).where(Authenticator.account_id == person.id)
        return self.rows(of_person.order_by(Authenticator.id))

    def events(self, kind: EventKind, person: Person) -> int:
        statement = select(func.count()).where(Event.kind == kind, Event.account_id == person.id)
        return self.rows(statement)[0]

    def account(self, person: Person) -> Account:
        return self.rows(select(Account).where(Account.id == person.id))[0]

    @property
    def times_locked(self) -> int:
        return len(LOCKED.findall(self.server.log))

    def verdict(self) -> None:
        """What must be true whatever raced."""
        bad = {status: number for status, number in self.statuses.items() if status >= 500}
        assert not bad, f"answers by status: {self.statuses}\n{self.server.log[-3000:]}"
        assert not self.times_locked


Race = Callable[[Arena], str | None]
"""One round. It returns what went wrong, in words; None when everything was taken as often as it should be."""


def hold(arena: Arena, race: Race, figure: Figure, most: int = 10) -> None:
    """Run the race, at most so many rounds; no round may go wrong."""
    rounds = min(most, ROUNDS)
    with arena.app.app_context():
        wrong = [fault for fault in (race(arena) for _ in range(rounds)) if fault]
    locked = arena.times_locked
    figure("D7 races", races=1, rounds=rounds, rounds_that_went_wrong=len(wrong), most_times_locked=locked)
    arena.verdict()
    assert not wrong, f"{len(wrong)} of {rounds} rounds went wrong: {wrong}"


def broken(arena: Arena, race: Race, rounds: int = 60) -> str:
    """Run the race against a portal that has the flaw until it shows; what it looked like."""
    with arena.app.app_context():
        for _ in range(rounds):
            fault = race(arena)
            if fault:
                return fault
    raise AssertionError(f"{rounds} rounds, and the flaw did not show: the race has no power")
