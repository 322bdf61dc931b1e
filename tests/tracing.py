"""What reaches the database's driver, whoever sends it: SQLAlchemy's own events miss what is read below it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import event

from mfaportal.plumbing.db import db

TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "SAVEPOINT", "RELEASE", "--")
"""How the statements begin that open and close transactions, and what SQLite tells of triggers and the search."""


@contextmanager
def traced(app: Flask, *, all_of_them: bool = False) -> Iterator[list[str]]:
    """The statements that the app sends inside, in their order; if asked, those that open and close transactions."""
    seen: list[str] = []
    watched: list[Any] = []
    with app.app_context():
        engine = db.engine
    sqlite = engine.dialect.name == "sqlite"

    def note(statement: str) -> None:
        if all_of_them or not statement.lstrip().upper().startswith(TRANSACTION):
            seen.append(statement)

    def watch(connection: Any, *_more: object) -> None:
        watched.append(connection)
        if sqlite:
            connection.set_trace_callback(note)

    event.listen(engine, "checkout", watch)
    try:
        with _trace_sqlite(watched) if sqlite else _trace_postgresql(watched, note):
            yield seen
    finally:
        event.remove(engine, "checkout", watch)


@contextmanager
def _trace_sqlite(watched: list[Any]) -> Iterator[None]:
    try:
        yield
    finally:
        for connection in watched:
            connection.set_trace_callback(None)


@contextmanager
def _trace_postgresql(watched: list[Any], note: Callable[[str], None]) -> Iterator[None]:
    """Nothing can be listened to in psycopg, so its cursors' methods are replaced."""
    import psycopg  # noqa: PLC0415  # not where SQLite alone is in use

    kinds = (psycopg.Cursor, psycopg.ServerCursor)
    kept = [(kind, name, getattr(kind, name)) for kind in kinds for name in ("execute", "executemany")]

    def noting(method: Callable[..., Any]) -> Callable[..., Any]:
        def run(cursor: Any, query: Any, *more: Any, **options: Any) -> Any:
            if any(cursor.connection is connection for connection in watched):
                note(query if isinstance(query, str) else query.as_string(cursor))
            return method(cursor, query, *more, **options)

        return run

    for kind, name, method in kept:
        setattr(kind, name, noting(method))
    try:
        yield
    finally:
        for kind, name, method in kept:
            setattr(kind, name, method)
