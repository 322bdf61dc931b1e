"""Servers whose clock a test sets and moves."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mfaportal import create_app
from mfaportal.plumbing.db import db
from mfaportal.rules.mfa_rule import MfaRule
from tests.browser.server_clock import ServerClock
from tests.clock import MovableClock
from tests.clock_faked.town import Town
from tests.people import give_app, seed, set_rule
from tests.server import Server


@pytest.fixture
def town_at(server: Server, tmp_path: Path) -> Iterator[Callable[..., Town]]:
    """`town_at(instant, zone)`: a server, of one worker if not more, that believes in this moment and lives there."""
    clock = ServerClock(server, tmp_path / "clock-offset")

    def make(instant: datetime, zone: str = "UTC", *, workers: int = 1) -> Town:
        clock.advance(seconds=(instant - datetime.now(UTC)).total_seconds())
        app = create_app(server.settings)
        with app.app_context():
            movable = MovableClock(clock())
            people = seed(movable)
            for person in people.everybody[1:]:
                give_app(person, movable, codes=True)
            set_rule(MfaRule.EVERYONE, movable, apply_now=True)
            db.engine.dispose()
        server.environment["TZ"] = zone
        server.start(workers=workers)
        return Town(server, clock, people)

    yield make
    assert "Traceback" not in server.log, server.log
