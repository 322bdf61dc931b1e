"""What one process of all hosts does: whoever dies or is cut off has its turn no longer, and never two have it."""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest
from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine

from mfaportal.plumbing.db import db
from mfaportal.plumbing.turns import SENDER, FileTurn, ServerTurn, Turn, of_sender
from tests.databases import ADVISORY_LOCKS


@pytest.fixture
def engine(app: Flask) -> Iterator[Engine]:
    with app.app_context():
        yield db.engine


@pytest.fixture
def two(engine: Engine, tmp_path: Path) -> Iterator[tuple[Turn, Turn]]:
    turns = of_sender(engine, tmp_path), of_sender(engine, tmp_path)
    yield turns
    for turn in turns:
        turn.leave()


def _soon(turn: Turn) -> bool:
    """The server notices that a connection ended a moment later."""
    until = monotonic() + 5
    while not (has := turn.have()) and monotonic() < until:
        sleep(0.01)
    return has


@pytest.mark.sqlite_only("with a server several hosts share it")
def test_one_process_of_a_host_has_it(engine: Engine, two: tuple[Turn, Turn]) -> None:
    first, second = two
    assert isinstance(first, FileTurn)
    assert [first.have(), second.have(), first.have()] == [True, False, True]
    first.leave()
    assert [second.have(), first.have()] == [True, False]


@pytest.mark.postgresql_only("with a file there is one host")
def test_one_has_it_until_it_leaves(two: tuple[Turn, Turn]) -> None:
    first, second = two
    assert [first.have(), second.have(), first.have()] == [True, False, True]
    first.leave()
    assert _soon(second)
    assert [first.have(), second.have()] == [False, True]


@pytest.mark.postgresql_only("with a file there is one host")
def test_whose_connection_ends_has_it_no_longer(engine: Engine, two: tuple[Turn, Turn]) -> None:
    first, second = two
    assert first.have()
    with engine.connect() as other:
        (holder,) = [pid for pid, number in other.execute(text(ADVISORY_LOCKS)) if number == SENDER]
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": holder})
    assert second.have()
    assert not first.have()


@pytest.mark.postgresql_only("with a file there is one host")
def test_a_server_that_is_away_is_no_error(engine: Engine) -> None:
    nowhere = create_engine(engine.url.set(host="127.0.0.1", port=1))
    assert not ServerTurn(nowhere, SENDER).have()
