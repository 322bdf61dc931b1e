"""All rows of one database of ours put into another, and the proof that they are the same there. No operation.

The two may be of different kinds. What triggers keep (lists, counts, search) is not copied: it follows from rows.
"""

import re
from collections.abc import Callable, Iterator
from enum import Enum

from sqlalchemy import Connection, Table, delete, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from ..models import Portal, Setting
from ..plumbing import kept_rows, table_rows
from ..plumbing.db import db
from ..plumbing.table_rows import Rows, TableProof

Told = Callable[[str, str, int, int], None]
"""Is told what is done with which table, with how many rows, of how many."""


class CopyFault(Exception):
    """It is not a copy; why, as the rest of a sentence."""


class Holds(Enum):
    """What a database holds that is to be filled."""

    NOTHING = "nothing"
    FRESH = "fresh"
    """What a first start makes, and nobody in it."""
    OTHER_REVISION = "other revision"
    OTHER_TABLES = "other tables"
    SOMETHING = "something"


def copied_tables() -> list[Table]:
    """Each after those that it refers to."""
    return [table for table in db.metadata.sorted_tables if not table.info.get("kept_by_triggers")]


def holds(connection: Connection, revision: str) -> Holds:
    """What is in a database; `revision` is the one that it should have."""
    names = set(inspect(connection).get_table_names())
    if "alembic_version" not in names:
        return Holds.OTHER_TABLES if names else Holds.NOTHING
    if connection.scalar(text("SELECT version_num FROM alembic_version")) != revision:
        return Holds.OTHER_REVISION
    return Holds.SOMETHING if _is_used(connection) else Holds.FRESH


def _is_used(connection: Connection) -> bool:
    """A first start makes one portal and notes which keys it has; everything else is somebody's."""
    most = {Portal.__tablename__: 1}
    for table in copied_tables():
        if table.name != Setting.__tablename__:
            key = select(table.primary_key.columns[0]).limit(2)
            if len(connection.scalars(key).all()) > most.get(table.name, 0):
                return True
    return False


def empty(connection: Connection) -> None:
    """Take everything out of a server's database, inside its transaction; events, too, which triggers keep else."""
    names = [connection.dialect.identifier_preparer.format_table(table) for table in db.metadata.sorted_tables]
    for name in names:
        connection.exec_driver_sql(f"ALTER TABLE {name} DISABLE TRIGGER USER")
    connection.exec_driver_sql(f"TRUNCATE {', '.join(names)}")
    for name in names:
        connection.exec_driver_sql(f"ALTER TABLE {name} ENABLE TRIGGER USER")


def copy(source: Connection, target: Connection, told: Told) -> list[TableProof]:
    """Fill a database in which nobody is, inside its transaction; the proof, table by table.

    Raises:
        CopyFault: a row cannot be stored, or what is there is not the same. The transaction is to be rolled back.
    """
    tables = copied_tables()
    for table in reversed(tables):
        target.execute(delete(table))
    with kept_rows.set_aside(target):
        for table in tables:
            _write(source, target, table, told)
    for table in table_rows.counted(tables):
        last = max(table_rows.last_id(source, table), table_rows.last_id(target, table))
        table_rows.go_on_from(target, table, last)
    return [_proven(source, target, table, told) for table in tables]


def _write(source: Connection, target: Connection, table: Table, told: Told) -> None:
    try:
        table_rows.write(target, table, _telling(source, table, told))
    except _faults(source, target) as error:
        raise CopyFault(f"the table {table.name} could not be copied: {_reason(source, table, error)}") from error


def _telling(source: Connection, table: Table, told: Told) -> Iterator[Rows]:
    done, total = 0, table_rows.count(source, table)
    for portion in table_rows.portions(source, table):
        yield portion
        done += len(portion)
        told("copied", table.name, done, total)


def _proven(source: Connection, target: Connection, table: Table, told: Told) -> TableProof:
    """Both sides are read anew, each by itself."""
    here, there = table_rows.prove(source, table), table_rows.prove(target, table)
    told("compared", table.name, here.rows, here.rows)
    if here.rows != there.rows:
        raise CopyFault(f"the table {table.name} has {here.rows} rows here and {there.rows} there")
    if here != there:
        raise CopyFault(f"the table {table.name} has other rows there than here: {there.digest}, not {here.digest}")
    return here


def _faults(*connections: Connection) -> tuple[type[Exception], ...]:
    drivers = [each.dialect.loaded_dbapi.Error for each in connections]
    return (SQLAlchemyError, TypeError, ValueError, *drivers)


def _reason(source: Connection, table: Table, error: Exception) -> str:
    """The first line of what the database says, and where it was."""
    original = getattr(error, "orig", None) or error
    said = next(iter(str(original).splitlines()), type(original).__name__).rstrip(".")
    if "NUL" in said:
        return _nul(source, table) or said
    place = re.search(r"line (\d+)(?:, column (\w+))?", str(getattr(getattr(original, "diag", None), "context", "")))
    if place is None:
        return said
    column = f", column {place[2]}" if place[2] else ""
    return f"{said} (row {place[1]} in the order of their keys{column})"


def _nul(source: Connection, table: Table) -> str | None:
    """PostgreSQL stores no such character, and SQLite does: where the first one is."""
    for portion in table_rows.portions(source, table):
        for row in portion:
            for column, value in zip(table.columns, row, strict=True):
                if isinstance(value, str) and "\0" in value:
                    key = ", ".join(str(row[table.columns.keys().index(each.name)]) for each in table.primary_key)
                    return f"{column.name} of row {key} holds a NUL character, which PostgreSQL does not store"
    return None
