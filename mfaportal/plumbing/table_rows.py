"""Rows of whole tables as they stand in a database: read in the order of their keys, written, and made into a digest.

Not through the models: what a copy holds must be what the original holds, to the last byte, also where a model would
read it otherwise. The digest of the same rows is the same in every database.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import JSON, Column, ColumnElement, Connection, Table, Text, cast, func, select, text, type_coerce
from sqlalchemy.types import TypeDecorator

PORTION = 1000
"""Rows that are in memory at once."""
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class TableProof:
    """How many rows a table holds, and SHA-256 over all of them."""

    table: str
    rows: int
    digest: str


def count(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0


def portions(connection: Connection, table: Table) -> Iterator[Rows]:
    """All rows, in the order of the key, a portion at a time. Texts are ordered by their bytes in every database."""
    statement = select(*map(_as_it_stands, table.columns)).order_by(*table.primary_key.columns)
    found = connection.execute(statement, execution_options={"yield_per": PORTION})
    for portion in found.partitions():
        yield [tuple(row) for row in portion]


def _as_it_stands(column: Column[Any]) -> ColumnElement[Any]:
    """Instants as numbers; JSON as the text that it was written as, which seals over events rest on."""
    if isinstance(column.type, JSON):
        return cast(column, Text)
    if isinstance(column.type, TypeDecorator):
        return type_coerce(column, column.type.impl_instance)
    return column


def prove(connection: Connection, table: Table) -> TableProof:
    """Read the table anew and sum it up."""
    total, rows = sha256(), 0
    for portion in portions(connection, table):
        rows += len(portion)
        total.update(_canonical(portion))
    return TableProof(table.name, rows, total.hexdigest())


def _canonical(rows: Rows) -> bytes:
    """Each row as a list of JSON and a comma, ASCII only: null, true, 1, "text", {"bytes": "hexadecimal"}."""
    return json.dumps(rows, default=_bytes, separators=(",", ":"))[1:-1].encode() + b","


def _bytes(value: Any) -> dict[str, str]:
    if not isinstance(value, bytes):
        raise TypeError(f"a {type(value).__name__} is none of ours")
    return {"bytes": value.hex()}


def write(connection: Connection, table: Table, found: Iterable[Rows]) -> None:
    """Put rows into a table, inside the connection's transaction."""
    preparer = connection.dialect.identifier_preparer
    name, columns = preparer.format_table(table), [preparer.format_column(each) for each in table.columns]
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608  # of the models
        for rows in found:
            connection.exec_driver_sql(statement, rows)
    else:
        _copy_in(connection, f"COPY {name} ({', '.join(columns)}) FROM STDIN", found)


def _copy_in(connection: Connection, statement: str, found: Iterable[Rows]) -> None:
    driver = connection.connection.cursor()
    try:
        with driver.copy(statement) as copy:  # psycopg's own
            for rows in found:
                for row in rows:
                    copy.write_row(row)
    finally:
        driver.close()


def last_id(connection: Connection, table: Table) -> int:
    """The greatest number that was ever given to a row, also to one that is gone by now; 0 where none was."""
    if connection.dialect.name == "sqlite":
        statement = "SELECT seq FROM sqlite_sequence WHERE name = :table"
    else:
        statement = f"SELECT pg_sequence_last_value({_SEQUENCE})"
    found = connection.scalar(text(statement), {"table": table.name})
    (column,) = table.primary_key.columns
    return max(int(found or 0), int(connection.scalar(select(func.max(column))) or 0))


_SEQUENCE = "CAST(pg_get_serial_sequence(:table, 'id') AS regclass)"


def go_on_from(connection: Connection, table: Table, number: int) -> None:
    """Let the next row have a greater number."""
    if connection.dialect.name == "sqlite":
        values = {"table": table.name, "number": number}
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :table"), values)
        connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:table, :number)"), values)
    else:
        values = {"table": table.name, "number": max(1, number), "given": number > 0}
        connection.execute(text(f"SELECT setval({_SEQUENCE}, :number, :given)"), values)


def counted(tables: Sequence[Table]) -> list[Table]:
    """Those whose rows are numbered, each number given once."""
    return [table for table in tables if table.autoincrement_column is not None]
