"""Operations called as the command line and as browsers call them, and the events that they write."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flask import Flask

from mfaportal.domain import logins
from mfaportal.domain.caller import Caller, Source
from mfaportal.domain.outcomes import LoggedIn
from mfaportal.models import Event, Login
from mfaportal.plumbing.tokens import digest
from tests.clock import MovableClock
from tests.people import Cast, Person, on_the_command_line
from tests.stored import stored, the_one

READER, EDITOR, ADMIN, OPERATOR = 1, 2, 3, 4


@dataclass
class Scene:
    """The cast, and callers: the command line, and browsers in which somebody is logged in."""

    app: Flask
    people: Cast
    clock: MovableClock

    @property
    def cli(self) -> Caller:
        return on_the_command_line(self.clock)

    @property
    def stranger(self) -> Caller:
        return replace(self.cli, source=Source.WEB, address="192.0.2.7", browser="Lynx/2.9")

    def log_in(self, person: Person) -> Caller:
        """A browser in which the password was given."""
        outcome = logins.log_in(self.stranger, person.email, person.password, device=None, old_token=None)
        assert isinstance(outcome, LoggedIn)
        login = the_one(self.app, Login, token_digest=digest(outcome.token))
        return replace(self.stranger, account_id=person.id, login_id=login.id)


def written(scene: Scene, act: Callable[[], object]) -> list[Any]:
    """The events that an act adds."""
    before = len(stored(scene.app, Event))
    with scene.app.app_context():
        act()
    return stored(scene.app, Event)[before:]
