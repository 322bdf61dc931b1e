"""The command line: `flask --app wsgi …`. It holds no rules and never commits; each command calls an operation."""

from flask import Flask

from . import accounts, database, demo, mfa, portals


def register(app: Flask) -> None:
    """Hang the commands onto `flask`."""
    for command in (accounts.group, portals.group, mfa.group, demo.command):
        app.cli.add_command(command)
    database.register(app)
