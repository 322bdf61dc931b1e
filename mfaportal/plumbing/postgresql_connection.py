"""A connection to PostgreSQL that gives up on a server which is there and says nothing, and how one is made while the
server is away.
"""

import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, TypeVar

from psycopg import Connection, Cursor, NotSupportedError, OperationalError, RawCursor
from psycopg.abc import PQGen
from psycopg.errors import ConnectionTimeout, IdleInTransactionSessionTimeout
from psycopg.pq import TransactionStatus

Made = TypeVar("Made")

SILENCE = 5.0
"""Seconds without an answer after which the server is asked whether it lives."""
_ASKED = 3
"""Seconds in which it is to say anything."""
PATIENCE = 4.0
"""Seconds in which a server may restart before anybody is told."""


class PortalConnection(Connection[Any]):
    """psycopg's own, with patience for a server that restarts and none for one that has stopped."""

    @classmethod
    def patiently(cls, *arguments: Any, **named: Any) -> "PortalConnection":
        """Connect, and wait a moment for a server that is about to come back.

        Raises:
            OperationalError: it did not.
        """
        return _waiting.connect(lambda: cls.connect(*arguments, **named))

    def prepared(self, sql: str, values: Sequence[Any]) -> Cursor[Any]:
        """Run a statement that the server keeps prepared; its parameters are $1, $2 and so on."""
        return RawCursor(self).execute(sql, values, prepare=True)

    def rollback(self) -> None:
        """As psycopg's own, which would have all forgotten that the server keeps prepared: we take back no tables."""
        if self.pgconn.transaction_status != TransactionStatus.IDLE:
            with self.lock:
                self.wait(self._exec_command(b"ROLLBACK"))

    def wait(self, gen: PQGen[Made], interval: float = 0.1, timeout: float | None = None) -> Made:
        """As psycopg's own. What another connection will not meet again counts as this one's end.

        The server has waited for us for too long, was migrated under a prepared statement, or is a replica by now.

        Raises:
            OperationalError: the server's, or in place of it.
        """
        try:
            return super().wait(self._listening(gen), interval, timeout)
        except (IdleInTransactionSessionTimeout, NotSupportedError) as error:
            self.close()
            raise OperationalError(str(error)) from error

    def _listening(self, gen: PQGen[Made]) -> PQGen[Made]:
        """A paused server keeps its sockets, so that neither the network nor psycopg would ever give up."""
        until = time.monotonic() + SILENCE
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() > until:
                    if self._is_silent():
                        self.close()
                        raise OperationalError("the server has stopped answering")
                    until = time.monotonic() + SILENCE
                wanted = gen.send(ready)
        except StopIteration as ended:
            return ended.value  # type: ignore[no-any-return]

    def _is_silent(self) -> bool:
        """Whether nobody talks to somebody new either. libpq's own ping would hold up the other threads."""
        try:
            Connection.connect(self.info.dsn, connect_timeout=_ASKED).close()
        except ConnectionTimeout:
            return True
        except OperationalError:
            return False  # it refuses us, and so it lives
        return False


class _Waiting:
    """How this process meets a server that is away: it waits a moment, as for a restart; if that was not enough, one
    request at a time still tries, and the others are told at once.
    """

    def __init__(self) -> None:
        self._away_since: float | None = None
        self._scout = Lock()

    def connect(self, make: Callable[[], Made]) -> Made:
        while True:
            begun = time.monotonic()
            late = self._away_since is not None and begun - self._away_since > PATIENCE
            if late and not self._scout.acquire(blocking=False):
                raise OperationalError("the server is away, and somebody else is asking")
            try:
                made = make()
            except OperationalError:
                self._away_since = self._away_since or begun
                if time.monotonic() - self._away_since > PATIENCE:
                    raise
            else:
                self._away_since = None
                return made
            finally:
                if late:
                    self._scout.release()
            time.sleep(0.05)


_waiting = _Waiting()
