"""No command touches a database of another shape, and one that does not answer is told in a sentence."""

from collections.abc import Iterator

import click
import pytest
from flask import Flask
from sqlalchemy import text

from mfaportal.plumbing import db as database
from mfaportal.plumbing.db import db, transaction
from tests.cli.terminal import Terminal
from tests.people import Cast

COMMANDS = [
    ("accounts", "create", "new@example.org", "--name", "New"),
    ("accounts", "list"),
    ("accounts", "suspend", "reader@example.org"),
    ("accounts", "restore", "reader@example.org"),
    ("accounts", "end-logins", "reader@example.org"),
    ("accounts", "unlock", "reader@example.org"),
    ("accounts", "role", "reader@example.org", "--operator"),
    ("accounts", "reset-link", "reader@example.org"),
    ("portals", "create", "Bridges", "--slug", "bridges"),
    ("portals", "list"),
    ("mfa", "status"),
    ("mfa", "rule", "city-data", "everyone"),
    ("mfa", "reset", "reader@example.org", "--reason", "lost"),
    ("audit", "verify"),
    ("audit", "export"),
    ("upkeep",),
    ("keys", "list"),
    ("keys", "rotate"),
    ("backup", "/nowhere/b.tar"),
    ("demo",),
]
OF_ANY_SHAPE = {("doctor",), ("restore",)}
"""They are there for an installation that does not work."""


def set_revision(app: Flask, revision: str | None) -> None:
    with app.app_context(), transaction() as session:
        session.execute(text("DELETE FROM alembic_version"))
        if revision is not None:
            session.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})


def names_of(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from names_of(inner, (*path, name))
    else:
        yield path


def test_the_commands_below_are_all_there_are(app: Flask) -> None:
    ours = {path for path in names_of(app.cli) if path[0] != "db"}
    alone = {command.name for command in app.cli.commands.values() if not isinstance(command, click.Group)}
    assert ours == {command[:1] if command[0] in alone else command[:2] for command in COMMANDS} | OF_ANY_SHAPE


@pytest.mark.parametrize("revision", [None, "0000"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_database_that_is_not_migrated(
    terminal: Terminal, app: Flask, people: Cast, command: tuple[str, ...], revision: str | None
) -> None:
    set_revision(app, revision)
    assert terminal.refused(*command) == (
        "The database is not migrated to this version of the portal. Run: flask --app wsgi db upgrade"
    )


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_database_of_a_newer_version(
    terminal: Terminal, app: Flask, people: Cast, command: tuple[str, ...]
) -> None:
    set_revision(app, "9999")
    assert terminal.refused(*command) == (
        "The database was migrated by a newer version of the portal (9999). Run that version."
    )


def test_a_database_that_somebody_keeps_busy(
    terminal: Terminal, app: Flask, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 100)
    with app.app_context():
        db.engine.dispose()
        holder = db.engine.connect()
        holder.exec_driver_sql("COMMIT")
        holder.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        said = terminal.refused("accounts", "suspend", "reader@example.org")
    finally:
        holder.exec_driver_sql("ROLLBACK")
        holder.exec_driver_sql("BEGIN")
        holder.close()
    assert said == "The database did not answer, and nothing was changed: database is locked"
