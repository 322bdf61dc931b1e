"""The test's database from outside: looked at, put back as it was, and compared."""

from typing import Any

from tests.contents import Contents, Dump

_RANDOM = {"token_digest", "password_digest", "sealed_secret", "pending_secret"}
_RANDOM |= {"digest", "shown_codes", "message_id", "sealed"}
_MAY_CHANGE = {"throttles": None, "logins": {"pending_secret", "pending_at", "last_seen_at"}}
"""What a refused form may leave behind, beside events: attempts, and the set-up key on offer."""


class Database:
    """`remember` keeps its state, `restore` brings it back, `changed` names what differs."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._kept: Any = None

    def remember(self) -> None:
        self._kept = self._contents.keep()

    def restore(self) -> None:
        self._contents.put_back(self._kept)

    def before(self) -> Dump:
        return self._contents.dump(self._kept)

    def now(self) -> Dump:
        return self._contents.dump()

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
    dump["settings"].pop(("search-to-sweep",), None)
    return {
        table: {key: {name: value for name, value in row.items() if name not in _RANDOM} for key, row in rows.items()}
        for table, rows in dump.items()
    }
