"""A SELECT of one row that every request runs: compiled once for each database, and run at the driver."""

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import BindParameter, Dialect, Select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.sql.visitors import traverse

from .at_driver import connection_of
from .db import db


class PreparedRow:
    """SQLAlchemy's own way costs five times what SQLite takes for it (`make bench`). Values come as the driver gives
    them: instants as numbers.
    """

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        self._compiled: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {}

    def one(self, values: dict[str, Any]) -> Sequence[Any]:
        """The row, read outside any transaction on a connection of the pool.

        A connection may die between the look at it and the question, and a question may be asked again.
        """
        try:
            return self._one(values)
        except OperationalError as error:
            if not error.connection_invalidated:
                raise
            return self._one(values)

    def _one(self, values: dict[str, Any]) -> Sequence[Any]:
        engine = db.engine
        driver = engine.dialect.loaded_dbapi.Error
        connection = None
        try:
            connection = engine.raw_connection()
            return self._fetch(engine.dialect, connection.dbapi_connection, values)
        except driver as error:
            lost = connection is not None and engine.dialect.is_disconnect(error, connection.dbapi_connection, None)
            if connection is not None and lost:
                connection.invalidate(error)
            raise OperationalError(None, None, error, connection_invalidated=lost) from error  # SQLAlchemy's own: 503
        finally:
            if connection is not None:
                connection.close()

    def one_in(self, session: Session, values: dict[str, Any]) -> Sequence[Any]:
        """The row, read inside the session's transaction."""
        connection = connection_of(session)
        driver = connection.dialect.loaded_dbapi.Error
        try:
            return self._fetch(connection.dialect, connection.connection.dbapi_connection, values)
        except driver as error:
            lost = connection.dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
            if lost:
                connection.invalidate(error)
            raise OperationalError(None, None, error, connection_invalidated=lost) from error

    def _fetch(self, dialect: Dialect, connection: Any, values: dict[str, Any]) -> Sequence[Any]:
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = self._compile(dialect)
        sql, order, constants = compiled
        filled = tuple([values[name] if name in values else constants[name] for name in order])
        cursor = connection.execute(sql, filled) if dialect.name == "sqlite" else connection.prepared(sql, filled)
        row = cursor.fetchone()
        cursor.close()
        return cast(Sequence[Any], row)

    def _compile(self, dialect: Dialect) -> tuple[str, tuple[str, ...], dict[str, Any]]:
        """The statement with its constants written out: only what differs from request to request stays a parameter.

        SQLite prepares a statement anew when a value is bound that could change its plan: 150 microseconds a request.
        PostgreSQL would not use an index over open requests for a state that it learns afterwards.
        """
        traverse(self._statement, {}, {"bindparam": _write_out})
        if dialect.name != "sqlite":
            dialect = cast(Any, type(dialect))(paramstyle="numeric_dollar")
        compiled = self._statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        return str(compiled), tuple(compiled.positiontup or ()), dict(compiled.construct_params())


def _write_out(parameter: BindParameter[Any]) -> None:
    if parameter.value is not None:
        parameter.literal_execute = True
