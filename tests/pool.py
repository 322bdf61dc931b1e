"""Databases on the run's PostgreSQL server, lent to one installation after the other.

To make one takes fifty milliseconds, to empty one takes two: so they are emptied. One that came back in another shape
is made anew.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.errors import Error
from sqlalchemy.engine import make_url

from tests import cluster, kept_connections
from tests.contents_on_server import leave_all, on_server

BLANK = "blank"
"""Migrated, and with nothing in it but what a first start writes. Nobody may connect to it."""
_SWEEP = 40
"""After so many times what was deleted is taken out of the one that was emptied last."""
_SHAPE = (
    "SELECT count(*), sum(relnatts), (SELECT count(*) FROM pg_trigger),"
    " CASE WHEN to_regclass('alembic_version') IS NOT NULL THEN (SELECT version_num FROM alembic_version) END"
    " FROM pg_class WHERE relnamespace = 'public'::regnamespace"
)


class Pool:
    """One process' share."""

    def __init__(self, host: Path) -> None:
        self._host = host
        self._who = os.environ.get("PYTEST_XDIST_WORKER", "main")
        self._made = 0
        self._emptied = 0
        self._lent: dict[Path, str] = {}
        self._strays: list[Path] = []
        self._free: list[str] = []
        self._blank: Any = None
        self._shape: Any = None

    def url_of(self, folder: Path) -> str:
        """Of the database that is lent to it; to a folder that never had one, an empty one until the test ends."""
        folder = folder.absolute()
        if folder not in self._lent:
            self._lent[folder] = self._make("template0")
            self._strays.append(folder)
        return cluster.url(self._host, self._lent[folder])

    @contextmanager
    def lent(self, folder: Path) -> Iterator[str]:
        """A blank one, migrated and with nothing in it, while it lasts."""
        folder = folder.absolute()
        name = self._lent[folder] = self._next_blank()
        try:
            yield cluster.url(self._host, name)
        finally:
            del self._lent[folder]
            self._free.append(name)

    @contextmanager
    def blank(self, folder: Path) -> Iterator[None]:
        """An empty one, which the installation in this folder makes into that which all others begin as."""
        self._run(f"DROP DATABASE IF EXISTS {BLANK} WITH (FORCE)")  # of a try that failed
        self._run(f"CREATE DATABASE {BLANK} OWNER {cluster.OWNER} TEMPLATE template0")
        self._lent[folder.absolute()] = BLANK
        yield
        del self._lent[folder.absolute()]
        kept_connections.forget(BLANK)
        self._run(f"ALTER DATABASE {BLANK} IS_TEMPLATE true ALLOW_CONNECTIONS false")

    def take_back(self) -> None:
        """At the end of each test."""
        while self._strays:
            self._drop(self._lent.pop(self._strays.pop()))

    def close(self) -> None:
        leave_all()
        kept_connections.forget()

    def _next_blank(self) -> str:
        while self._free:
            name = self._free.pop()
            if self._empty(name):
                return name
            self._drop(name)
        name = self._make(BLANK)
        if self._blank is None:
            content = on_server(make_url(cluster.url(self._host, name)))
            self._blank, self._shape = content.keep(), content.execute(_SHAPE)
        return name

    def _empty(self, name: str) -> bool:
        """Whether it could be emptied, and is still in the shape that all are in."""
        content = on_server(make_url(cluster.url(self._host, name)))
        try:
            content.end_the_busy()
            content.put_back(self._blank)
            self._emptied += 1
            if self._emptied % _SWEEP == 0:
                content.execute("VACUUM")
            return bool(content.execute(_SHAPE) == self._shape)
        except Error:
            return False

    def _make(self, template: str) -> str:
        self._made += 1
        name = f"{self._who}_{self._made}"
        self._run(f"CREATE DATABASE {name} OWNER {cluster.OWNER} TEMPLATE {template} STRATEGY file_copy")
        return name

    def _drop(self, name: str) -> None:
        on_server(make_url(cluster.url(self._host, name))).leave()
        kept_connections.forget(name)
        self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        content = on_server(make_url(cluster.url(self._host, "postgres")))
        connection: psycopg.Connection[Any] = content.connection
        connection.execute(statement)
