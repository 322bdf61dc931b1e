"""The database: one engine, one way to read, one way to write, and the only place that commits.

SQLite is told when to begin (the driver's own ways lose races): reads begin plainly, writes begin IMMEDIATE, so
that a transaction never finds out at its first write that somebody else was faster (security.md, fact 20).
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, cast

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, CursorResult, Delete, Dialect, Engine, MetaData, Select, Update, event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column
from sqlalchemy.types import TypeDecorator

from .clock import from_microseconds, to_microseconds
from .config import SettingError

BUSY_TIMEOUT_MS = 5000
JOURNAL_BYTES = 16 * 1024 * 1024
"""What is kept of a write-ahead log that a long reader has let grow, once it is gone."""
_WRITE = "mfaportal_write"

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


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


@contextmanager
def transaction() -> Iterator[Session]:
    """One operation: begin for writing, commit at the end, roll back on any exception.

    What the request read before is closed first, so the operation sees the world as it is now.
    """
    session = db.session()
    if session.in_transaction() and session.connection().get_execution_options().get(_WRITE):
        raise RuntimeError("an operation must not call an operation")
    session.rollback()
    session.expunge_all()
    session.connection(execution_options={_WRITE: True})
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise


@contextmanager
def reading() -> Iterator[Session]:
    """One consistent look at the database, closed afterwards. What was loaded stays as it was, without a session."""
    session = db.session()
    try:
        yield session
    finally:
        session.expunge_all()  # before the rollback, which would make each object ask again
        session.rollback()


def change(session: Session, statement: Update | Delete) -> int:
    """Run one UPDATE or DELETE; how many rows it changed. Objects loaded before are not brought up to date."""
    result = session.execute(statement, execution_options={"synchronize_session": False})
    return cast(CursorResult[Any], result).rowcount


def insert_or_ignore(session: Session, table: type[Base]) -> Any:
    """An INSERT that a row with the same key turns into nothing. Each database spells it its own way."""
    if session.get_bind().dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415  # large, and rarely the one in use
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]  # noqa: PLC0415
    return insert(table).on_conflict_do_nothing()


class PreparedRow:
    """A SELECT of one row that every request runs: compiled once for each database, and run at the driver.

    SQLAlchemy's own way costs five times what SQLite takes for it (`make bench`). Values come as the driver gives
    them: instants as numbers.
    """

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        self._compiled: dict[str, tuple[str, tuple[str, ...] | None, dict[str, Any]]] = {}

    def one(self, values: dict[str, Any]) -> Sequence[Any]:
        """The row, read outside any transaction on a connection of the pool."""
        connection = db.engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(*self._call(db.engine.dialect, values))
            row = cursor.fetchone()
            cursor.close()
        except db.engine.dialect.loaded_dbapi.Error as error:
            raise OperationalError(None, None, error) from error  # as SQLAlchemy would: it answers with 503
        finally:
            connection.close()
        return cast(Sequence[Any], row)

    def one_in(self, session: Session, values: dict[str, Any]) -> Sequence[Any]:
        """The row, read inside the session's transaction."""
        connection = session.connection()
        return tuple(connection.exec_driver_sql(*self._call(connection.dialect, values)).one())

    def _call(self, dialect: Dialect, values: dict[str, Any]) -> tuple[str, Any]:
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = self._compile(dialect)
        sql, order, constants = compiled
        filled = {**constants, **values}
        return sql, filled if order is None else tuple([filled[name] for name in order])

    def _compile(self, dialect: Dialect) -> tuple[str, tuple[str, ...] | None, dict[str, Any]]:
        compiled = self._statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        constants = dict(compiled.construct_params())
        for parameter, name in compiled.bind_names.items():
            if (process := parameter.type.dialect_impl(dialect).bind_processor(dialect)) and name in constants:
                constants[name] = process(constants[name])
        if not compiled.positional or dialect.name != "sqlite":
            return str(compiled), tuple(compiled.positiontup or ()) if compiled.positional else None, constants
        return *_with_constants(str(compiled), tuple(compiled.positiontup or ()), constants), constants


def _with_constants(sql: str, order: tuple[str, ...], constants: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The statement with its constants written out: only what differs from request to request stays a parameter.

    SQLite prepares a statement anew when a value is bound that could change its plan: 150 microseconds a request.
    """
    first, *rest = sql.split("?")
    parts, left = [first], []
    for name, after in zip(order, rest, strict=True):
        value = constants[name]
        if isinstance(value, int | str):
            parts.append(str(int(value)) if isinstance(value, int) else "'" + value.replace("'", "''") + "'")
        else:
            parts.append("?")
            left.append(name)
        parts.append(after)
    return "".join(parts), tuple(left)


def engine_options(url: str, threads: int) -> dict[str, Any]:
    """Options for `create_engine`: as many connections as a worker has threads."""
    options: dict[str, Any] = {"pool_size": threads, "max_overflow": 2, "pool_timeout": 5}
    options["hide_parameters"] = True  # errors would carry what people typed into the log
    if is_sqlite(url):
        options["connect_args"] = {"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False}
    return options


def is_sqlite(url: str | URL) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def file_exists(url: str) -> bool:
    """Whether the database was there before this start. One on a server counts as there.

    Raises:
        SettingError: this is no database's address, or its driver is not installed.
    """
    try:
        parsed = make_url(url)
        parsed.get_dialect().import_dbapi()
    except (ArgumentError, ValueError) as error:
        raise SettingError("MFAPORTAL_DATABASE_URL is no address of a database.") from error
    except ImportError as error:
        raise SettingError(f"MFAPORTAL_DATABASE_URL needs the Python package {error.name}.") from error
    name = parsed.database
    return not is_sqlite(parsed) or (name is not None and Path(name).exists())


def prepare_file(url: str) -> None:
    """Make the SQLite file and its folder, readable by the owner alone, and switch it to WAL for good.

    Raises:
        SettingError: it cannot be opened, or is no database.
    """
    name = make_url(url).database
    if not is_sqlite(url) or not name:
        return
    path = Path(name)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
    except (OSError, sqlite3.DatabaseError) as error:
        raise SettingError(f"MFAPORTAL_DATABASE_URL: {path} cannot be used as a database: {error}.") from error


def listen(engine: Engine) -> None:
    """Hook the rules of this module onto an engine."""
    if is_sqlite(engine.url):
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
    write = connection.get_execution_options().get(_WRITE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
