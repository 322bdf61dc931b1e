"""A change that every log-in makes: put together and compiled once for each database, run at the driver.

SQLAlchemy's own way puts the statement together, looks for it among those compiled and prepares its result anew each
time, which costs ten times what the database takes for it (`make bench`).
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from sqlalchemy import Dialect, Executable, Table
from sqlalchemy.orm import Session

from .at_driver import as_sqlalchemys, connection_of

Insert = Callable[[Table], Any]
"""How a database spells an INSERT that may meet a row that is there."""


class Changed(NamedTuple):
    """The rows that came back, as the driver gives them (instants as numbers), and how many rows were changed."""

    rows: list[Any]
    number: int


class _Compiled(NamedTuple):
    sql: str
    order: tuple[str, ...]
    constants: Mapping[str, Any]
    shapes: Mapping[str, Callable[[Any], Any]]
    """What makes of a value what the driver takes."""


class PreparedChange:
    """`make` puts the statement together. Values are what its columns take."""

    def __init__(self, make: Callable[[Insert], Executable]) -> None:
        self._make = make
        self._compiled: dict[str, _Compiled] = {}

    def run(self, session: Session, values: Mapping[str, Any]) -> Changed:
        """Make the change inside the session's transaction.

        Raises:
            DBAPIError: what SQLAlchemy would raise.
        """
        connection = connection_of(session)
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = self._compile(dialect)
        sql, order, constants, shapes = compiled
        filled = {**constants, **values}
        for name, shape in shapes.items():
            filled[name] = shape(filled[name])
        driver: Any = connection.connection.dbapi_connection
        try:
            ask = driver.execute if dialect.name == "sqlite" else driver.prepared
            cursor = ask(sql, [filled[name] for name in order])
            changed = Changed(cursor.fetchall() if cursor.description else [], cursor.rowcount)
            cursor.close()
        except dialect.loaded_dbapi.Error as error:
            lost = dialect.is_disconnect(error, driver, None)
            if lost:
                connection.invalidate(error)
            raise as_sqlalchemys(error, dialect, lost=lost) from error
        return changed

    def _compile(self, dialect: Dialect) -> _Compiled:
        """With constants written out, as in a `PreparedRow`, and for its reasons."""
        statement: Any = self._make(_insert(dialect))
        if dialect.name != "sqlite":
            dialect = cast(Any, type(dialect))(paramstyle="numeric_dollar")
        for parameter in statement.compile(dialect=dialect).binds.values():
            parameter.literal_execute = parameter.value is not None
        compiled = statement.compile(dialect=dialect)
        told = [name for name, parameter in compiled.binds.items() if parameter.required]
        whole = compiled.construct_expanded_state(dict.fromkeys(told))
        constants = {name: value for name, value in whole.parameters.items() if name not in told}
        shapes = dict(compiled._bind_processors)  # noqa: SLF001
        return _Compiled(whole.statement, tuple(whole.positiontup or ()), constants, shapes)


def _insert(dialect: Dialect) -> Insert:
    if dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415  # large, and rarely the one in use
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]  # noqa: PLC0415
    return insert
