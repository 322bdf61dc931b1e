"""What is run at the driver itself, past SQLAlchemy's own way, and how it fails all the same as SQLAlchemy would."""

from typing import Any, cast

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

BEGUN = "mfaportal_begun"
"""Where an operation's session keeps what it runs on, as long as it runs."""


def connection_of(session: Session) -> Connection:
    """What a session's transaction runs on: at hand in an operation, which asks for it a dozen times."""
    begun: Connection | None = session.info.get(BEGUN)
    return session.connection() if begun is None else begun


def as_sqlalchemys(error: Exception, dialect: Dialect, *, lost: bool) -> DBAPIError:
    """Without what people typed, and of the class that the pages of errors know."""
    base: Any = dialect.loaded_dbapi.Error
    made = DBAPIError.instance(None, None, error, base, True, lost, dialect)
    return cast(DBAPIError, made)
