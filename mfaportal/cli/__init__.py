"""The command line: `flask --app wsgi …`. It holds no rules and never commits; each command calls an operation."""

from flask import Flask

from . import accounts, audit, backup, database, demo, doctor, keys, mfa, portals, upkeep


def register(app: Flask) -> None:
    """Hang the commands onto `flask`."""
    groups = (accounts.group, portals.group, mfa.group, keys.group, audit.group)
    for command in (*groups, demo.command, backup.backup, backup.restore, doctor.command, upkeep.command):
        app.cli.add_command(command)
    database.register(app)
