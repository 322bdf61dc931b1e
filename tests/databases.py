"""Which database the tests run on, and one for each installation that they make.

On SQLite it is a file in the installation's folder, as by default. On PostgreSQL (`--database=postgresql`) each has
one on the run's own server (`tests.cluster`). A test asks for an installation's settings, and need not know which.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.contents import Contents
    from tests.pool import Pool

CHOSEN, CLUSTER = "TEST_DATABASE", "TEST_CLUSTER"
"""Names in the environment, where workers find what the run was told and where its server is."""
POSTGRESQL = "postgresql"
FILE = "mfaportal.sqlite3"
ADVISORY_LOCKS = """
    SELECT pid, objid FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE locktype = 'advisory' AND granted AND datname = current_database()
"""
"""Who holds which on a server that other tests use meanwhile, each with databases of its own."""


def on_postgresql() -> bool:
    return os.environ.get(CHOSEN) == POSTGRESQL


@cache
def pool() -> "Pool":
    """This process' databases on the run's server."""
    from tests.pool import Pool  # noqa: PLC0415  # only there is a driver needed

    return Pool(Path(os.environ[CLUSTER]))


def url_of(folder: Path) -> str:
    """The database of the installation in this folder; an empty one where there was no installation yet."""
    return pool().url_of(folder) if on_postgresql() else f"sqlite:///{folder / FILE}"


def settings_of(folder: Path) -> dict[str, str]:
    """What makes a portal be the installation in this folder."""
    where = {"MFAPORTAL_INSTANCE": str(folder)}
    return {**where, "MFAPORTAL_DATABASE_URL": url_of(folder)} if on_postgresql() else where


def contents_of(folder: Path) -> "Contents":
    """What the installation's database holds."""
    from tests.contents import contents  # noqa: PLC0415  # it knows the tables, and this module is known to plugins

    return contents(url_of(folder))


@contextmanager
def blank(folder: Path) -> Iterator[dict[str, str]]:
    """The settings with which the installation is made that all others are copies of."""
    if not on_postgresql():
        yield settings_of(folder)
        return
    with pool().blank(folder):
        yield settings_of(folder)


@contextmanager
def installed(blank: Path, folder: Path) -> Iterator[Path]:
    """The empty, migrated installation once more, in another folder and with another database."""
    shutil.copytree(blank, folder)
    if not on_postgresql():
        yield folder
        return
    with pool().lent(folder):
        yield folder


def take_back() -> None:
    """Take back the databases that the test got by naming a folder."""
    if on_postgresql():
        pool().take_back()


def let_go() -> None:
    """Let go of all connections of this process."""
    if on_postgresql() and pool.cache_info().currsize:
        pool().close()
