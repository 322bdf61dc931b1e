"""Counting attempts before they are judged, in the database: workers, restarts and parallel guesses share it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, update
from sqlalchemy.orm import Session

from ..models import Throttle
from ..plumbing.db import change
from ..rules.throttling import LIMITS, History, Kind, Paused, counted, given_back, network_of
from . import throttle_rows
from .outcomes import PausedUntil
from .throttle_rows import LostRace, Question, Row, Subject

__all__ = [
    "Attempt",
    "LostRace",
    "Question",
    "Subject",
    "attempt",
    "clear",
    "count",
    "from_address",
    "give_back",
    "is_news",
    "of_email",
    "paused_until",
]


def of_email(kind: Kind, email: str, *more: str) -> Subject:
    """A subject that does not give the e-mail away and is as long for unknown ones as for known."""
    text = "\x00".join((email.strip(" ").lower()[:512], *more))
    return Subject(kind, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def from_address(kind: Kind, address: str, *, email: str | None = None) -> Subject:
    """A subject for where attempts come from, and for whom if there is an `email`. IPv6 counts per /64."""
    network = network_of(address)
    return Subject(kind, network) if email is None else of_email(kind, email, network)


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that was counted: the rows as they are with it, and the answer to what was asked along."""

    rows: tuple[Row, ...]
    answer: tuple[Any, ...]


_NOTHING = Question(list)
_ABOUT_NOTHING: Mapping[str, Any] = {}


def count(session: Session, subjects: list[Subject], now: datetime) -> PausedUntil | None:
    """Count one attempt on all subjects, or on none and say until when: the latest of those that are full."""
    outcome = attempt(session, subjects, now)
    return outcome if isinstance(outcome, PausedUntil) else None


def attempt(
    session: Session,
    subjects: list[Subject],
    now: datetime,
    question: Question = _NOTHING,
    about: Mapping[str, Any] = _ABOUT_NOTHING,
) -> Attempt | PausedUntil:
    """The same, to be given back if it turns out right; the answer to a question comes with it.

    The attempt is written first, and what the rows held before says whether there was room. Where there was none it
    is taken out in the same transaction: nobody else has seen it.
    """
    rows, answer = throttle_rows.add(session, subjects, now, question, about)
    outcomes = {row.subject: counted(_before(row), LIMITS[row.subject.kind], now) for row in rows}
    paused = {subject: outcome for subject, outcome in outcomes.items() if isinstance(outcome, Paused)}
    if paused:
        for row in rows:
            _put(session, row, _before(row), now)
        return _refused(session, paused, now)
    return Attempt(tuple(_trimmed(session, row, outcomes[row.subject], now) for row in rows), answer)


def _before(row: Row) -> History:
    """Without the attempt that was written last."""
    return History(row.history.attempts[:-1], row.history.in_a_row - 1)


def _trimmed(session: Session, row: Row, outcome: History | Paused, now: datetime) -> Row:
    """Attempts that count no more go with the next one."""
    if isinstance(outcome, Paused) or len(outcome.attempts) == len(row.history.attempts):
        return row
    return _put(session, row, outcome, now) or row


def _put(session: Session, row: Row, history: History, now: datetime) -> Row | None:
    """A row is there for what is counted only: refused tries fill no table."""
    if row.version == 1 and history == History():
        throttle_rows.forget(session, [row])
        return None
    replaced = throttle_rows.replace(session, row, history, now)
    if replaced is None:
        raise LostRace(row.subject.kind)
    return replaced


def _refused(session: Session, paused: dict[Subject, Paused], now: datetime) -> PausedUntil:
    """Until when, and whether it is news: of each full budget one refusal a window is written into the log."""
    untils = [pause.until for pause in paused.values()]
    news = [_is_first(session, subject, pause, now) for subject, pause in paused.items()]
    return PausedUntil(
        None if None in untils else max(until for until in untils if until),
        full=frozenset(subject.kind for subject in paused),
        first=any(news),
    )


def _is_first(session: Session, subject: Subject, pause: Paused, now: datetime) -> bool:
    """Take the note of this window; what was noted further ahead than a window is long was noted by a wrong clock."""
    fresh: ColumnElement[bool] = Throttle.noted_at.is_(None)
    if pause.within is not None:
        fresh = or_(fresh, Throttle.noted_at <= now - pause.within, Throttle.noted_at >= now + pause.within)
    taken = change(
        session,
        update(Throttle)
        .where(Throttle.kind == subject.kind, Throttle.subject == subject.name, fresh)
        .values(noted_at=now),
    )
    return taken == 1


def paused_until(session: Session, subject: Subject, now: datetime) -> datetime | None:
    """Until when this subject's budget is full, if it is: read only, nothing is counted."""
    outcome = _without_counting(session, subject, now)
    return outcome.until if isinstance(outcome, Paused) else None


def is_news(session: Session, subject: Subject, now: datetime) -> bool:
    """Whether this subject's budget is full by now, and nobody has been told so in this window: asked once."""
    outcome = _without_counting(session, subject, now)
    return isinstance(outcome, Paused) and _is_first(session, subject, outcome, now)


def _without_counting(session: Session, subject: Subject, now: datetime) -> History | Paused:
    row = throttle_rows.look(session, subject)
    return counted(History() if row is None else row.history, LIMITS[subject.kind], now)


def give_back(session: Session, tried: Attempt, now: datetime, *, clear_too: Kind | None = None) -> int:
    """Take an attempt off again that turned out right; of one kind forget all. How many wrong ones of it there were.

    Rows in which nothing is left go, in one statement. One that somebody else has counted in meanwhile is read again.
    """
    wrong, left = 0, []
    for row in tried.rows:
        is_cleared = row.subject.kind is clear_too
        history = History() if is_cleared else given_back(row.history, now)
        wrong += row.history.in_a_row - 1 if is_cleared else 0
        left.append((row, history))
    gone = throttle_rows.forget(session, [row for row, history in left if history == History()])
    for row, history in left:
        if row.subject in gone:
            continue
        if row.subject.kind is clear_too:
            wrong = _in_a_row(session, row.subject) - 1
            clear(session, [row.subject])
        elif history == History() or throttle_rows.replace(session, row, history, now) is None:
            throttle_rows.give_back(session, row.subject, now, now)
    return max(0, wrong)


def _in_a_row(session: Session, subject: Subject) -> int:
    row = throttle_rows.look(session, subject)
    return 0 if row is None else row.history.in_a_row


def clear(session: Session, subjects: list[Subject]) -> None:
    """Forget all attempts of these subjects: a whole log-in, or an operator."""
    for subject in subjects:
        change(session, delete(Throttle).where(Throttle.kind == subject.kind, Throttle.subject == subject.name))
