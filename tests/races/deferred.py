"""The portal with SQLite's own way to begin: who has read finds out at the first write that somebody was faster.

Busy timeouts do not help it (security.md, fact 20). Served to a race so that "database is locked" proves to be seen.
"""

from sqlalchemy.engine import Connection

from mfaportal import create_app
from mfaportal.plumbing import db


def _begin_deferred(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


db._begin = _begin_deferred
app = create_app()
