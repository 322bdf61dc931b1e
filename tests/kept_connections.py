"""Connections to PostgreSQL outlive the app that made them: a new one costs its server more than a test asks of it.

What is closed in order lies idle, and whoever connects with the same words gets it. Only in the tests' own process.
"""

import select
from collections import defaultdict
from typing import Any

from psycopg.pq import ConnStatus, TransactionStatus

from mfaportal.plumbing.postgresql_connection import PortalConnection

_MOST = 4
"""Idle ones for each way to connect."""
_FRESH = "SELECT pg_advisory_unlock_all(); RESET ALL; SET application_name = 'kept by the tests'"
_AGAIN = "RESET application_name"
"""An idle one is not to be seen as a portal that has the database open."""
_idle: defaultdict[str, list["_Kept"]] = defaultdict(list)
_connect = PortalConnection.patiently.__func__  # type: ignore[attr-defined]


class _Kept(PortalConnection):
    words = ""
    """How it was connected; empty once it is to end."""

    def close(self) -> None:
        well = self.pgconn.status == ConnStatus.OK and self.pgconn.transaction_status == TransactionStatus.IDLE
        in_order = well and not self.lock.locked() and not _has_news(self)  # nobody is in the middle of something
        if not (self.words and in_order and len(_idle[self.words]) < _MOST) or self in _idle[self.words]:
            super().close()
            return
        self.execute(_FRESH)
        self._notice_handlers.clear()
        _idle[self.words].append(self)

    def __del__(self, *_more: object) -> None:
        """Nobody puts away the engine of each app that a test makes; psycopg would warn."""
        self.pgconn.finish()

    def end(self) -> None:
        self.words = ""
        self.close()


def install() -> None:
    """For this process."""
    PortalConnection.patiently = classmethod(_patiently)  # type: ignore[method-assign, assignment]


def _patiently(cls: type[PortalConnection], *arguments: Any, **named: Any) -> Any:
    if cls is not PortalConnection:
        return _connect(cls, *arguments, **named)
    plain = {name: value for name, value in named.items() if name != "context"}
    words = repr((arguments, sorted(plain.items()), "context" in named))  # each dialect has one, all alike
    while _idle[words]:
        kept = _idle[words].pop()
        if not _has_news(kept):
            kept.execute(_AGAIN)
            return kept
        kept.end()
    made: _Kept = _connect(_Kept, *arguments, **named)
    made.words = words
    return made


def _has_news(connection: PortalConnection) -> bool:
    """Nobody tells an idle connection anything but that it is over."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def forget(database: str | None = None) -> None:
    """End those that lie idle, of one database or of all."""
    for kept in [one for all_of_them in _idle.values() for one in all_of_them]:
        if database in (None, kept.info.dbname):
            _idle[kept.words].remove(kept)
            kept.end()
