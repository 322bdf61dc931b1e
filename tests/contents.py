"""What a database holds, past every operation: kept and put back, looked at by hand, compared. In either database.

To keep and put back takes a millisecond or two, and no server that is at work on the database minds.
"""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import closing, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Table
from sqlalchemy.engine import make_url

from mfaportal.plumbing.db import db

Rows = dict[tuple[object, ...], dict[str, object]]
Dump = dict[str, Rows]
"""By table and key. Values are as the database writes them."""


class Contents(ABC):
    """Of one database, as they are now."""

    @abstractmethod
    def keep(self) -> Any:
        """All of them, for `put_back`."""

    @abstractmethod
    def put_back(self, kept: Any) -> None:
        """What was kept, and nothing else; numbers of rows go on from there, too."""

    @abstractmethod
    def dump(self, kept: Any = None) -> Dump:
        """All rows, those of now or those that were kept."""

    @abstractmethod
    def tamper(self, triggers: Iterable[str], *statements: str) -> None:
        """Run statements as whoever owns the database, and knows which triggers are in the way."""

    @abstractmethod
    def unsound(self) -> list[str]:
        """What is wrong with the database as such: SQLite's pages and indexes, and rows that refer to nothing."""

    @abstractmethod
    def raw(self) -> bytes:
        """What lies on the disk, as its thief would read it."""

    @abstractmethod
    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement by hand, and commit it."""


def contents(url: str) -> Contents:
    """Of the database with this address."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _File(Path(parsed.database or ""))
    from tests.contents_on_server import on_server  # noqa: PLC0415  # only there is a driver needed

    return on_server(parsed)


@cache
def tables() -> list[Table]:
    """Those of the portal, in an order in which each refers only to those before it."""
    return list(db.metadata.sorted_tables)


def columns_of(table: Table, *, such: str = '"{}"') -> str:
    """The names of its columns, as SQL wants them."""
    return ", ".join(such.format(column.name) for column in table.columns)


def by_key(table: Table, rows: Iterable[Any]) -> Rows:
    names = [column.name for column in table.columns]
    keys = [names.index(column.name) for column in table.primary_key]
    return {tuple(row[key] for key in keys): dict(zip(names, row, strict=True)) for row in rows}


class _Copy:
    """A database in memory."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", check_same_thread=False)

    def __del__(self) -> None:
        self.connection.close()


@dataclass(frozen=True)
class _File(Contents):
    path: Path

    def keep(self) -> "_Copy":
        kept = _Copy()
        with self._open() as connection:
            connection.backup(kept.connection)
        return kept

    def put_back(self, kept: "_Copy") -> None:
        with self._open() as connection:
            kept.connection.backup(connection)

    def dump(self, kept: "_Copy | None" = None) -> Dump:
        with nullcontext(kept.connection) if kept else self._open() as connection:
            return {
                table.name: by_key(table, connection.execute(f"SELECT {columns_of(table)} FROM {table.name}"))  # noqa: S608
                for table in tables()
            }

    def tamper(self, triggers: Iterable[str], *statements: str) -> None:
        with self._open() as connection, connection:
            for statement in (*[f"DROP TRIGGER IF EXISTS {trigger}" for trigger in triggers], *statements):
                connection.execute(statement)

    def unsound(self) -> list[str]:
        said, loose = self.execute("PRAGMA integrity_check"), self.execute("PRAGMA foreign_key_check")
        return [f"integrity_check: {said}"] * (said != [("ok",)]) + [f"foreign keys: {loose}"] * bool(loose)

    def raw(self) -> bytes:
        return b"".join(path.read_bytes() for path in sorted(self.path.parent.glob(f"{self.path.name}*")))

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        with self._open() as connection, connection:
            return connection.execute(sql).fetchall()

    def _open(self) -> closing[sqlite3.Connection]:
        return closing(sqlite3.connect(self.path, timeout=10))
