"""Who is found by a part of a name or of an address: what fits, and how an index finds what might.

Three characters or more are found anywhere. One or two are found where a word of the name begins, or the address:
of a million people most have any two letters somewhere. The one place where the databases' ways to search differ.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    and_,
    any_,
    column,
    func,
    literal,
    or_,
    select,
    table,
    tablesample,
    text,
)
from sqlalchemy.orm import Session, aliased

from ..rules.names import key_of
from .account import Account

ANYWHERE = 3
"""So many characters the indexes are made of."""
_MARK = "\x02\x02"
"""Stands before each word in SQLite's index (migration 0005); nobody can have it in a name."""
_HIGHEST = "\U0010ffff"
_INDEX = table("account_search", column("rowid"), column("account_search"))
_SAMPLE = 2000
_MOST = 10_000
"""More are not brought from PostgreSQL, whatever few means."""

Among = Callable[[Any], ColumnElement[bool]]
"""In SQL: whether the account with the number in this column may fit."""


@dataclass(frozen=True, slots=True)
class SearchText:
    """What somebody typed, as names and as addresses are kept."""

    key: str
    email: str

    @classmethod
    def of(cls, typed: str) -> "SearchText":
        return cls(key_of(typed), typed.lower())

    def fits(self, name_key: Any, email: Any) -> ColumnElement[bool]:
        """In SQL: whether this name or this address holds the text."""
        return or_(self.fits_name(name_key), self.fits_email(email))

    def fits_name(self, name_key: Any) -> ColumnElement[bool]:
        if len(self.key) >= ANYWHERE:
            return _as_bool(name_key.contains(self.key, autoescape=True))
        return or_(begins(name_key, self.key), name_key.contains(f" {self.key}", autoescape=True))

    def fits_email(self, email: Any) -> ColumnElement[bool]:
        if len(self.email) >= ANYWHERE:
            return _as_bool(email.contains(self.email, autoescape=True))
        return begins(email, self.email)


def among(session: Session, wanted: SearchText, few: int) -> Among | None:
    """Those who may fit, found through an index; None where they are more than a few. `fits` says who does."""
    if session.get_bind().dialect.name == "sqlite":
        found = in_sqlite(wanted)
        some = found.limit(few + 1).subquery()
        number = session.scalar(select(func.count()).select_from(some)) or 0
        return (lambda number_of: number_of.in_(found)) if number <= few else None
    if _estimated(session, wanted) > min(few, _MOST):
        return None
    session.execute(text("SET LOCAL enable_seqscan = off"))  # it guesses badly how many have two letters
    numbers = list(session.scalars(select(Account.id).where(wanted.fits(Account.name_key, Account.email))))
    session.execute(text("SET LOCAL enable_seqscan = on"))
    return lambda number_of: number_of == any_(literal(numbers, ARRAY(BigInteger)))


def keep_order(session: Session) -> None:
    """What is read next in this transaction is read in the order of an index, not all of it and then sorted.

    PostgreSQL cannot know how soon a page of those who fit is full. SQLite takes the index anyway.
    """
    if session.get_bind().dialect.name != "sqlite":
        session.execute(text("SET LOCAL enable_sort = off"))


def in_sqlite(wanted: SearchText) -> Select[Any]:
    """The numbers of all accounts that may fit."""
    found = " OR ".join(f"({each})" for each in dict.fromkeys((_grams(wanted.key), _grams(wanted.email))))
    return select(_INDEX.c.rowid.label("id")).where(_INDEX.c.account_search.op("MATCH")(found))


def _estimated(session: Session, wanted: SearchText) -> float:
    """How many may fit, judged by some pages of the table: PostgreSQL's index counts only by finding all of them."""
    highest = session.scalar(select(func.max(Account.id))) or 0
    share = min(100.0, 100.0 * _SAMPLE / max(highest, 1))
    some = aliased(Account, tablesample(Account, func.system(share), seed=literal(1)))
    fitting = func.count().filter(wanted.fits(some.name_key, some.email))
    found, looked_at = session.execute(select(fitting, func.count()).select_from(some)).one()
    return float(found * highest / looked_at) if looked_at else 0.0


def begins(text: Any, beginning: str) -> ColumnElement[bool]:
    """In SQL: as a range, which any index over the column gives in its order."""
    return and_(text >= beginning, text < after_all(beginning))


def after_all(beginning: str) -> str:
    """What comes behind every text that begins so."""
    return beginning + _HIGHEST


def _grams(text: str) -> str:
    marked = text.replace(" ", f" {_MARK}") if len(text) >= ANYWHERE else _MARK + text
    grams = dict.fromkeys(marked[at : at + ANYWHERE] for at in range(len(marked) - ANYWHERE + 1))
    return " AND ".join('"{}"'.format(gram.replace('"', '""')) for gram in grams)


def _as_bool(found: Any) -> ColumnElement[bool]:
    is_found: ColumnElement[bool] = found
    return is_found
