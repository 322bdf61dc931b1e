"""What triggers keep beside the rows (lists, counts, search): set aside while many rows come, then made at once.

Row by row it would take hours: on PostgreSQL each change of a count leaves one version more, and all of them stay
until the transaction ends.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from sqlalchemy import Connection, delete

from .db import db


@contextmanager
def set_aside(connection: Connection) -> Iterator[None]:
    """Inside the connection's transaction. Afterwards the triggers are there again, and what they keep is right."""
    from alembic.migration import MigrationContext  # noqa: PLC0415  # large, and what is run here are migrations' parts
    from alembic.operations import Operations  # noqa: PLC0415

    kept_rows, search_index = (
        import_module(f"mfaportal.migrations.{name}") for name in ("kept_rows", "search_index")
    )
    with Operations.context(MigrationContext.configure(connection)):
        kept_rows.drop()
        search_index.drop()
        for table in db.metadata.sorted_tables:
            if table.info.get("kept_by_triggers"):
                connection.execute(delete(table))
        yield
        if connection.dialect.name != "sqlite":
            names = ", ".join(table.name for table in db.metadata.sorted_tables)
            connection.exec_driver_sql(f"ANALYZE {names}")  # it would plan for the empty tables that it knows
        kept_rows.fill()
        kept_rows.create()
        search_index.create()
