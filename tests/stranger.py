"""Another program at the same database: it writes, holds the database, and sees who left something open."""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, make_url


class Stranger(ABC):
    """One connection. It waits for nobody, unless it is told to."""

    @abstractmethod
    def begin(self, *, wait: float = 0) -> bool:
        """Begin to write, as an operation does; whether it was this one's turn within so many seconds."""

    @abstractmethod
    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        """By itself, or in what was begun."""

    @abstractmethod
    def left_open(self) -> list[Any]:
        """What others have begun and not ended, be it only to read."""

    @abstractmethod
    def close(self) -> None: ...


@contextmanager
def stranger_at(url: str) -> Iterator[Stranger]:
    parsed = make_url(url)
    made = _AtFile(Path(parsed.database or "")) if parsed.get_backend_name() == "sqlite" else _at_server(parsed)
    try:
        yield made
    finally:
        made.close()


class _AtFile(Stranger):
    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)

    def begin(self, *, wait: float = 0) -> bool:
        self._connection.execute(f"PRAGMA busy_timeout = {int(wait * 1000)}")
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            return False
        return True

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()

    def left_open(self) -> list[Any]:
        """An open reader would let the write-ahead log grow for ever."""
        return [left for left in self.execute("PRAGMA wal_checkpoint(TRUNCATE)") if left != (0, 0, 0)]

    def close(self) -> None:
        self._connection.close()


def _at_server(url: URL) -> Stranger:
    from mfaportal.plumbing import postgresql  # noqa: PLC0415  # only there is a driver needed
    from tests.contents_on_server import on_server  # noqa: PLC0415

    class AtServer(Stranger):
        def __init__(self) -> None:
            self._connection = on_server(url).another()

        def begin(self, *, wait: float = 0) -> bool:
            self._connection.execute("BEGIN")
            turn, patience = f"pg_advisory_xact_lock({postgresql.TURN})", int(wait * 1000)
            if wait:
                self._connection.execute(f"SET LOCAL lock_timeout = {patience}; SELECT {turn}")
                return True
            ((own,),) = self.execute(f"SELECT {turn.replace('advisory', 'try_advisory')}")
            if not own:
                self._connection.execute("ROLLBACK")
            return bool(own)

        def execute(self, sql: str) -> list[tuple[Any, ...]]:
            cursor = self._connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

        def left_open(self) -> list[Any]:
            """An open reader would keep all that is changed meanwhile from being cleaned up."""
            return self.execute(_OPEN)

        def close(self) -> None:
            self._connection.close()

    return AtServer()


_OPEN = (
    "SELECT state, application_name, query FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'"
)
