"""privacyIDEA's own application, with the SQLite settings the other systems get."""

from pathlib import Path

from privacyidea.app import create_app
from sqlalchemy import event
from sqlalchemy.engine import Engine


@event.listens_for(Engine, "connect")
def tune_sqlite(connection, _record) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


application = create_app(config_name="production", config_file=str(Path(__file__).with_name("pi.cfg")), silent=True)
