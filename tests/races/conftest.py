"""The arenas: the portal as it is, and two that have flaws on purpose; each with one server for all its races."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from mfaportal import create_app
from mfaportal.domain import portals
from mfaportal.plumbing.db import db
from mfaportal.rules.mfa_rule import MfaRule
from tests import databases
from tests.clock import MovableClock
from tests.people import on_the_command_line, seed, set_rule
from tests.races.arena import SERVER_OPTIONS, UNCOVERED, WORKERS, Arena
from tests.server import Server

_DISK = "/var/tmp" if os.path.isdir("/var/tmp") else None  # noqa: S108, PTH112  # a folder of its own in it


@contextmanager
def _arena(blank_instance: Path, application: str) -> Iterator[Arena]:
    """The rule covers everybody since the beginning; addresses are what the proxy says, so that they can differ.

    On the disk, wherever the other tests are: a commit that waits for nothing leaves a flaw too little time to show.
    """
    with (
        TemporaryDirectory(prefix="mfaportal-races-", dir=_DISK) as folder,
        databases.installed(blank_instance, Path(folder, "instance")) as instance,
    ):
        yield from _in(instance, Path(folder), application)


def _in(instance: Path, scratch: Path, application: str) -> Iterator[Arena]:
    server = Server(instance, scratch, application)
    server.settings["MFAPORTAL_TRUSTED_PROXIES"] = "127.0.0.1"
    server.environment["GUNICORN_CMD_ARGS"] = SERVER_OPTIONS
    app = create_app(server.settings)
    arena = Arena(server, app)
    with app.app_context():
        clock = MovableClock(arena.now())
        seed(clock)
        set_rule(MfaRule.EVERYONE, clock, apply_now=True)
        portals.create(on_the_command_line(clock), "Open data", UNCOVERED)
    try:
        server.start(workers=WORKERS)
        yield arena
    finally:
        server.stop()
        with app.app_context():
            db.engine.dispose()


@pytest.fixture(scope="session")
def arena(blank_instance: Path) -> Iterator[Arena]:
    with _arena(blank_instance, "wsgi:app") as made:
        yield made


@pytest.fixture(scope="session")
def naive_arena(blank_instance: Path) -> Iterator[Arena]:
    """Everywhere first looked, then judged, then written."""
    with _arena(blank_instance, "tests.races.naive:app") as made:
        yield made


@pytest.fixture(scope="session")
def deferred_arena(blank_instance: Path) -> Iterator[Arena]:
    """Operations as they are, in transactions that find out at their first write that somebody else was faster."""
    with _arena(blank_instance, "tests.races.deferred:app") as made:
        yield made
