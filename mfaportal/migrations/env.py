"""How Alembic runs here: with foreign keys off while tables are rebuilt, checked before the one commit."""

import flask
from alembic import context
from sqlalchemy import text
from sqlalchemy.engine import Connection

from mfaportal.plumbing.db import db
from mfaportal.plumbing.engines import is_sqlite
from mfaportal.plumbing.transactions import PATIENT, WRITES


def run(connection: Connection) -> None:
    """Migrate inside one transaction; a broken reference rolls all of it back."""
    sqlite = is_sqlite(connection.engine.url)
    if sqlite:
        raw = connection.connection.cursor()
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute("PRAGMA legacy_alter_table = ON")  # triggers of other tables may name the one that is rebuilt
        raw.close()
    try:
        context.configure(
            connection=connection, target_metadata=db.metadata, render_as_batch=sqlite, transactional_ddl=True
        )
        with connection.begin():
            context.run_migrations()
            if sqlite and connection.execute(text("PRAGMA foreign_key_check")).first() is not None:
                raise RuntimeError("the migration would leave rows that refer to nothing")
    finally:
        if sqlite:
            raw = connection.connection.cursor()
            raw.execute("PRAGMA foreign_keys = ON")
            raw.execute("PRAGMA legacy_alter_table = OFF")
            raw.close()


if flask.has_app_context():
    with db.engine.connect().execution_options(**{WRITES: True, PATIENT: True}) as opened:
        run(opened)
