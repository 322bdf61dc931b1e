"""Who plays tricks in a town of two portals, and what is looked at in the end."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from flask import Flask
from sqlalchemy import select, update

from mfaportal.domain import portals
from mfaportal.models import BackOfficePath, GuardedAddress, Portal, Visibility
from mfaportal.plumbing.db import transaction
from mfaportal.rules.mfa_rule import MfaRule
from tests.browser.standing import Standing
from tests.clock import MovableClock
from tests.people import PORTAL, Cast, Person, add_person, give_app, on_the_command_line, set_rule
from tests.proxies.applications import Echo, Seen
from tests.proxies.conftest import BACK_OFFICE, DATA, FILES
from tests.proxies.deployed import PORTAL_HOST, Site
from tests.proxies.playing import Player, logged_in, nothing_held, words

OPEN = "open-data"
PAGE, BACK = "/public/page", "/admin/users"


@dataclass(frozen=True)
class Town:
    """City data guards `host` and is private; Open data guards `other`, and anybody may enter its front office."""

    people: Cast
    member_of_other: Person
    host: str
    other: str
    portal: str
    app: Flask
    clock: MovableClock

    def player(self, name: str) -> Player:
        reader, since = self.people.reader, self.clock()
        match name:
            case "stranger":
                return self._player(name, PAGE, None)
            case "half logged in":
                return self._player(name, PAGE, reader, second_factor_at=None, confirmed_at=None)
            case "member of another portal":
                return self._player(name, PAGE, self.member_of_other)
            case "reader":
                return self._player(name, BACK, reader, sees="reader")
            case "reader in the front office":
                return self._player(name, PAGE, reader, sees="reader")
            case "ended login":
                return self._player(name, PAGE, reader, ended_at=since)
            case "admin":
                return self._player(name, BACK, self.people.admin, sees="admin,editor,reader")
            case _:
                raise AssertionError(name)

    def anybody(self) -> Player:
        """Where the portal is public."""
        return replace(self._player("anybody", PAGE, None), identity=("", "", "", ""))

    def _player(self, name: str, wants: str, person: Person | None, *, sees: str = "", **facts: object) -> Player:
        held = (
            logged_in(self.app, person, self.host, self.other, self.clock(), **facts)  # type: ignore[arg-type]
            if person
            else nothing_held()
        )
        identity = (person.email, person.name, person.email, sees) if person and sees else None
        return Player(name, wants, words(self.host, self.other, self.portal, held, self.people.admin), identity)


@pytest.fixture
def town(app: Flask, people: Cast, clock: MovableClock, site: Site) -> Town:
    """Everybody of City data has an app and has to use it."""
    portals.create(on_the_command_line(clock), "Open data", OPEN)
    member = add_person(clock, "other@example.org", "Other", "admin", portal=OPEN)
    for person in (*people.everybody, member):
        give_app(person, clock)
    set_rule(MfaRule.EVERYONE, clock, apply_now=True)
    host, other = (f"{name}:{site.port}" for name in (FILES, DATA))
    with transaction() as session:
        session.execute(update(Portal).where(Portal.slug == OPEN).values(visibility=Visibility.PUBLIC))
        for slug, netloc in ((PORTAL, host), (OPEN, other)):
            portal_id = session.scalars(select(Portal.id).where(Portal.slug == slug)).one()
            session.add(GuardedAddress(portal_id=portal_id, scheme="https", host=netloc, prefix=""))
            session.add_all(BackOfficePath(portal_id=portal_id, path=path) for path in BACK_OFFICE)
    return Town(people, member, host, other, f"{PORTAL_HOST}:{site.port}", app, clock)


@pytest.fixture
def nothing_broke(standing: Standing) -> Callable[[], None]:
    """To call in the end: the portal has written no 5xx since."""
    before = len(standing.server.log)

    def look() -> None:
        written = standing.server.log[before:]
        assert not re.findall(r'^.*" 5[0-9]{2} .*$|^Traceback.*$', written, re.MULTILINE), written[-4000:]

    return look


class Taker:
    """What has come through to the application since it was asked last."""

    def __init__(self, application: Echo) -> None:
        self._seen = application.seen
        self._seen.clear()

    def __call__(self) -> list[Seen]:
        taken = list(self._seen)
        self._seen.clear()
        return taken
