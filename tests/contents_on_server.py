"""The contents of a database on the tests' PostgreSQL server. See `tests.contents`."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import ForeignKey
from sqlalchemy.engine import URL

from tests import cluster
from tests.contents import Contents, Dump, by_key, columns_of, tables

_END_OTHERS = (
    "SELECT pg_terminate_backend(pid, 3000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
"""Those who hold a lock that nobody will ever give back."""
_FILES = (
    "SELECT pg_read_binary_file(pg_relation_filepath(oid)) FROM pg_class"
    " WHERE relkind IN ('r', 't') AND oid > 16384 AND relnamespace <> 'pg_catalog'::regnamespace"
)
_connections: dict[tuple[str, str], psycopg.Connection[Any]] = {}
"""Kept for all tests of this process: to make one takes longer than to use it."""


_AS_TEXT = '"{}"::text'


@dataclass(frozen=True)
class Held:
    """Every value as PostgreSQL writes it, and how far each table has counted."""

    rows: dict[str, list[list[str | None]]]
    counted: dict[str, str | None]

    @cached_property
    def statements(self) -> str:
        """That make it so, in one round trip. In a replica no trigger fires, of ours or of foreign keys."""
        made = ["BEGIN; SET LOCAL session_replication_role = replica; SET LOCAL lock_timeout = '3s'"]
        made += [f"DELETE FROM {table}" for table in self.rows]  # noqa: S608
        made += [
            f"INSERT INTO {table.name} ({columns_of(table)}) VALUES {', '.join(map(_written, self.rows[table.name]))}"  # noqa: S608
            for table in tables()
            if self.rows[table.name]
        ]
        made += [f"SELECT setval('{name}', {last or 1}, {bool(last)})" for name, last in self.counted.items()]
        return "; ".join([*made, "COMMIT"])


def _written(row: list[str | None]) -> str:
    values = ["NULL" if value is None else "'" + value.replace("'", "''") + "'" for value in row]
    return f"({', '.join(values)})"


@dataclass(frozen=True)
class OnServer(Contents):
    host: str
    database: str
    port: int | None

    def keep(self) -> Held:
        found = Held({table.name: [] for table in tables()}, {})
        for table, values in self.connection.execute(_everything(), prepare=True):
            if table:
                found.rows[table].append(values)
            else:
                found.counted[values[0]] = values[1]
        return found

    def put_back(self, kept: Held) -> None:
        try:
            self.connection.execute(kept.statements)
        except psycopg.errors.LockNotAvailable:
            self.connection.execute("ROLLBACK")
            self.connection.execute(_END_OTHERS)
            self.connection.execute(kept.statements)

    def end_the_busy(self) -> None:
        """Whoever is still at something, or has left it open."""
        self.connection.execute(f"{_END_OTHERS} AND state <> 'idle'")

    def dump(self, kept: Held | None = None) -> Dump:
        held = kept or self.keep()
        return {table.name: by_key(table, held.rows[table.name]) for table in tables()}

    def tamper(self, triggers: Iterable[str], *statements: str) -> None:
        with self.connection.transaction():
            for statement in ("SET LOCAL session_replication_role = replica", *statements):
                self.connection.execute(statement)

    def unsound(self) -> list[str]:
        """Foreign keys: whoever puts rows back here does so without them."""
        return [
            f"{key.parent.table.name}.{key.parent.name}: {number} rows refer to nothing"
            for table in tables()
            for key in table.foreign_keys
            if (number := self.execute(_loose(key))[0][0])
        ]

    def raw(self) -> bytes:
        """The tables' own files."""
        self.connection.execute("CHECKPOINT")
        return b"".join(content for (content,) in self.connection.execute(_FILES, binary=True))

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        cursor = self.connection.execute(sql)
        return cursor.fetchall() if cursor.description else []

    @property
    def connection(self) -> psycopg.Connection[Any]:
        """As who may do everything."""
        key = (self.host, self.database)
        if key not in _connections or _connections[key].closed:
            _connections[key] = self.another()
        return _connections[key]

    def another(self) -> psycopg.Connection[Any]:
        """A connection that the caller closes."""
        return cluster.connect(Path(self.host), self.database, port=self.port)

    def leave(self) -> None:
        """Let go of the connection: a database that somebody is connected to cannot be copied."""
        if made := _connections.pop((self.host, self.database), None):
            made.close()


def _loose(key: ForeignKey) -> str:
    table, column, other = key.parent.table.name, key.parent.name, key.column
    return (
        f"SELECT count(*) FROM {table} WHERE {column} IS NOT NULL AND NOT EXISTS"  # noqa: S608
        f" (SELECT 1 FROM {other.table.name} other WHERE other.{other.name} = {table}.{column})"
    )


def on_server(url: URL) -> OnServer:
    return OnServer(str(url.query.get("host", url.host)), url.database or "", url.port)


def leave_all() -> None:
    """At the end of the run."""
    while _connections:
        _connections.popitem()[1].close()


@cache
def _everything() -> str:
    """One statement that reads all tables, a row of texts for each row, and then the counters."""
    parts = [
        f"SELECT '{table.name}', ARRAY[{columns_of(table, such=_AS_TEXT)}] FROM {table.name}"  # noqa: S608
        for table in tables()
    ]
    return " UNION ALL ".join([*parts, "SELECT '', ARRAY[sequencename::text, last_value::text] FROM pg_sequences"])
