"""Fills an installation of the shape before 0005 with a million accounts, and migrates it: the upgrade is measured.

The rows go past the portal, straight into the database; the seals over them are made as upkeep would have made them,
with the installation's own key, so `flask audit verify` finds the log whole.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy.engine import make_url

from bench.million import population as town
from mfaportal import create_app
from mfaportal.domain.event_chain import batch_digest, seal_of
from mfaportal.models.authenticator import owner_of
from mfaportal.plumbing import migrations, passwords
from mfaportal.plumbing.clock import to_microseconds
from mfaportal.plumbing.db import db
from mfaportal.plumbing.runtime import runtime
from mfaportal.rules.lifetimes import EVENTS_KEPT
from mfaportal.rules.totp import new_secret

PASSWORD = "correct horse battery staple"  # noqa: S105  # of invented people
BEFORE = "0004"
BATCH = 1000
_AT_ONCE = 50_000
_BATCHES_A_TASK = 100
ACCOUNTS = (
    "id email name name_key password_digest is_operator suspended_at created_at last_login_at email_confirmed_at"
)
MEMBERSHIPS = "account_id portal_id role since"
REQUESTS = (
    "id portal_id account_id email name password_digest message state made_at decided_at decided_by role reason"
)
EVENTS = "id kind at source actor_id account_id portal_id address browser details"
APPS = "id account_id kind name name_key sealed_secret last_step burned_step added_at"
LOGINS = "id token_digest account_id password_at last_seen_at ended_at address browser"
SEALS = "id after_event first_event last_event events batch key seal sealed_at"
PORTALS = "id slug name visibility mfa_rule created_at sign_up message_required contact"
Say = Callable[[str], None]


class Target(Protocol):
    """Where the rows go."""

    def put(self, table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None: ...

    def execute(self, statement: str) -> list[tuple[Any, ...]]: ...

    def close(self) -> None: ...


class Sqlite:
    """A file that nobody else has open: nothing of what is put in is waited for."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("synchronous = OFF", "cache_size = -600000", "foreign_keys = OFF"):
            self._connection.execute(f"PRAGMA {pragma}")

    def put(self, table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
        names = columns.split()
        self._connection.execute("BEGIN")
        self._connection.executemany(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",  # noqa: S608
            rows,
        )
        self._connection.execute("COMMIT")

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement).fetchall()

    def close(self) -> None:
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()


class Postgresql:
    """A database on a server, filled by COPY."""

    def __init__(self, url: str) -> None:
        import psycopg  # noqa: PLC0415  # only who measures it has it

        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg.connect(plain, autocommit=True)
        self._connection.execute("SET synchronous_commit = off")
        self._connection.execute("SET maintenance_work_mem = '1GB'")

    def put(self, table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
        names = ", ".join(columns.split())
        with (
            self._connection.cursor() as cursor,
            cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        cursor = self._connection.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []

    def close(self) -> None:
        for table in ("accounts", "portals", "access_requests", "events", "authenticators", "logins", "event_seals"):
            self._connection.execute(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))")  # noqa: S608
        self._connection.close()


def open_target(url: str) -> Target:
    return Sqlite(make_url(url).database or "") if url.startswith("sqlite") else Postgresql(url)


def installation(folder: Path, url: str) -> Flask:
    """The portal over a folder, without its mail thread."""
    settings = {"MFAPORTAL_INSTANCE": str(folder)}
    return create_app({**settings, "MFAPORTAL_DATABASE_URL": url} if url else settings)


def seed(folder: Path, url: str, say: Say) -> dict[int, str]:
    """Fill it; the set-up keys of those who log in to measure."""
    began = time.monotonic()
    app = installation(folder, url)
    with app.app_context():
        migrations.register(app)
        downgrade(directory=str(migrations.FOLDER), revision=BEFORE)
        db.engine.dispose()
        target = open_target(runtime().settings.database_url)
        keys = _fill(target, say)
        target.close()
        say("upgrading to the newest shape …")
        upgrading = time.monotonic()
        upgrade(directory=str(migrations.FOLDER))
        db.engine.dispose()
        say(f"the upgrade took {time.monotonic() - upgrading:.0f} s")
        if not runtime().settings.database_url.startswith("sqlite"):
            target = open_target(runtime().settings.database_url)
            target.execute("VACUUM ANALYZE")  # as autovacuum does in the course of a day
            target.close()
    say(f"seeded in {time.monotonic() - began:.0f} s")
    return keys


def _fill(target: Target, say: Say) -> dict[int, str]:
    now = to_microseconds(runtime().now())
    start = now - int(EVENTS_KEPT.total_seconds() * 0.95) * town.SECOND
    step = (now - 3600 * town.SECOND - start) // town.EVENTS
    digest = passwords.hash_password(PASSWORD)
    secrets = {number: new_secret() for number in (town.OPERATOR, town.ADMIN, town.READER)}
    put = _shown(target, say)
    with ProcessPoolExecutor(1) as other:
        digests = other.map(_digests_of, *zip(*_tasks(start, step), strict=True))
        put("portals", PORTALS, _portals(start), len(town.PORTALS))
        put("accounts", ACCOUNTS, town.accounts(digest, start), town.ACCOUNTS)
        put("memberships", MEMBERSHIPS, town.memberships(start), town.ACCOUNTS)
        put("authenticators", APPS, _apps(secrets, start), town.ACCOUNTS * 6 // 10)
        put("logins", LOGINS, _logins(now), town.LOGINS)
        put("access_requests", REQUESTS, town.requests(digest, start), town.REQUESTS)
        _put_events(target, put, start, step)
        put("event_seals", SEALS, _seals(digests, start, step), town.EVENTS // BATCH)
    return secrets


def _shown(target: Target, say: Say) -> Callable[[str, str, Iterator[tuple[Any, ...]], int], None]:
    """Puts rows in, some at a time, and says how far it is."""

    def put(table: str, columns: str, rows: Iterator[tuple[Any, ...]], about: int) -> None:
        began, done = time.monotonic(), 0
        while portion := list(islice(rows, _AT_ONCE)):
            target.put(table, columns, portion)
            done += len(portion)
            if done % (_AT_ONCE * 10) == 0:
                say(f"{table}: {done:,} of {about:,}, {done / (time.monotonic() - began):,.0f}/s")
        say(f"{table}: {done:,} rows in {time.monotonic() - began:.1f} s")

    return put


def _put_events(target: Target, put: Callable[..., None], start: int, step: int) -> None:
    """Without its indexes, which are made faster at once."""
    if isinstance(target, Sqlite):
        found = target.execute("SELECT name, sql FROM sqlite_master WHERE tbl_name = 'events' AND type = 'index'")
    else:
        found = target.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'events' AND indexname LIKE 'ix%'"
        )
    for name, _sql in found:
        target.execute(f"DROP INDEX {name}")
    put("events", EVENTS, town.events(1, town.EVENTS, start, step), town.EVENTS)
    for _name, sql in found:
        target.execute(sql)


def _portals(start: int) -> Iterator[tuple[Any, ...]]:
    for number in town.PORTALS:
        yield number, f"portal-{number}", f"Portal {number}", "private", "off", start, "approval", False, ""


def _apps(secrets: dict[int, str], start: int) -> Iterator[tuple[Any, ...]]:
    seal, secret = runtime().keys.sealer.seal, new_secret()
    for number in filter(town.has_app, range(1, town.ACCOUNTS + 1)):
        sealed = seal(owner_of(number), secrets.get(number, secret))
        yield number, number, "totp", "My phone", "my phone", sealed, -1, -1, start


def _logins(now: int) -> Iterator[tuple[Any, ...]]:
    """One in three still lives, the others ended in the last four weeks."""
    for number in range(1, town.LOGINS + 1):
        at = now - number * 7 * town.SECOND
        account = 1 + town.mixed(number, 5) % town.ACCOUNTS
        ended = at + 3600 * town.SECOND if number % 3 else None
        yield number, os.urandom(32), account, at, at, ended, "192.0.2.7", "Firefox 145 on Linux"


def _tasks(start: int, step: int) -> list[tuple[int, int, int]]:
    size = BATCH * _BATCHES_A_TASK
    return [(first, start, step) for first in range(1, town.EVENTS + 1, size)]


def _digests_of(first: int, start: int, step: int) -> list[bytes]:
    """Of some batches that follow one another; in a process of its own."""
    return [
        batch_digest(town.events(begin, begin + BATCH - 1, start, step))
        for begin in range(first, min(first + BATCH * _BATCHES_A_TASK, town.EVENTS + 1), BATCH)
    ]


def _seals(digests: Iterable[list[bytes]], start: int, step: int) -> Iterator[tuple[Any, ...]]:
    key, before = runtime().keys.digester.newest, b""
    batches = (digest for some in digests for digest in some)
    for number, batch in enumerate(batches, 1):
        last = number * BATCH
        row = {
            "after_event": last - BATCH,
            "first_event": last - BATCH + 1,
            "last_event": last,
            "events": BATCH,
            "batch": batch,
            "key": key,
            "sealed_at": start + last * step + 3600 * town.SECOND,
        }
        before = seal_of(row, before)
        yield number, *(row[name] for name in SEALS.split()[1:7]), before, row["sealed_at"]
