"""No command touches a database of another shape, and one that does not answer is told in a sentence."""

from collections.abc import Callable, Iterator

import click
import pytest
from flask import Flask
from sqlalchemy import text

from mfaportal.plumbing import sqlite
from mfaportal.plumbing.db import transaction
from tests.cli.terminal import Terminal
from tests.databases import on_postgresql
from tests.people import Cast
from tests.stranger import stranger_at

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
    ("copy-database", "sqlite:////nowhere/b.sqlite3"),
    ("demo",),
]
OF_ANY_SHAPE = {("doctor",), ("restore",)}
"""They are there for an installation that does not work."""


def set_revision(app: Flask, revision: str | None) -> None:
    with app.app_context(), transaction() as session:
        session.execute(text("DELETE FROM alembic_version"))
        if revision is not None:
            session.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})


def below(group: click.Group) -> dict[str, click.Command]:
    context = click.Context(group)
    found = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def names_of(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(command, click.Group):
        for name, inner in below(command).items():
            yield from names_of(inner, (*path, name))
    else:
        yield path


def test_the_commands_below_are_all_there_are(app: Flask) -> None:
    ours = {path for path in names_of(app.cli) if path[0] != "db"}
    alone = {name for name, command in below(app.cli).items() if not isinstance(command, click.Group)}
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
    make_app: Callable[..., Flask], people: Cast, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 100)
    if on_postgresql():
        database_url += "&options=-c%20lock_timeout%3D100ms"
    impatient = Terminal(make_app(MFAPORTAL_DATABASE_URL=database_url))
    with stranger_at(database_url) as stranger:
        assert stranger.begin()
        said = impatient.refused("accounts", "suspend", "reader@example.org")
    why = "canceling statement due to lock timeout" if on_postgresql() else "database is locked"
    assert said == f"The database did not answer, and nothing was changed: {why}"
