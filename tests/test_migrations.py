"""Migrations make what the models say, lose nothing, happen once, and happen wholly or not at all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from mfaportal.models.setting import KEY_CANARY
from mfaportal.plumbing import migrations
from mfaportal.plumbing.db import db
from mfaportal.plumbing.runtime import runtime
from tests.clock import MovableClock
from tests.databases import on_postgresql
from tests.migrating import MEMORY, NEXT, Folder, Look
from tests.people import Cast, give_app

ALTER_ACCOUNTS = """
op.add_column("accounts", sa.Column("nickname", sa.String(40), nullable=True))
"""
REBUILD_ACCOUNTS = """
with op.batch_alter_table("accounts", recreate="always") as accounts:
    accounts.add_column(sa.Column("nickname", sa.String(40), nullable=True))
"""
GUARD = 'raw.execute("PRAGMA foreign_keys = OFF")'


@pytest.fixture
def filled(app: Flask, people: Cast, clock: MovableClock) -> Iterator[Flask]:
    """An installation with people who have apps, inside its app context."""
    with app.app_context():
        for person in people.everybody:
            give_app(person, clock)
        yield app


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    return Folder(tmp_path / "migrations", monkeypatch)


@pytest.fixture
def look(app: Flask) -> Look:
    with app.app_context():
        return Look(db.engine.url)


def _migrate() -> bool:
    return migrations.migrate(runtime().settings)


def test_the_constant_names_the_newest_revision() -> None:
    scripts = ScriptDirectory(str(migrations.FOLDER))
    assert scripts.get_heads() == [migrations.HEAD], "one line of revisions, and HEAD is its end"
    files = sorted(path.stem for path in (migrations.FOLDER / "versions").glob("[0-9]*.py"))
    assert [scripts.get_revision(file.partition("_")[0]).revision for file in files] == [
        file.partition("_")[0] for file in files
    ]
    assert files[-1].partition("_")[0] == migrations.HEAD


def _is_described(name: str | None, kind: str, _parents: object) -> bool:
    """No model describes SQLite's search, nor its like in PostgreSQL."""
    return not str(name).startswith(("account_search", "ix_accounts_search")) or kind not in {"table", "index"}


@pytest.mark.sqlite_only("words that only SQLite has; what PostgreSQL makes is held in test_postgresql.py")
def test_an_empty_database_gets_exactly_the_tables_of_the_models(app: Flask, look: Look) -> None:
    with app.app_context(), db.engine.connect() as connection:
        described = {"compare_type": True, "compare_server_default": True, "render_as_batch": True}
        context = MigrationContext.configure(connection, opts={**described, "include_name": _is_described})
        assert compare_metadata(context, db.metadata) == []
    models = Look(MEMORY)
    models.create(db.metadata)
    assert look.shape() == models.shape()


def test_a_fresh_installation_has_one_private_portal_without_a_rule_and_nobody(look: Look) -> None:
    assert {table: number for table, number in look.rows().items() if number} == {"portals": 1, "settings": 1}
    assert look.value("SELECT name FROM settings") == KEY_CANARY
    assert look.value("SELECT slug || ' ' || visibility || ' ' || mfa_rule FROM portals") == "portal private off"


def test_down_to_nothing_and_up_again(app: Flask, look: Look) -> None:
    with app.app_context():
        migrations.register(app)
        downgrade(directory=str(migrations.FOLDER), revision="base")
        assert look.tables() == set()
        assert migrations.current(db.engine) is None
        upgrade(directory=str(migrations.FOLDER))
        assert migrations.current(db.engine) == migrations.HEAD


def test_there_is_nothing_to_do_at_the_newest_revision(filled: Flask) -> None:
    assert not _migrate()


def _are_enforced() -> bool:
    """Foreign keys, on every connection that the pool hands out."""
    connections = [db.engine.connect() for _ in range(5)]
    pragma = text("SELECT 1" if on_postgresql() else "PRAGMA foreign_keys")
    found = {connection.execute(pragma).scalar() for connection in connections}
    for connection in connections:
        connection.close()
    return found == {1}


def _add_a_column(folder: Folder) -> str:
    """PostgreSQL changes the table itself, SQLite makes another in its place."""
    body = ALTER_ACCOUNTS if on_postgresql() else REBUILD_ACCOUNTS
    folder.next(body)
    return body


def test_rebuilding_the_accounts_loses_no_row_of_any_table(filled: Flask, look: Look, folder: Folder) -> None:
    _add_a_column(folder)
    before = look.rows()
    assert before["authenticators"] == 4
    assert _migrate()
    assert look.rows() == before
    assert migrations.current(db.engine) == NEXT
    assert "nickname" in str(look.shape()["accounts"])
    assert _are_enforced()
    assert not _migrate(), "and it is not done twice"


@pytest.mark.sqlite_only("PostgreSQL rebuilds no table")
def test_without_the_guard_it_would_lose_them(filled: Flask, look: Look, folder: Folder) -> None:
    """What the test above is good for (security.md, fact 21)."""
    folder.next(REBUILD_ACCOUNTS)
    folder.edit("env.py", GUARD, GUARD.replace("OFF", "ON"))
    before = look.rows()
    assert _migrate()
    after = look.rows()
    assert (after["accounts"], after["authenticators"]) == (before["accounts"], 0)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ('op.execute("INSERT INTO no_such_table VALUES (1)")', (OperationalError, ProgrammingError)),
        ('raise KeyError("half-way")', KeyError),
        ('op.execute("UPDATE authenticators SET account_id = 999")', (SystemExit, IntegrityError)),
    ],
    ids=["a-wrong-statement", "a-bug", "a-row-that-refers-to-nothing"],
)
def test_a_migration_that_fails_leaves_everything_as_it_was(
    filled: Flask, look: Look, folder: Folder, fault: str, error: Any
) -> None:
    destroy = 'op.execute("DELETE FROM portals")\nop.drop_table("throttles")'
    folder.next(f"{_add_a_column(folder)}\n{destroy}\n{fault}")
    before = (look.rows(), look.shape())
    with pytest.raises(error):
        _migrate()
    assert (look.rows(), look.shape()) == before
    assert migrations.current(db.engine) == "0005"
    assert look.is_sound()
    assert _are_enforced()

    _add_a_column(folder)
    assert _migrate(), "the next try, repaired, goes through"
    assert look.rows() == before[0]
