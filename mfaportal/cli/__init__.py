"""The command line: `flask --app wsgi …`. It holds no rules and never commits; each command calls an operation.

They are loaded when `flask` asks for them: a server never does, and they bring along much that only they need.
"""

from functools import cache

import click
from flask import Flask
from flask.cli import AppGroup


def register(app: Flask) -> None:
    """Hang the commands onto `flask`, beside those that are there."""
    app.cli = _Commands(name=app.cli.name, commands=app.cli.commands)


class _Commands(AppGroup):
    """The portal's commands, and what others have added to the application's."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_ours()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = _ours().get(cmd_name) or super().get_command(ctx, cmd_name)
        if cmd_name == "db" and isinstance(found, click.Group):  # Flask-Migrate's; it is there under `flask` only
            from . import database  # noqa: PLC0415  # loaded by `_ours`

            return database.telling(found)
        return found


@cache
def _ours() -> dict[str, click.Command]:
    # None of these is imported before it is called: see above.
    from . import accounts, audit, backup, database, demo, doctor, keys, mfa, portals, upkeep  # noqa: PLC0415

    groups: tuple[click.Group, ...] = (accounts.group, portals.group, mfa.group, keys.group, audit.group)
    single = (demo.command, backup.backup, backup.restore, doctor.command, upkeep.command, database.copy_database)
    return {command.name or "": command for command in (*groups, *single)}
