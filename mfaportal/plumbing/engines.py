"""The engine: which database a URL names, how it is reached, and what is said where it cannot be.

What differs between the databases is told by `sqlite` and `postgresql`.
"""

import os
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from . import sqlite
from .config import SettingError

_KEPT_CONNECTIONS = 8
"""A worker has more threads than that, but most of them wait for nothing of the database."""


def engine_options(url: str, threads: int) -> dict[str, Any]:
    """Options for `create_engine`: up to as many connections as a worker has threads; few of them stay open."""
    kept = min(threads, _KEPT_CONNECTIONS)
    options: dict[str, Any] = {"pool_size": kept, "max_overflow": threads - kept + 2, "pool_timeout": 5}
    options["pool_use_lifo"] = True  # the ones in use stay few, and warm
    options["hide_parameters"] = True  # errors would carry what people typed into the log
    if is_sqlite(url):
        return options | sqlite.engine_options()
    ours: dict[str, Any] = _postgresql().engine_options(make_url(url))
    return options | ours


def engine_for(url: str) -> Engine:
    """An engine for a database beside the portal's own: what a copy reads or fills."""
    engine = create_engine(url, **engine_options(url, 1))
    listen(engine)
    return engine


def is_sqlite(url: str | URL) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def _postgresql() -> ModuleType:
    """Loaded where it is used: SQLite's users need not have installed its driver. Without it, a SettingError."""
    try:
        import psycopg  # noqa: F401, PLC0415

        from . import postgresql  # noqa: PLC0415
    except ImportError as error:
        raise SettingError(
            "MFAPORTAL_DATABASE_URL: for PostgreSQL, its driver is to be installed first:"
            " .venv/bin/pip install --require-hashes -r requirements-postgresql.txt"
        ) from error
    return postgresql


def is_there(url: str) -> bool:
    """Whether the database was there, and in use, before this start.

    Raises:
        SettingError: this is no database's address, its driver is not installed, or its server does not answer.
    """
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, ValueError) as error:
        raise SettingError("MFAPORTAL_DATABASE_URL is no address of a database.") from error
    if is_sqlite(parsed):
        return parsed.database is not None and Path(parsed.database).exists()
    return bool(_postgresql().is_filled(parsed))


def prepare(url: str) -> None:
    """Make SQLite's file, if it is one.

    Raises:
        SettingError: it cannot be opened, or is no database.
    """
    if is_sqlite(url):
        sqlite.prepare(make_url(url))


_FORBIDDEN = "42501"
"""What PostgreSQL says to a user without the right."""


@contextmanager
def refused_in_words() -> Iterator[None]:
    """While starting, a database that fails, or in which the portal may not do what it has to, is a wrong setting.

    Raises:
        SettingError: what the database said.
    """
    try:
        yield
    except DBAPIError as error:
        if not isinstance(error, OperationalError) and getattr(error.orig, "sqlstate", None) != _FORBIDDEN:
            raise
        raise SettingError(
            f"MFAPORTAL_DATABASE_URL: the database cannot be used: {str(error.orig).splitlines()[0].rstrip('.')}."
        ) from error


def alone_at(engine: Engine) -> AbstractContextManager[None]:
    """For a server's database: one process on one host at a time."""
    return cast(AbstractContextManager[None], _postgresql().alone(engine))


_engines: "weakref.WeakSet[Engine]" = weakref.WeakSet()


def listen(engine: Engine) -> None:
    """Hook the database's rules onto an engine."""
    if is_sqlite(engine.url):
        sqlite.listen(engine)
    else:
        _postgresql().listen(engine)
        _engines.add(engine)


def _leave_to_the_parent() -> None:
    """A child process must not speak over its parent's connections."""
    for engine in list(_engines):
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_leave_to_the_parent)
