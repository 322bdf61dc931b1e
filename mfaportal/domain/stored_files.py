"""Files of datasets, as operations use them: what no dataset refers to any more is removed, under one lock.

The lock is taken before the transaction and held until after its commit, by whoever adds a reference and by whoever
takes one away. So a file that is placed while its last other reference goes is not lost.
"""

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from ..models import Dataset
from ..plumbing.db import reading
from ..plumbing.file_store import FileStore, Measured
from ..plumbing.runtime import runtime

_log = logging.getLogger("mfaportal.files")
_ASIDE = timedelta(days=30)
"""How long a file waits to be wanted again, by the right database."""
_ASKED_ONE_BY_ONE = 500
"""Databases take no endless lists; of more files than this all that are wanted are read."""


def store() -> FileStore:
    """The store of the app whose context is active."""
    return FileStore(runtime().settings.instance)


@contextmanager
def settled() -> Iterator[set[str]]:
    """Hold the lock around one transaction. Digests noted in the set go at the end if no dataset refers to them.

    To be noted: of a file that is placed (the transaction may come to nothing), and of one that loses a reference.
    """
    files = store()
    noted: set[str] = set()
    with files.locked():
        try:
            yield noted
        finally:
            _remove_unwanted(files, noted)


@contextmanager
def placed(measured: Measured | None) -> Iterator[set[str]]:
    """The same, with a spooled file put in its place first: nobody waits for the database while the disk is written.

    It goes again if the transaction comes to nothing. None: there is no file.
    """
    with settled() as noted:
        if measured is not None:
            noted.add(measured.digest)
            store().place(measured)
        yield noted


def remove_old_orphans(now: datetime) -> int:
    """Remove for good what starts have set aside as nobody's, once it is thirty days old; how many (for upkeep).

    Takes the files' lock, so never inside a transaction.
    """
    files = store()
    with files.locked():
        return files.remove_orphans(now - _ASIDE)


def _remove_unwanted(files: FileStore, noted: Collection[str]) -> None:
    if not noted:
        return
    statement = select(Dataset.file_digest)
    if len(noted) <= _ASKED_ONE_BY_ONE:
        statement = statement.where(Dataset.file_digest.in_(noted))
    try:
        with reading() as session:
            wanted = set(session.scalars(statement))
    except SQLAlchemyError:
        _log.warning("could not see whether files are still wanted; the next start will", exc_info=True)
        return
    for digest in set(noted) - wanted:
        files.remove(digest)
