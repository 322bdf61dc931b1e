"""Who is gone is gone from the search index, too: SQLite's keeps what was taken out of it until it is merged.

PostgreSQL does this by itself, as with any other index.
"""

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from ..models import Setting
from ..models.setting import SEARCH_TO_SWEEP
from ..plumbing.db import change, reading, transaction
from .caller import Caller

PAGES = 500
"""Two megabytes or so are written anew in a transaction."""
_NOTHING_LEFT = 2
"""Fewer changes than these mean that there was nothing to merge."""


def sweep(caller: Caller) -> int:
    """Merge the whole index, some pages at a time; whether there was something to sweep."""
    with reading() as session:
        asked = session.scalar(select(Setting.value).where(Setting.name == SEARCH_TO_SWEEP))
    if asked is None:
        return 0
    pages = -PAGES  # below nothing: all of it, also what would not be worth it for speed
    while _merge(caller, pages) >= _NOTHING_LEFT:
        pages = PAGES
    with transaction() as session:  # whoever left meanwhile has written another value
        return change(session, delete(Setting).where(Setting.name == SEARCH_TO_SWEEP, Setting.value == asked))


def _merge(caller: Caller, pages: int) -> int:  # noqa: ARG001  # as every operation
    with transaction() as session:
        before = _changes(session)
        session.execute(
            text("INSERT INTO account_search (account_search, rank) VALUES ('merge', :pages)"), {"pages": pages}
        )
        return _changes(session) - before


def _changes(session: Session) -> int:
    return session.scalar(select(func.total_changes())) or 0
