"""What a PostgreSQL server says about a database: which one it is, how it is reached, who else has it open."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import URL

from .engines import engine_for, refused_in_words
from .hosts import is_loopback

_LEAVING = 1.0
"""Seconds in which connections that were just closed may still be listed."""


@dataclass(frozen=True, slots=True)
class Server:
    """`takes_writes` is false at a replica. `encrypted` is empty where the connection does not leave the machine."""

    version: str
    takes_writes: bool
    encrypted: bool | None


def look(connection: Connection) -> Server:
    version, replica, read_only, address, encrypted = connection.execute(
        text(
            "SELECT current_setting('server_version'), pg_is_in_recovery(),"
            " current_setting('default_transaction_read_only') = 'on', coalesce(host(inet_client_addr()), ''),"
            " (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid())"
        )
    ).one()
    own = not address or is_loopback(address)
    return Server(version.split(" ")[0], not replica and not read_only, None if own else bool(encrypted))


def identity(connection: Connection) -> tuple[object, ...]:
    """What no two databases have in common, under whatever names they are reached."""
    statement = "SELECT oid, pg_postmaster_start_time() FROM pg_database WHERE datname = current_database()"
    return tuple(connection.execute(text(statement)).one())


def others(connection: Connection) -> list[str]:
    """Where else the portal has this database open. What is just being closed is waited for."""
    deadline = time.monotonic() + _LEAVING
    while found := _others(connection):
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return found


def _others(connection: Connection) -> list[str]:
    rows = connection.execute(
        text(
            "SELECT DISTINCT coalesce(host(client_addr), 'this machine') FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'mfaportal' AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend' ORDER BY 1"
        )
    )
    return [row[0] for row in rows]


def named(url: URL) -> str:
    """The database as people know it, without a password, and without what else the address says."""
    return url.set(query={}).render_as_string(hide_password=True)


def was_restored(url: str, token: str) -> bool:
    """Whether the rows that are in a database came with this restore.

    Raises:
        SettingError: the database does not answer.
    """
    with refused_in_words(), connected(url) as connection:
        if not inspect(connection).has_table("settings"):
            return False
        return bool(connection.scalar(text("SELECT value FROM settings WHERE name = 'restored-as'")) == token)


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection of its own, for a look, where the portal's own may not be there."""
    engine = engine_for(url)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
