"""What `flask --app wsgi` still offers where the portal refuses to start: to find out why, and to restore a backup.

`flask` asks an application for its commands before it runs one, and for the application alone where the command is
Flask's own: then there is nothing to offer.
"""

import sys
from typing import NoReturn

import click
from flask import Flask
from flask.cli import AppGroup

from . import backup, doctor


class _Helping(AppGroup):
    """Two commands; to any other name it says why the portal does not start."""

    def __init__(self, sentence: str) -> None:
        super().__init__(commands={command.name or "": command for command in (doctor.command, backup.restore)})
        self._sentence = sentence

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        return super().get_command(ctx, cmd_name) or self._end()

    def _end(self) -> NoReturn:
        sys.exit(self._sentence)


def app_for(error: ValueError) -> Flask:
    """An application with these commands; ends the process unless `flask` is looking for a command just now."""
    sentence = f"mfaportal: {error}"
    context = click.get_current_context(silent=True)
    if context is None or context.parent is not None:
        sys.exit(sentence)
    app = Flask("mfaportal", static_folder=None)
    app.cli = _Helping(sentence)
    return app
