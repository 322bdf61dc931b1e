"""Bringing the database to the newest shape: once, whoever starts first, and never half.

SQLite cannot alter much in place, so Alembic rebuilds tables; with foreign keys enforced that would cascade rows
away (security.md, fact 21). They are off while it migrates, checked before it commits, and one process at a time may.
"""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask, current_app
from sqlalchemy import inspect, text
from sqlalchemy.engine import Engine

from .config import Settings
from .db import db
from .engines import alone_at, is_sqlite

FOLDER = Path(__file__).resolve().parents[1] / "migrations"
HEAD = "0005"
"""The newest revision; a test holds it against the files."""
_NOTED = text("SELECT version_num FROM alembic_version")


def register(app: Flask) -> None:
    """Make Flask-Migrate and its `flask db` known. It loads all of Alembic, which a server at work never needs."""
    from flask_migrate import Migrate  # noqa: PLC0415

    if "migrate" not in app.extensions:
        Migrate(app, db, directory=str(FOLDER))


def current(engine: Engine) -> str | None:
    """The database's revision; None for an empty one."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(_NOTED).scalar()


def is_newest(engine: Engine) -> bool:
    """Whether a database that has our tables has them in the shape of this program; one statement.

    Raises:
        SQLAlchemyError: it does not answer, or has none.
    """
    with engine.connect() as connection:
        return connection.execute(_NOTED).scalar() == HEAD


def migrate(settings: Settings) -> bool:
    """Migrate to the newest revision if need be, inside an app context; True when there was something to do."""
    if current(db.engine) == HEAD:
        return False
    with _alone(settings.instance) if is_sqlite(db.engine.url) else alone_at(db.engine):
        if current(db.engine) == HEAD:
            return False  # another process did it while this one waited
        from flask_migrate import upgrade  # noqa: PLC0415  # see `register`

        register(current_app)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        upgrade(directory=str(FOLDER))
    return True


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    path = folder / "migration.lock"
    path.touch(mode=0o600)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
