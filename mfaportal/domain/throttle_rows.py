"""The rows that attempts are counted in: one a subject and kind, each change of one names what it was before."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import String, Text, and_, bindparam, delete, func, literal_column, or_, select, update
from sqlalchemy.orm import Session

from ..models import Throttle
from ..models.throttle import packed, unpacked
from ..plumbing.clock import to_microseconds
from ..plumbing.db import Instant
from ..plumbing.prepared_change import Insert, PreparedChange
from ..rules.throttling import History, Kind, given_back


class Subject(NamedTuple):
    """Whose attempts of which kind. Texts that people type go in as digests."""

    kind: Kind
    name: str


class Row(NamedTuple):
    """A row as one statement has left or found it. `attempts` is the text in it."""

    subject: Subject
    history: History
    attempts: str
    version: int


class Question:
    """What is asked of the database in the statement that counts, which has to be made anyway: scalar sub-selects."""

    def __init__(self, make: Callable[[], Sequence[Any]]) -> None:
        self.make = make


class LostRace(Exception):
    """Another writer replaced the row meanwhile; the operation is rolled back and answers 503."""


def add(
    session: Session, subjects: Sequence[Subject], now: datetime, question: Question, about: Mapping[str, Any]
) -> tuple[list[Row], tuple[Any, ...]]:
    """Write an attempt into each row, and make those that are not there; how they are now, and the answer.

    One statement, so nobody else's attempt is lost, and no two find the same place free.
    """
    values = {**about, "attempts": str(to_microseconds(now)), "changed_at": now}
    for number, (kind, name) in enumerate(subjects):
        values[f"kind_{number}"], values[f"subject_{number}"] = kind.value, name
    found = {row[:2]: row[2:] for row in _adding(len(subjects), question).run(session, values).rows}
    rows = [
        Row(subject, unpacked(attempts, in_a_row), attempts, version)
        for subject in subjects
        for attempts, in_a_row, version, *_answer in [found[subject.kind.value, subject.name]]
    ]
    return rows, tuple(next(iter(found.values()))[3:])


@cache
def _adding(subjects: int, question: Question) -> PreparedChange:
    def make(insert: Insert) -> Any:
        added = insert(_TABLE).values([_first_attempt(number) for number in range(subjects)])
        there, new = _TABLE.c, added.excluded
        one: Any = literal_column("1")
        more = {
            "attempts": func.trim(there.attempts + literal_column("' '", Text) + new.attempts),
            "in_a_row": there.in_a_row + one,
            "version": there.version + one,
            "changed_at": new.changed_at,
        }
        return added.on_conflict_do_update(index_elements=[there.kind, there.subject], set_=more).returning(
            there.kind, there.subject, there.attempts, there.in_a_row, there.version, *question.make()
        )

    return PreparedChange(make)


def _first_attempt(number: int) -> dict[str, Any]:
    return {
        "kind": bindparam(f"kind_{number}", type_=String),
        "subject": bindparam(f"subject_{number}", type_=String),
        "attempts": bindparam("attempts", type_=Text),
        "in_a_row": literal_column("1"),
        "version": literal_column("1"),
        "changed_at": bindparam("changed_at", type_=Instant),
    }


def look(session: Session, subject: Subject) -> Row | None:
    """The row as it is; where the answer decides, inside an operation, which takes turns with all others."""
    row = session.execute(
        select(Throttle.attempts, Throttle.in_a_row, Throttle.version).where(
            Throttle.kind == subject.kind, Throttle.subject == subject.name
        )
    ).one_or_none()
    return None if row is None else Row(subject, unpacked(row.attempts, row.in_a_row), row.attempts, row.version)


def replace(session: Session, row: Row, history: History, now: datetime) -> Row | None:
    """Give a row another history; None where it is not as it was any more."""
    attempts = packed(history)
    values = {
        "kind": row.subject.kind.value,
        "subject": row.subject.name,
        "seen": row.version,
        "attempts": attempts,
        "in_a_row": history.in_a_row,
        "changed_at": now,
    }
    if _REPLACE.run(session, values).number != 1:
        return None
    return Row(row.subject, history, attempts, row.version + 1)


def _replacing(_insert: Insert) -> Any:
    there = _TABLE.c
    return (
        update(_TABLE)
        .where(
            there.kind == bindparam("kind", type_=String),
            there.subject == bindparam("subject", type_=String),
            there.version == bindparam("seen"),
        )
        .values(
            attempts=bindparam("attempts"),
            in_a_row=bindparam("in_a_row"),
            version=there.version + literal_column("1"),
            changed_at=bindparam("changed_at"),
        )
    )


def forget(session: Session, rows: Sequence[Row]) -> set[Subject]:
    """Delete those of the rows that are still as they were; whose these are."""
    if not rows:
        return set()
    values: dict[str, Any] = {}
    for number, row in enumerate(rows):
        values[f"kind_{number}"], values[f"subject_{number}"] = row.subject.kind.value, row.subject.name
        values[f"attempts_{number}"], values[f"version_{number}"] = row.attempts, row.version
    return {Subject(Kind(kind), name) for kind, name in _forgetting(len(rows)).run(session, values).rows}


@cache
def _forgetting(rows: int) -> PreparedChange:
    """A version alone would not do: a row that was deleted and made anew begins again with the first."""
    there = _TABLE.c
    names = (there.kind, there.subject, there.attempts, there.version)

    def make(_insert: Insert) -> Any:
        same = [
            and_(*(column == bindparam(f"{column.key}_{number}", type_=column.type) for column in names))
            for number in range(rows)
        ]
        return delete(_TABLE).where(or_(*same)).returning(there.kind, there.subject)

    return PreparedChange(make)


def give_back(session: Session, subject: Subject, at: datetime, now: datetime) -> None:
    """Take the attempt counted at `at` off again, of a row that may have changed since.

    Raises:
        LostRace: it changes while this is done.
    """
    row = look(session, subject)
    if row is not None and replace(session, row, given_back(row.history, at), now) is None:
        raise LostRace(subject.kind)


_TABLE = Throttle.metadata.tables[Throttle.__tablename__]
_REPLACE = PreparedChange(_replacing)
