"""The command line."""

from flask import Flask


def register(app: Flask) -> None:
    """Hang the commands onto `flask`."""
