"""Counting attempts before they are judged, in the database: workers, restarts and parallel guesses share it."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from ..models import Throttle
from ..models.throttle import packed, unpacked
from ..plumbing.db import change, insert_or_ignore
from ..rules.throttling import LIMITS, History, Kind, Paused, counted, given_back, network_of
from .outcomes import PausedUntil


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose attempts of which kind. Texts that people type go in as digests."""

    kind: Kind
    name: str


def of_email(kind: Kind, email: str, *more: str) -> Subject:
    """A subject that does not give the e-mail away and is as long for unknown ones as for known."""
    text = "\x00".join((email.strip(" ").lower()[:512], *more))
    return Subject(kind, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def from_address(kind: Kind, address: str, *, email: str | None = None) -> Subject:
    """A subject for where attempts come from, and for whom if there is an `email`. IPv6 counts per /64."""
    network = network_of(address)
    return Subject(kind, network) if email is None else of_email(kind, email, network)


def count(session: Session, subjects: list[Subject], now: datetime) -> PausedUntil | None:
    """Count one attempt on all subjects, or on none and say until when: the latest of those that are full."""
    seen = {subject: _seen(session, subject) or (History(), None) for subject in subjects}
    outcomes = {subject: counted(history, LIMITS[subject.kind], now) for subject, (history, _version) in seen.items()}
    paused = {subject: outcome for subject, outcome in outcomes.items() if isinstance(outcome, Paused)}
    if paused:
        return _refused(session, paused, now)
    for subject, outcome in outcomes.items():
        if not isinstance(outcome, Paused):
            _put(session, subject, outcome, seen[subject][1], now)
    return None


def _put(session: Session, subject: Subject, history: History, version: int | None, now: datetime) -> None:
    """A row is made by what is counted only: refused tries fill no table."""
    if version is None:
        _insert_empty(session, subject, now)
        before, version = _row(session, subject, now)
        if before != History():
            raise LostRace(subject.kind)
    _replace(session, subject, history, version, now)


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
    row = session.execute(
        select(Throttle.attempts, Throttle.in_a_row).where(
            Throttle.kind == subject.kind, Throttle.subject == subject.name
        )
    ).one_or_none()
    outcome = counted(unpacked(*row), LIMITS[subject.kind], now) if row is not None else None
    return outcome.until if isinstance(outcome, Paused) else None


def in_a_row(session: Session, subject: Subject) -> int:
    """How many attempts there were since the last success."""
    found = session.scalar(
        select(Throttle.in_a_row).where(Throttle.kind == subject.kind, Throttle.subject == subject.name)
    )
    return found or 0


def is_news(session: Session, subject: Subject, now: datetime) -> bool:
    """Whether this subject's budget is full by now, and nobody has been told so in this window: asked once."""
    history, _version = _row(session, subject, now)
    outcome = counted(history, LIMITS[subject.kind], now)
    return isinstance(outcome, Paused) and _is_first(session, subject, outcome, now)


def give_back(session: Session, subjects: list[Subject], at: datetime, now: datetime) -> None:
    """Take the attempt counted at `at` off again: it was right."""
    for subject in subjects:
        history, version = _row(session, subject, now)
        _replace(session, subject, given_back(history, at), version, now)


def clear(session: Session, subjects: list[Subject]) -> None:
    """Forget all attempts of these subjects: a whole log-in, or an operator."""
    for subject in subjects:
        change(session, delete(Throttle).where(Throttle.kind == subject.kind, Throttle.subject == subject.name))


class LostRace(Exception):
    """Another writer replaced the row meanwhile; the operation is rolled back and answers 503."""


def _row(session: Session, subject: Subject, now: datetime) -> tuple[History, int]:
    """The history, of a row that is made where there is none."""
    found = _seen(session, subject)
    if found is None:
        _insert_empty(session, subject, now)
        found = _seen(session, subject) or (History(), 0)
    return found


def _seen(session: Session, subject: Subject) -> tuple[History, int] | None:
    """The history, locked: SQLite's write lock is held already, PostgreSQL locks the row."""
    statement = (
        select(Throttle.attempts, Throttle.in_a_row, Throttle.version)
        .where(Throttle.kind == subject.kind, Throttle.subject == subject.name)
        .with_for_update()
    )
    row = session.execute(statement).one_or_none()
    return None if row is None else (unpacked(row.attempts, row.in_a_row), row.version)


def _insert_empty(session: Session, subject: Subject, now: datetime) -> None:
    values = {
        "kind": subject.kind,
        "subject": subject.name,
        "attempts": "",
        "in_a_row": 0,
        "version": 0,
        "changed_at": now,
    }
    session.execute(insert_or_ignore(session, Throttle).values(values))


def _replace(session: Session, subject: Subject, history: History, version: int, now: datetime) -> None:
    changed = change(
        session,
        update(Throttle)
        .where(Throttle.kind == subject.kind, Throttle.subject == subject.name, Throttle.version == version)
        .values(attempts=packed(history), in_a_row=history.in_a_row, version=version + 1, changed_at=now),
    )
    if changed != 1:
        raise LostRace(subject.kind)
