"""The database: one engine, one way to read, one way to write, and the only place that commits.

When a transaction begins is decided here and not by the drivers. How it begins is told by `sqlite` and `postgresql`:
writers take turns on both.
"""

import os
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, cast

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, CursorResult, Delete, Dialect, Engine, MetaData, Update, create_engine
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column
from sqlalchemy.types import TypeDecorator

from . import sqlite
from .at_driver import BEGUN
from .clock import from_microseconds, to_microseconds
from .config import SettingError
from .transactions import ASIDE, FOLLOWED, PATIENT, WRITES

_KEPT_CONNECTIONS = 8
"""A worker has more threads than that, but most of them wait for nothing of the database."""
_NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Instant(TypeDecorator[datetime]):
    """A moment, kept as microseconds since 1970: compares and adds up in SQL, means the same in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int | None:
        return None if value is None else to_microseconds(value)

    def process_result_value(self, value: int | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else from_microseconds(value)


Moment = Annotated[datetime, mapped_column(Instant())]
"""A column's annotation: `Mapped[Moment]`."""


class Base(DeclarativeBase):
    """The typed base that Flask-SQLAlchemy builds its model class on."""

    metadata = MetaData(naming_convention=_NAMES)


_WROTE = "mfaportal_wrote"

db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


@contextmanager
def transaction(*, aside: bool = False, followed: bool = False, patient: bool = False) -> Iterator[Session]:
    """One operation: begin for writing, commit at the end, roll back on any exception.

    What the request read before is closed first, so the operation sees the world as it is now. Operations take turns,
    but for one that goes `aside`: it changes one row and has read nothing. A `patient` one may take minutes. One that
    is `followed` does not wait for the disk: nobody is answered before the next one has, which takes this one along.
    """
    session = db.session()
    if session.in_transaction() and session.connection().get_execution_options().get(WRITES):
        raise RuntimeError("an operation must not call an operation")
    if session.in_transaction():
        session.rollback()
    session.expunge_all()
    session.info[BEGUN] = _begin(session, {WRITES: True, ASIDE: aside, FOLLOWED: followed, PATIENT: patient})
    if not aside:
        session.info[_WROTE] = True
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        del session.info[BEGUN]


def _begin(session: Session, options: dict[str, bool]) -> Connection:
    """To begin is the one part of an operation that may be done again: nothing has happened yet."""
    try:
        return session.connection(execution_options=options)
    except OperationalError as error:
        if not error.connection_invalidated:
            raise
        session.rollback()
        return session.connection(execution_options=options)


def may_ask_again(error: OperationalError) -> bool:
    """Whether this request failed with a connection that died, and has done nothing but read until then."""
    session = db.session()
    if not error.connection_invalidated or session.info.get(_WROTE):
        return False
    session.rollback()
    return True


@contextmanager
def reading(*, patient: bool = False) -> Iterator[Session]:
    """One consistent look at the database, closed afterwards. What was loaded stays as it was, without a session."""
    session = db.session()
    if patient and not session.in_transaction():
        _begin(session, {PATIENT: True})
    try:
        yield session
    finally:
        session.expunge_all()  # before the rollback, which would make each object ask again
        session.rollback()


def change(session: Session, statement: Update | Delete) -> int:
    """Run one UPDATE or DELETE; how many rows it changed. Objects loaded before are not brought up to date."""
    result = session.execute(statement, execution_options={"synchronize_session": False, "preserve_rowcount": True})
    return cast(CursorResult[Any], result).rowcount


def insert_or_ignore(session: Session, table: type[Base]) -> Any:
    """An INSERT that a row with the same key turns into nothing. Each database spells it its own way."""
    if session.get_bind().dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415  # large, and rarely the one in use
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]  # noqa: PLC0415
    return insert(table).on_conflict_do_nothing().inline()  # `change` counts rows; it would count keys given back


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
