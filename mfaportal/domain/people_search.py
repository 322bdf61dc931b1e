"""How lists of people are searched without looking through a million of them.

What few have is found through an index, and sorted. What thousands have is met soon wherever one looks: so the list
is walked in its order until a page is full. Names and addresses that begin with the text come first then, for these
lie together, at the end of the list perhaps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, literal, not_, select, tuple_
from sqlalchemy.orm import Session

from ..models import account_search
from ..models.account_search import Among, SearchText, after_all, begins

FEW = 5000
"""So many are sorted for a page at most, and a list of so many is walked whatever is looked for."""
_TEXT_MAX = 100


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody stands in a list: whoever comes behind is on the next page."""

    id: int
    name_key: str
    email: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Of the table that a list is read from."""

    id: Any
    name_key: Any
    email: Any

    @property
    def all(self) -> tuple[Any, ...]:
        return self.id.label("id"), self.name_key.label("name_key"), self.email.label("email")

    def behind(self, place: Place | None) -> tuple[ColumnElement[bool], ...]:
        """In the order of names; from nobody on, from the beginning of the index."""
        if place is None:
            return (self.name_key >= "",)
        return (tuple_(self.name_key, self.id) > tuple_(literal(place.name_key), literal(place.id)),)


def text_of(text: str) -> SearchText:
    """What is looked for: no longer than a name may be."""
    return SearchText.of(text[:_TEXT_MAX])


def places(session: Session, statement: Select[Any]) -> list[Place]:
    """Those of a list, by a statement that reads `Columns.all`."""
    return [Place(*row) for row in session.execute(statement)]


def place(session: Session, columns: Columns, *conditions: ColumnElement[bool]) -> Place | None:
    """Where the one stands of whom this is true."""
    return next(iter(places(session, select(*columns.all).where(*conditions))), None)


def among(session: Session, text: SearchText) -> Among | None:
    """Those who may fit where they are few, so that all of them can be looked at."""
    return account_search.among(session, text, FEW)


class Turn(IntEnum):
    """The parts of a list of what thousands have, in their order."""

    NAMES = 0
    """Whose names begin with it."""
    ADDRESSES = 1
    """Whose addresses do, in the order of addresses."""
    REST = 2

    def conditions(self, text: SearchText, columns: Columns, place: Place | None) -> tuple[ColumnElement[bool], ...]:
        """Whom it is made of, from behind a place on. A column has one bound a side: SQLite takes but one."""
        name, email = begins(columns.name_key, text.key), begins(columns.email, text.email)
        match self:
            case Turn.NAMES:
                last = columns.name_key < after_all(text.key)
                return (name,) if place is None else (*columns.behind(place), last)
            case Turn.ADDRESSES:
                last = columns.email < after_all(text.email)
                return (email if place is None else and_(columns.email > place.email, last)), not_(name)
            case Turn.REST:
                fits = text.fits(columns.name_key, columns.email)
                return *columns.behind(place), fits, not_(name), not_(email)


def in_turns(
    text: SearchText, place: Place | None, limit: int, read: Callable[[Turn, Place | None, int], list[Place]]
) -> list[Place]:
    """A page of what thousands have. `read` gives some of a part, from behind a place on."""
    found: list[Place] = []
    for turn in list(Turn)[_turn_of(text, place) :]:
        found += read(turn, place, limit - len(found))
        if len(found) == limit:
            break
        place = None
    return found


def _turn_of(text: SearchText, place: Place | None) -> Turn:
    if place is None or place.name_key.startswith(text.key):
        return Turn.NAMES
    return Turn.ADDRESSES if place.email.startswith(text.email) else Turn.REST
