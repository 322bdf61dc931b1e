"""`make bench-million`: a million accounts and ten million events, put in, and every page that lists them measured.

    make bench-million                                        a SQLite file in a folder of its own, removed afterwards
    make bench-million ARGS="--folder PATH"                   kept there, and measured again without being seeded anew
    make bench-million DATABASE=postgresql+psycopg://…        an empty database on a server

Ten minutes, 4 GB of disk, one process: run it on a machine that has nothing else to do.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask
from sqlalchemy import text

from bench.million import measure, seed
from bench.million import population as town
from mfaportal.plumbing.db import db, transaction

KEYS = "bench-keys.json"
PAGE_MS, FIRST_BYTE_MS = 100, 1000
_ACCOUNTS = {"operator": town.OPERATOR, "admin": town.ADMIN}


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


@contextmanager
def folder_of(wanted: str | None) -> Iterator[Path]:
    """The installation's folder; one of this run's own is removed."""
    if wanted is not None:
        yield Path(wanted)
        return
    own = Path(tempfile.mkdtemp(prefix="mfaportal-million-"))
    try:
        yield own / "instance"
    finally:
        shutil.rmtree(own)


def main() -> int:
    arguments = argparse.ArgumentParser(prog="bench.million")
    arguments.add_argument("--folder", help="of the installation; kept, and used again if it is there")
    arguments.add_argument("--database", default="", help="an empty PostgreSQL database; without it, SQLite")
    arguments.add_argument("--times", type=int, default=60, help="requests for each line, at least")
    arguments.add_argument("--accounts", type=int, default=town.ACCOUNTS, help="fewer, for a look at this command")
    given = arguments.parse_args()
    town.shrink(town.ACCOUNTS // given.accounts)
    with folder_of(given.folder) as folder:
        keys = folder / KEYS
        if not keys.exists():
            found = seed.seed(folder, given.database, say)
            keys.write_text(json.dumps(found))
        app = seed.installation(folder, given.database)
        secrets = {int(number): key for number, key in json.loads(keys.read_text()).items()}
        return report(app, secrets, given.times)


def report(app: Flask, keys: dict[int, str], times: int) -> int:
    """Print the tables; how many lines are over their limit."""
    _forget_attempts(app)
    visitors = {who: measure.Visitor(app, who, keys[number]) for who, number in _ACCOUNTS.items()}
    log_ins = {who: visitor.log_in() for who, visitor in visitors.items()}
    print(f"{_heading(app)}\n")
    print("| | p50, ms | p95, ms | CPU p95, ms | slowest |\n|---|--:|--:|--:|---|")
    over = 0
    for name, (who, paths) in measure.pages().items():
        line = measure.timed(name, visitors[who].get, paths, times)
        over += line.p95 >= PAGE_MS
        print(f"| {line.name} | {line.p50:.1f} | {line.p95:.1f} | {line.cpu:.1f} | `{line.worst}` |", flush=True)
    raised = measure.raised(visitors["admin"])
    print(f"| Raising the rule (page and form) | {raised:.1f} | | | |")
    print(f"| Log-in with code, hash in it | {min(log_ins.values()):.1f} | | | |\n")
    print("| file | first byte, ms | whole, s | MB | memory grew, MiB |\n|---|--:|--:|--:|--:|")
    for name, who, path in measure.FILES:
        file = measure.sent(name, visitors[who], path)
        over += file.first >= FIRST_BYTE_MS
        print(
            f"| {file.name} | {file.first:.0f} | {file.whole:.1f} | {file.megabytes:.1f} | {file.grew:.0f} |",
            flush=True,
        )
    return over


def _heading(app: Flask) -> str:
    with app.app_context(), db.engine.connect() as connection:
        version = connection.dialect.server_version_info or ()
        rows = {
            table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()  # noqa: S608
            for table in ("accounts", "memberships", "events", "access_requests")
        }
    counted = ", ".join(f"{number:,} {table}" for table, number in rows.items())
    kind = f"{db_name(app)} {'.'.join(map(str, version))}"
    return f"{kind}; {counted}; {datetime.now(UTC):%Y-%m-%d}, Python {sys.version.split()[0]}"


def db_name(app: Flask) -> str:
    with app.app_context():
        return {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[db.engine.dialect.name]


def _forget_attempts(app: Flask) -> None:
    """An earlier run has used this half-minute's codes."""
    with app.app_context(), transaction() as session:
        session.execute(text("UPDATE authenticators SET last_step = -1 WHERE account_id <= 3"))
        session.execute(text("DELETE FROM throttles"))


if __name__ == "__main__":
    began = time.monotonic()
    lines_over = main()
    say(f"{time.monotonic() - began:.0f} s in all; {lines_over} lines over their limit")
    sys.exit(1 if lines_over else 0)
