"""A running portal to break: people, logins and rows as in the races' arena, and a server that comes back."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from mfaportal import create_app
from mfaportal.domain import portals
from mfaportal.domain.stored_files import store
from mfaportal.models import Account, Authenticator, Dataset, Event, EventKind, Portal, RecoveryCode
from mfaportal.plumbing.db import db, reading, transaction
from mfaportal.rules.mfa_rule import MfaRule
from tests.clock import MovableClock
from tests.contents import contents
from tests.people import on_the_command_line, seed, set_rule
from tests.races.arena import PARALLEL, UNCOVERED, WORKERS, Arena, Browser
from tests.server import Server
from tests.visitor import Visitor

OPTIONS = f"--worker-connections={PARALLEL} --access-logformat='worker %(p)s: %(m)s %(U)s %(s)s'"


@contextmanager
def standing(
    instance: Path, scratch: Path, application: str = "wsgi:app", *, workers: int = WORKERS, **settings: str
) -> Iterator[Arena]:
    """A portal that covers everybody since the beginning, and one without a rule; the app context is there, too."""
    server = Server(instance, scratch, application)
    server.settings |= settings
    server.settings["MFAPORTAL_TRUSTED_PROXIES"] = "127.0.0.1"
    server.environment["GUNICORN_CMD_ARGS"] = OPTIONS
    app = create_app(server.settings)
    place = Arena(server, app)
    with app.app_context():
        clock = MovableClock(place.now())
        seed(clock)
        set_rule(MfaRule.EVERYONE, clock, apply_now=True)
        portals.create(on_the_command_line(clock), "Open data", UNCOVERED)
        with transaction() as session:
            for portal in session.scalars(select(Portal)):
                portal.sign_up = "approval"
        try:
            if workers:
                server.start(workers=workers)
            yield place
        finally:
            server.stop()
            db.engine.dispose()


def visitor_of(place: Arena, browser: Browser, *, keep_alive: bool = False) -> Visitor:
    """The same browser as one that follows its own cookies."""
    visitor = Visitor(place.server, keep_alive=keep_alive)
    name, _, value = browser.cookie.partition("=")
    visitor.cookies = {name: value}
    return visitor


def back_again(place: Arena, *, workers: int = WORKERS) -> float:
    """Start the server again; how many seconds until it answers."""
    began = time.monotonic()
    place.server.start(workers=workers)
    return time.monotonic() - began


def database_file(place: Arena) -> Path:
    """Not a snapshot that a test has left beside it."""
    (found,) = Path(place.server.settings["MFAPORTAL_INSTANCE"]).glob("*.sqlite3")
    return found


def unsound(place: Arena) -> list[str]:
    """What is wrong with the database as such, and what no moment may show: the invariants of security.md."""
    faults = contents(place.server.database_url).unsound()
    with_app = set(place.rows(select(Authenticator.account_id)))
    halves = with_app ^ set(place.rows(select(RecoveryCode.account_id)))
    faults += [f"half enrolled: {halves}"] if halves else []
    operators = place.rows(select(func.count()).where(Account.is_operator, Account.suspended_at.is_(None)))[0]
    faults += [] if operators else ["no operator is left"]
    return faults + _events(place) + files_that_are_missing()


def _events(place: Arena) -> list[str]:
    """Each app that was added or deleted by a page has exactly one event: apps in tests' accounts begin with none."""
    added = select(Event.details["app"].as_integer()).where(Event.kind == EventKind.AUTHENTICATOR_ADDED)
    told = place.rows(added)
    return [f"{len(told) - len(set(told))} apps were added twice"] if len(told) != len(set(told)) else []


def files_that_are_missing() -> list[str]:
    """Each dataset's file is there, in its full length. Inside an app context."""
    with reading() as session:
        rows = list(session.scalars(select(Dataset).where(Dataset.file_digest.is_not(None))))
    gone = [row.slug for row in rows if not store().has(row.file_digest or "", row.file_size or 0)]
    return [f"files are missing: {gone}"] if gone else []
