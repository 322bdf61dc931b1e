"""How a transaction says what it is, to whichever database begins it: names of SQLAlchemy's execution options."""

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

WRITES = "mfaportal_writes"
"""It changes something, and others that do wait until it has ended."""
ASIDE = "mfaportal_aside"
"""It changes one row without having read anything, and waits for nobody but who changes that row."""
FOLLOWED = "mfaportal_followed"
"""Before anybody hears of it, another transaction is committed, and this one is on the disk with that."""
PATIENT = "mfaportal_patient"
"""It may take minutes: a migration, a copy, an export."""

CONNECTION = "mfaportal_connection"
"""Where an operation's session keeps what it runs on, as long as it runs."""


def connection_of(session: Session) -> Connection:
    """What a session's transaction runs on: at hand in an operation, which asks for it a dozen times."""
    begun: Connection | None = session.info.get(CONNECTION)
    return session.connection() if begun is None else begun
