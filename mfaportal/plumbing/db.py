"""The database: one engine, one way to read, one way to write, and the only place that commits.

When a transaction begins is decided here and not by the drivers. How it begins is told by `sqlite` and `postgresql`:
writers take turns on both.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Annotated, Any, cast

from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as BoundSession
from sqlalchemy import BigInteger, CursorResult, Delete, Dialect, Engine, MetaData, Update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column
from sqlalchemy.types import TypeDecorator

from .at_driver import BEGUN
from .clock import from_microseconds, to_microseconds
from .transactions import ASIDE, FOLLOWED, PATIENT, WRITES

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


class OperationSession(BoundSession):
    """Flask-SQLAlchemy's, but that an operation has begun before the session takes part in it.

    A session's own way to begin and commit costs as much as the operation of a log-in, which needs none: its
    statements are prepared. What does use the session joins the operation's transaction.
    """

    def get_bind(self, *args: Any, **named: Any) -> Engine | Connection:
        """The running operation's connection, else what Flask-SQLAlchemy says."""
        begun: Connection | None = self.info.get(BEGUN)
        return super().get_bind(*args, **named) if begun is None else begun


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False, "class_": OperationSession})


@contextmanager
def transaction(*, aside: bool = False, followed: bool = False, patient: bool = False) -> Iterator[Session]:
    """One operation: begin for writing, commit at the end, roll back on any exception.

    What the request read before is closed first, so the operation sees the world as it is now. Operations take turns,
    but for one that goes `aside`: it changes one row and has read nothing. A `patient` one may take minutes. One that
    is `followed` does not wait for the disk: nobody is answered before the next one has, which takes this one along.
    """
    session = db.session()
    if BEGUN in session.info:
        raise RuntimeError("an operation must not call an operation")
    session.rollback()
    session.expunge_all()
    connection = _unless_lost(partial(_begin, {WRITES: True, ASIDE: aside, FOLLOWED: followed, PATIENT: patient}))
    session.info[BEGUN] = connection
    if not aside:
        session.info[_WROTE] = True
    try:
        yield session
        if session.in_transaction():
            session.commit()  # writes what it holds; what is committed is the connection's
        connection.commit()
    except BaseException:
        session.rollback()
        connection.rollback()  # to `close` alone, what could not be committed counts as ended
        raise
    finally:
        del session.info[BEGUN]
        connection.close()


def _begin(options: dict[str, bool]) -> Connection:
    connection = db.engine.connect().execution_options(**options)
    try:
        connection.begin()
    except BaseException:
        connection.close()
        raise
    return connection


def _unless_lost(begin: Callable[[], Connection]) -> Connection:
    """To begin is the one part of an operation that may be done again: nothing has happened yet."""
    try:
        return begin()
    except OperationalError as error:
        if not error.connection_invalidated:
            raise
        return begin()


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
        _unless_lost(partial(_patiently, session))
    try:
        yield session
    finally:
        session.expunge_all()  # before the rollback, which would make each object ask again
        session.rollback()


def is_open() -> bool:
    """Whether this request has an operation running, or a look at the database that is not closed yet."""
    session = db.session() if db.session.registry.has() else None
    return session is not None and (BEGUN in session.info or session.in_transaction())


def _patiently(session: Session) -> Connection:
    session.rollback()
    return session.connection(execution_options={PATIENT: True})


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
