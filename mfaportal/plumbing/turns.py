"""What only one process may do at a time, on however many hosts: it belongs to whoever has the turn.

With SQLite there is one host, and a lock on a file of the instance folder is enough. With PostgreSQL it is a lock of
the server's, which belongs to a connection. Both end with their holder: whoever dies, or is cut off, has it no more.
"""

import fcntl
import os
import select
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from .engines import is_sqlite

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection

LOCK = "sender.lock"
SENDER = 0x6D66_6103
"""Beside the writers' turn and the migrations' lock (`postgresql`)."""


class Turn(Protocol):
    """Asked again and again; it is cheap where the answer is yes."""

    def have(self) -> bool:
        """Whether this process has it, or could take it just now."""

    def leave(self) -> None:
        """Let another have it."""


def of_sender(engine: Engine, instance: Path) -> Turn:
    """Whose turn it is to send mail and to tidy up."""
    return FileTurn(instance / LOCK) if is_sqlite(engine.url) else ServerTurn(engine, SENDER)


class FileTurn:
    """A lock on a file, free the moment its holder is gone."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: int | None = None

    def have(self) -> bool:
        if self._lock is not None:
            return True
        try:
            number = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return False  # no file numbers left, or a folder that is gone: perhaps the next time
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(number)
            return False
        self._lock = number
        return True

    def leave(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


class ServerTurn:
    """An advisory lock of PostgreSQL, on a connection that is in no pool."""

    def __init__(self, engine: Engine, number: int) -> None:
        self._engine = engine
        self._number = number
        self._connection: DBAPIConnection | None = None

    def have(self) -> bool:
        if self._connection is not None and not _is_over(self._connection):
            return True
        self.leave()
        try:
            return self._take()
        except (DBAPIError, self._engine.dialect.loaded_dbapi.Error):
            return False  # the server is away: whoever waits asks again

    def leave(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _take(self) -> bool:
        pooled = self._engine.raw_connection()
        try:
            cursor = pooled.cursor()
            cursor.execute(f"SELECT pg_try_advisory_lock({self._number})")
            row = cursor.fetchone()
            if row is None or not row[0]:
                return False
            # For whoever looks at the server's list of connections.
            cursor.execute(f"SET application_name = 'mfaportal sender {os.getpid()}'")
            cursor.close()
            connection = pooled.dbapi_connection
            pooled.detach()
            self._connection = connection
            return True
        finally:
            if self._connection is None:
                pooled.close()


def _is_over(connection: Any) -> bool:
    """A server that ends a connection says so, and the network's own timers tell of one that is gone."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(connection.closed or poll.poll(0))
