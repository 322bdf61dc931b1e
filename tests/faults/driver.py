"""A driver that fails on demand: the n-th statement of a request, or the commit, before it was done or after."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NoReturn

from flask import Flask
from sqlalchemy import event

from mfaportal.plumbing.db import db
from mfaportal.plumbing.sqlite import BUSY_TIMEOUT_MS

Connect = Callable[[object, object, list[Any], dict[str, Any]], Any]
ERRORS = ("database is locked", "disk I/O error", "database or disk is full")
LOST = "connection lost"
"""Of PostgreSQL alone, and then it is really gone: SQLite is a part of the process, and nothing lies between them."""


class At(Enum):
    """Whether the statement that fails was done."""

    BEFORE = "before"
    AFTER = "after"


@dataclass
class Breaker:
    """Counts statements, commits among them, and raises at one of them. Pragmas and rollbacks never fail."""

    errors: dict[str, type[Exception]]
    """As which the driver would say them."""
    fail_at: int = 0
    when: At = At.BEFORE
    error: str = ERRORS[0]
    seen: list[str] = field(default_factory=list)

    def arm(self, fail_at: int = 0, when: At = At.BEFORE, error: str = ERRORS[0]) -> None:
        """Begin to count anew; 0 never fails."""
        self.fail_at, self.when, self.error = fail_at, when, error
        self.seen.clear()

    @contextmanager
    def around(self, statement: str, lose: Callable[[], None] | None = None) -> Iterator[None]:
        """`lose` ends the connection."""
        self.seen.append(statement)
        due = len(self.seen) == self.fail_at
        if due and self.when is At.BEFORE:
            self._fail(lose)
        yield
        if due and self.when is At.AFTER:
            self._fail(lose)

    def _fail(self, lose: Callable[[], None] | None) -> NoReturn:
        if self.error == LOST:
            assert lose is not None
            lose()
        raise self.errors[self.error](self.error)

    @property
    def commits(self) -> list[int]:
        """Which of the statements were commits, counted from one."""
        return [number for number, statement in enumerate(self.seen, 1) if statement == "COMMIT"]


def broken_driver(app: Flask) -> Breaker:
    """From now on the app's connections count, and fail when told to."""
    with app.app_context():
        breaker, connect = (_sqlite if db.engine.dialect.name == "sqlite" else _postgresql)()
        event.listen(db.engine, "do_connect", connect)
        db.engine.dispose()
    return breaker


def _sqlite() -> tuple[Breaker, Connect]:
    breaker = Breaker(dict.fromkeys(ERRORS, sqlite3.OperationalError))

    class Cursor(sqlite3.Cursor):
        def execute(self, sql: str, parameters: Any = (), /) -> "Cursor":
            if sql.startswith(("PRAGMA", "ROLLBACK")):
                return super().execute(sql, parameters)
            with breaker.around(sql):
                return super().execute(sql, parameters)

        def executemany(self, sql: str, parameters: Any, /) -> "Cursor":
            with breaker.around(sql):
                return super().executemany(sql, parameters)

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(factory)

        def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
            """Python's own goes round the cursor's; this is what statements compiled once are run with."""
            made: Cursor = self.cursor()
            return made.execute(sql, parameters)

        def commit(self) -> None:
            if not self.in_transaction:
                return super().commit()
            with breaker.around("COMMIT"):
                return super().commit()

    def connect(_dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]) -> Connection:
        options |= {"factory": Connection, "timeout": BUSY_TIMEOUT_MS / 1000}
        made: Connection = sqlite3.connect(*arguments, **options)
        return made

    return breaker, connect


def _postgresql() -> tuple[Breaker, Connect]:
    import psycopg  # noqa: PLC0415  # only here is it needed
    from psycopg import errors  # noqa: PLC0415

    from mfaportal.plumbing import postgresql  # noqa: PLC0415
    from mfaportal.plumbing.postgresql_connection import PortalConnection  # noqa: PLC0415

    event.remove(db.engine, "do_connect", postgresql._connect)
    theirs = (errors.LockNotAvailable, errors.IoError, errors.DiskFull)
    breaker = Breaker({**dict(zip(ERRORS, theirs, strict=True)), LOST: psycopg.OperationalError})

    class Cursor(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **options: Any) -> "Cursor":
            with breaker.around(query, self.connection.close):
                return super().execute(query, params, **options)

        def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
            with breaker.around(query, self.connection.close):
                super().executemany(query, params_seq, **options)

    class Connection(PortalConnection):
        def prepared(self, sql: str, values: Sequence[Any]) -> psycopg.Cursor[Any]:
            with breaker.around(sql, self.close):
                return super().prepared(sql, values)

        def commit(self) -> None:
            if self.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
                return super().commit()
            with breaker.around("COMMIT", self.close):
                return super().commit()

    def connect(_dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]) -> Connection:
        made = Connection.patiently(*arguments, **options)
        made.cursor_factory = Cursor
        assert isinstance(made, Connection)
        return made

    return breaker, connect
