"""How the portal uses PostgreSQL: what each connection is set to, how transactions begin, and what becomes of a
connection that died. Loaded where MFAPORTAL_DATABASE_URL names one, and nowhere else.

Writers take turns, as on SQLite: an operation that reads and then decides means the same on both, and events are
committed in the order of their numbers, which seals and paging rest on.
"""

import select
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from psycopg import Connection as Driver
from psycopg import OperationalError
from sqlalchemy import Engine, event
from sqlalchemy.engine import URL, Connection, Dialect
from sqlalchemy.exc import DisconnectionError

from .config import SettingError
from .postgresql_connection import PortalConnection
from .transactions import ASIDE, FOLLOWED, PATIENT, WRITES

OLDEST = 14
TURN = 0x6D66_6101
"""The lock that writers take turns with, and the one of migrations. They are the database's own: two installations
in one server do not meet."""
MIGRATION = 0x6D66_6102
_SET = {
    "lock_timeout": "5s",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "3s",
    # A host that is cut off must not keep what it holds: the writers' turn for less long than others wait for it, and
    # the server looks for it as often as it looks for the server (`_CONNECT`).
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "2",
    "tcp_user_timeout": "5s",
    "jit": "off",  # takes longer than any statement of ours
}
_CONNECT = {
    "application_name": "mfaportal",
    "client_encoding": "utf8",
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 5000,
}
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_WAITS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
_PATIENT = "".join(f"; SET LOCAL {name} = 0" for name in _WAITS)
_NOT_WAITING_FOR_THE_DISK = "; SET LOCAL synchronous_commit = off"
_TAKE_TURN = f"; SELECT pg_advisory_xact_lock({TURN})"


def engine_options(url: URL) -> dict[str, Any]:
    return {
        "connect_args": _arguments(url),
        "pool_use_lifo": True,  # the one used last has the most prepared statements
        "use_native_hstore": False,  # asks the server once more
    }


def _arguments(url: URL) -> dict[str, Any]:
    """What the URL names stays; the rest is ours."""
    own = url.query.get("options", "")
    settings = " ".join(f"-c {name}={value}" for name, value in _SET.items())
    ours = {name: value for name, value in _CONNECT.items() if name not in url.query}
    return {**ours, "autocommit": True, "options": f"{settings} {own if isinstance(own, str) else ' '.join(own)}"}


def is_filled(url: URL) -> bool:
    """Whether our tables are in there.

    Raises:
        SettingError: it cannot be reached, or is of a kind that the portal cannot live in.
    """
    with closing(_open(url)) as connection:
        version = connection.info.server_version // 10_000
        if version < OLDEST:
            raise SettingError(f"MFAPORTAL_DATABASE_URL: this is PostgreSQL {version}; it must be {OLDEST} or later.")
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise SettingError(f"MFAPORTAL_DATABASE_URL: the database's encoding is {encoding}; it must be UTF8.")
        row = connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone()
        return row is not None and bool(row[0])


def _open(url: URL) -> Driver[Any]:
    """A connection of its own."""
    dialect = url.get_dialect()()
    arguments, named = dialect.create_connect_args(url)
    try:
        return PortalConnection.patiently(*arguments, **{**named, **_arguments(url)})
    except OperationalError as error:
        raise SettingError(refusal(url, error)) from error


def refusal(url: URL, error: BaseException) -> str:
    """Why the database cannot be used, in one sentence without its password."""
    reason = next(iter(str(error).splitlines()), "no answer").removeprefix("connection failed: ")
    return f"MFAPORTAL_DATABASE_URL: the database {url.database or ''} does not answer: {reason.rstrip('.')}."


def listen(engine: Engine) -> None:
    """Hook the rules of this module onto an engine."""
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "checkout", _look)
    event.listen(engine, "begin", _begin)


def _connect(_dialect: Dialect, _record: object, arguments: list[Any], named: dict[str, Any]) -> Any:
    return PortalConnection.patiently(*arguments, **named)


def _look(connection: Any, _record: object, _proxy: object) -> None:
    """Not to hand out a dead connection. A server that ends one says so, and to hear it costs no round trip.

    Raises:
        DisconnectionError: the pool makes a new one.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        raise DisconnectionError("the server has ended this connection")


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    writes = options.get(WRITES)
    begin = _WRITE if writes else _READ
    if options.get(PATIENT):
        begin += _PATIENT
    if options.get(FOLLOWED):
        begin += _NOT_WAITING_FOR_THE_DISK
    if writes and not options.get(ASIDE):
        begin += _TAKE_TURN
    connection.exec_driver_sql(begin, execution_options={"no_parameters": True})


@contextmanager
def alone(engine: Engine) -> Iterator[None]:
    """One process on one host at a time."""
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute(f"SET lock_timeout = 0; SET statement_timeout = 0; SELECT pg_advisory_lock({MIGRATION})")
        yield
    finally:
        connection.invalidate()  # the lock ends with its connection
