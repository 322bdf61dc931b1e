"""The database that a copy goes into: given this version's tables where it has none, refused where rows are in it.

No operation: `copy-database`, backups and restores share it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, Engine

from ..plumbing import assembly, migrations, sqlite_file
from ..plumbing.config import Settings
from ..plumbing.db import db
from ..plumbing.keys import Keys
from ..plumbing.table_rows import TableProof
from ..plumbing.transactions import PATIENT, WRITES
from . import copied_rows
from .copied_rows import CopyFault, Holds, Told


def nobody_listens(_doing: str, _table: str, _done: int, _total: int) -> None:
    """For copies that tell nothing on their way."""


@contextmanager
def opened(settings: Settings, keys: Keys, *, may_be_used: bool = False) -> Iterator[Engine]:
    """The database that these settings name, with empty tables. A file that this made goes again with an exception.

    `may_be_used`: with what is in it, if it is an installation of this version.

    Raises:
        CopyFault: something is in it, or it is of another version.
        SettingError: it cannot be opened.
    """
    path = sqlite_file.path_of(settings.database_url)
    made = path is not None and not path.exists()
    app = assembly.bare_app(settings, keys, threads=1)
    with app.app_context():
        engine = db.engine
    try:
        with app.app_context():
            _make_ready(settings, engine, may_be_used=may_be_used)
            db.session.remove()
        yield engine
    except BaseException:
        engine.dispose()
        if path is not None and made:
            for each in [*sqlite_file.beside(path), path]:
                each.unlink(missing_ok=True)
        raise
    engine.dispose()


def _make_ready(settings: Settings, engine: Engine, *, may_be_used: bool) -> None:
    with engine.connect() as connection:
        found = copied_rows.holds(connection, migrations.HEAD)
        revision = migrations.current(engine) if found is Holds.OTHER_REVISION else None
    match found:
        case Holds.NOTHING:
            migrations.migrate(settings)
        case Holds.OTHER_REVISION:
            raise CopyFault(f"it is of another version of the portal ({revision}, not {migrations.HEAD})")
        case Holds.OTHER_TABLES:
            raise CopyFault("there are tables of something else in it")
        case Holds.SOMETHING if not may_be_used:
            raise CopyFault("it is not empty")
        case _:
            pass


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that may take as long as it takes: all of it is kept, or with an exception nothing."""
    with engine.connect().execution_options(**{WRITES: True, PATIENT: True}) as connection, connection.begin():
        yield connection


def fill(source: Connection, engine: Engine, told: Told) -> list[TableProof]:
    """Copy everything in one transaction, which is kept if it is a copy.

    Raises:
        CopyFault: it is none, or somebody was faster and is in there by now.
    """
    with writing(engine) as target:
        if copied_rows.holds(target, migrations.HEAD) is not Holds.FRESH:
            raise CopyFault("it is not empty any more")
        return copied_rows.copy(source, target, told)


def into_file(source: Connection, path: Path, settings: Settings, keys: Keys) -> None:
    """Copy everything into a new SQLite file, nothing beside it."""
    own = replace(settings, database_url=f"sqlite:///{path}", instance=path.parent)
    with opened(own, keys) as file:
        fill(source, file, nobody_listens)
    sqlite_file.make_whole(path)
    (path.parent / "migration.lock").unlink(missing_ok=True)
