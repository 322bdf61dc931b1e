"""Flask-Migrate's `flask db upgrade` says nothing by itself; this is the line that it ends with."""

import click
from flask import Flask

from ..plumbing import migrations
from ..plumbing.db import db


def register(app: Flask) -> None:
    """Where the application is being loaded for `db upgrade`, have the state told once the command is done."""
    context = click.get_current_context(silent=True)
    if context is not None and context.command_path.endswith("db upgrade"):
        context.call_on_close(lambda: _say_state(app))


def _say_state(app: Flask) -> None:
    """Nothing where it failed: Flask-Migrate has said why."""
    with app.app_context():
        if migrations.current(db.engine) == migrations.HEAD:
            click.echo(f"The database is up to date (revision {migrations.HEAD}).")
