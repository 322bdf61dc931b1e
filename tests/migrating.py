"""Further revisions in a copy of the migrations' folder, and what a database looks like before and after."""

import shutil
from pathlib import Path
from textwrap import dedent, indent

import pytest
from sqlalchemy import URL, MetaData, create_engine, inspect, text
from sqlalchemy.pool import NullPool, StaticPool

from mfaportal.plumbing import migrations

NEXT = "0006"
MEMORY = "sqlite://"
Content = dict[str, list[dict[str, object]]]
"""The rows of each table, in whatever shape it has."""
_REVISION = '''"""A further revision, of a test."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
{body}
'''


class Folder:
    """The migrations as they will be one day: copied, and put in the place of the real ones."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        shutil.copytree(migrations.FOLDER, path, ignore=shutil.ignore_patterns("__pycache__"))
        self._path = path
        self._before = migrations.HEAD
        monkeypatch.setattr(migrations, "FOLDER", path)
        monkeypatch.setattr(migrations, "HEAD", NEXT)

    def next(self, body: str) -> None:
        """Write (again) what the next revision does."""
        text = _REVISION.format(revision=NEXT, before=self._before, body=indent(dedent(body).strip(), "    "))
        (self._path / "versions" / f"{NEXT}_next.py").write_text(text)

    def edit(self, name: str, old: str, new: str) -> None:
        """Change a file of the folder: for showing what a line of it is good for."""
        file = self._path / name
        before = file.read_text()
        assert old in before, f"{name} no longer says {old!r}"
        file.write_text(before.replace(old, new))


class Look:
    """Looks at a database from outside: each look is a connection of its own, and at what is there now."""

    def __init__(self, url: URL | str) -> None:
        self._engine = create_engine(url, poolclass=StaticPool if str(url) == MEMORY else NullPool)

    def create(self, metadata: MetaData) -> None:
        """Make the tables as the models say, without any migration."""
        metadata.create_all(self._engine)

    def tables(self) -> set[str]:
        """All but Alembic's own, and those of SQLite's search, which no model describes."""
        tables = set(inspect(self._engine).get_table_names()) - {"alembic_version"}
        return {table for table in tables if not table.startswith("account_search")}

    def value(self, sql: str) -> object:
        with self._engine.connect() as connection:
            return connection.execute(text(sql)).scalar()

    def is_sound(self) -> bool:
        """What SQLite says of its file; PostgreSQL has no such question."""
        return self._engine.dialect.name != "sqlite" or self.value("PRAGMA integrity_check") == "ok"

    def rows(self) -> dict[str, object]:
        """How many rows each table holds."""
        return {table: self.value(f"SELECT count(*) FROM {table}") for table in self.tables()}  # noqa: S608

    def content(self) -> Content:
        """All rows of all tables, of any revision."""
        found = MetaData()
        found.reflect(self._engine, only=sorted(self.tables()))
        with self._engine.connect() as connection:
            return {
                name: sorted((dict(row) for row in connection.execute(table.select()).mappings()), key=str)
                for name, table in found.tables.items()
            }

    def _counts_on(self, table: str) -> bool:
        """Whether no number of a row is ever given twice, which on SQLite has to be asked for."""
        if self._engine.dialect.name != "sqlite":
            return True
        return "AUTOINCREMENT" in str(self.value(f"SELECT sql FROM sqlite_master WHERE name = '{table}'"))  # noqa: S608

    def shape(self) -> dict[str, object]:
        """Columns, keys, indexes, and the words that Alembic does not compare, table by table."""
        seen = inspect(self._engine)
        return {
            table: (
                [(c["name"], str(c["type"]), c["nullable"], c["default"]) for c in seen.get_columns(table)],
                seen.get_pk_constraint(table),
                sorted(seen.get_foreign_keys(table), key=str),
                sorted(seen.get_unique_constraints(table), key=str),
                sorted(
                    str({**i, "dialect_options": {k: str(v) for k, v in i.get("dialect_options", {}).items()}})
                    for i in seen.get_indexes(table)
                ),
                self._counts_on(table),
            )
            for table in self.tables()
        }
