"""The SQLite file at a first start: switched to its write-ahead log once, whoever else is at it in that moment."""

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Timer

import pytest

from mfaportal.plumbing import engines, sqlite
from mfaportal.plumbing.config import SettingError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mfaportal.sqlite3"


def test_a_first_start_waits_for_another_that_writes_into_the_new_file(path: Path) -> None:
    """SQLite itself answers "database is locked" at once: its patience ends where a reader becomes a writer."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        Timer(0.15, other.rollback).start()
        engines.prepare(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_it_does_not_wait_for_ever(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 50)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(SettingError, match="database is locked"):
            engines.prepare(f"sqlite:///{path}")
