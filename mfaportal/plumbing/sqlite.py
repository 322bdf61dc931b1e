"""How the portal uses SQLite: the file, what each connection is set to, and how transactions begin.

The driver's own way to begin loses races: writes begin IMMEDIATE, so that a transaction never finds out at its first
write that somebody else was faster (security.md, fact 20).
"""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import URL, Connection
from sqlalchemy.engine.interfaces import DBAPIConnection

from .at_driver import as_sqlalchemys
from .config import SettingError
from .transactions import FOLLOWED, WRITES

BUSY_TIMEOUT_MS = 5000
_SYNCHRONOUS = "mfaportal_synchronous"
JOURNAL_BYTES = 16 * 1024 * 1024
"""What is kept of a write-ahead log that a long reader has let grow, once it is gone."""


def engine_options() -> dict[str, Any]:
    return {"connect_args": {"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False}}


def prepare(url: URL) -> None:
    """Make the file and its folder, readable by the owner alone, and switch it to WAL for good.

    Raises:
        SettingError: it cannot be opened, or is no database.
    """
    if not url.database:
        return
    path = Path(url.database)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        _switch_to_wal(path)
    except (OSError, sqlite3.DatabaseError) as error:
        raise SettingError(f"MFAPORTAL_DATABASE_URL: {path} cannot be used as a database: {error}.") from error


def _switch_to_wal(path: Path) -> None:
    """Another first start may be at it in this moment, and SQLite does not wait for that one (unlike for others)."""
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def listen(engine: Engine) -> None:
    """Hook the rules of this module onto an engine."""
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)


def _configure(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin by itself
    cursor = connection.cursor()
    for pragma in (
        "foreign_keys = ON",
        "synchronous = FULL",
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "secure_delete = ON",
        f"journal_size_limit = {JOURNAL_BYTES}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get(WRITES):
        _wait_for_the_disk(connection, at_commit=not options.get(FOLLOWED))
        _run(connection, "BEGIN IMMEDIATE")
    else:
        _run(connection, "BEGIN")


def _run(connection: Connection, begin: str) -> None:
    """At the driver: to begin takes SQLAlchemy longer than SQLite."""
    driver: Any = connection.connection.dbapi_connection
    try:
        driver.execute(begin)
    except sqlite3.Error as error:
        raise as_sqlalchemys(error, connection.dialect, lost=False) from error


def _wait_for_the_disk(connection: Connection, *, at_commit: bool) -> None:
    """The write-ahead log is one file: what waits for it to be on the disk waits for all that was written before."""
    level = "FULL" if at_commit else "NORMAL"
    if connection.info.get(_SYNCHRONOUS, "FULL") != level:
        driver: Any = connection.connection.dbapi_connection
        driver.execute(f"PRAGMA synchronous = {level}")
        connection.info[_SYNCHRONOUS] = level
