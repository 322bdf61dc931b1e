"""The test's database from outside: looked at, put back as it was, and compared."""

import sqlite3
from contextlib import closing
from pathlib import Path

Rows = dict[tuple[object, ...], dict[str, object]]
Dump = dict[str, Rows]

_RANDOM = {"token_digest", "password_digest", "sealed_secret", "pending_secret"}
_RANDOM |= {"digest", "shown_codes", "message_id", "sealed"}
_MAY_CHANGE = {"throttles": None, "logins": {"pending_secret", "pending_at", "last_seen_at"}}
"""What a refused form may leave behind, beside events: attempts, and the set-up key on offer."""


class Database:
    """One SQLite file. `remember` keeps its state, `restore` brings it back, `changed` names what differs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._copy = sqlite3.connect(":memory:")

    def close(self) -> None:
        self._copy.close()

    def remember(self) -> None:
        with closing(sqlite3.connect(self._path)) as source:
            source.backup(self._copy)

    def restore(self) -> None:
        with closing(sqlite3.connect(self._path, timeout=5)) as target:
            target.execute("PRAGMA synchronous = OFF")
            self._copy.backup(target)

    def before(self) -> Dump:
        return _dump(self._copy)

    def now(self) -> Dump:
        with closing(sqlite3.connect(self._path)) as connection:
            return _dump(connection)

    def changes(self) -> list[str]:
        """What differs from the remembered state: `table.column`, or `table +`, `table -` for whole rows."""
        return differences(self.before(), self.now())

    def more_than_attempts(self) -> list[str]:
        """The changes that a refused form must not make."""
        return [change for change in self.changes() if not _is_allowed(change)]


def _is_allowed(change: str) -> bool:
    if change == "events +":
        return True
    table, _, column = change.replace(" ", ".").partition(".")
    allowed = _MAY_CHANGE.get(table, set())
    return allowed is None or column in allowed


def _dump(connection: sqlite3.Connection) -> Dump:
    found: Dump = {}
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    for (table,) in tables.fetchall():
        columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
        names = [column[1] for column in columns]
        keys = [column[1] for column in columns if column[5]] or names
        rows = [dict(zip(names, row, strict=True)) for row in connection.execute(f"SELECT * FROM {table}")]  # noqa: S608
        found[table] = {tuple(row[key] for key in keys): row for row in rows}
    return found


def differences(old: Dump, new: Dump) -> list[str]:
    found: set[str] = set()
    for table in old:
        before, after = old[table], new[table]
        if after.keys() - before.keys():
            found.add(f"{table} +")
        if before.keys() - after.keys():
            found.add(f"{table} -")
        for key in before.keys() & after.keys():
            found.update(f"{table}.{name}" for name in before[key] if before[key][name] != after[key][name])
    return sorted(found)


def without_chance(dump: Dump) -> Dump:
    """The dump less what is drawn anew each time, for comparing two runs."""
    return {
        table: {key: {name: value for name, value in row.items() if name not in _RANDOM} for key, row in rows.items()}
        for table, rows in dump.items()
    }
