"""SQLite's file as a whole: a copy of it while it is written to, and whether a copy is sound."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url

from .engines import is_sqlite
from .sqlite import BUSY_TIMEOUT_MS

_TIMEOUT = BUSY_TIMEOUT_MS / 1000


def path_of(url: str) -> Path | None:
    """Where the database lies; None for one on a server."""
    name = make_url(url).database
    return Path(name) if is_sqlite(url) and name else None


def copy(source: Path, target: Path) -> None:
    """A consistent copy, made in one read transaction: no writer waits for it, and nothing deleted is in it.

    Raises:
        OSError: the disk is full, or the database cannot be read.
    """
    target.touch(mode=0o600)
    try:
        with closing(sqlite3.connect(source, timeout=_TIMEOUT, isolation_level=None)) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        raise OSError(str(error)) from error


def fault(path: Path) -> str | None:
    """What is wrong with a database file, in a few words; None when it is sound."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_TIMEOUT)) as connection:
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if found != "ok":
                return str(found)
            if connection.execute("PRAGMA foreign_key_check").fetchone():
                return "rows refer to nothing"
    except sqlite3.Error as error:
        return str(error)
    return None


def counts(path: Path) -> dict[str, int]:
    """How many rows each table holds."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_TIMEOUT)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name.replace(chr(34), chr(34) * 2)}"').fetchone()[0]  # noqa: S608
            for (name,) in tables
            if not name.startswith("sqlite_")
        }


def make_whole(path: Path) -> bool:
    """Bring what stands beside the file into it; False when another process has it open.

    A file that is no sound database stays as it is: whoever moves it moves what stands beside it, too.
    """
    try:
        with closing(sqlite3.connect(path, timeout=0.2, isolation_level=None)) as connection:
            return bool(connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0] == "delete")
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    except sqlite3.DatabaseError:
        return True


def beside(path: Path) -> list[Path]:
    """What SQLite keeps beside a database while it is in use."""
    return [path.with_name(path.name + ending) for ending in ("-wal", "-shm", "-journal")]
