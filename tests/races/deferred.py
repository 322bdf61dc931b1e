"""The portal with the databases' own way to begin: who has read finds out at a write that somebody was faster.

Busy timeouts do not help it (security.md, fact 20). Served to a race so that SQLite's "database is locked" and
PostgreSQL's "could not serialize access" prove to be seen.
"""

from sqlalchemy.engine import Connection

from mfaportal import create_app
from mfaportal.plumbing import postgresql, sqlite


def _begin_deferred(connection: Connection) -> None:
    server = connection.dialect.name == "postgresql"
    connection.exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ" if server else "BEGIN")


sqlite._begin = postgresql._begin = _begin_deferred
app = create_app()
