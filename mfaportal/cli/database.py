"""`flask --app wsgi db …` is Flask-Migrate's. Its `upgrade` says nothing by itself; here it tells what it did."""

from collections.abc import Callable
from copy import copy
from functools import wraps
from typing import Any

import click
from flask import Flask

from ..plumbing import migrations
from ..plumbing.db import db


def register(app: Flask) -> None:
    """Put a telling `upgrade` into the app's own copy of the group; Flask-Migrate is there under `flask` only."""
    shared = app.cli.commands.get("db")
    if isinstance(shared, click.Group):
        group, upgrade = copy(shared), copy(shared.commands["upgrade"])
        if upgrade.callback is not None:
            upgrade.callback = _telling(upgrade.callback)
        group.commands = {**shared.commands, "upgrade": upgrade}
        app.cli.add_command(group)


def _telling(run: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(run)
    def upgrade(*args: Any, **options: Any) -> None:
        before = migrations.current(db.engine)
        run(*args, **options)  # exits with 1 by itself where it fails
        after = migrations.current(db.engine)
        if before == after:
            click.echo(f"The database is up to date (revision {after}).")
        else:
            click.echo(f"Migrated the database from revision {before} to {after}.")

    return upgrade
