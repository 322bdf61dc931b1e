"""Upkeep: what has had its time goes by itself, events are sealed, and the clock is looked at.

In small portions, each in a transaction of its own, so that nobody waits for it; it can be killed at any point, run
again, and run twice at once.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, select, tuple_, update
from sqlalchemy.exc import SQLAlchemyError

from ..models import Invitation, Login, LoginPass, Mail, MailJob, OneTimeLink, Throttle
from ..plumbing.db import change, reading, transaction
from ..plumbing.runtime import runtime
from ..rules.lifetimes import HAND_OFF, KEPT, PENDING_SECRET, SENT_MAIL_KEPT, SHOWN_CODES
from ..rules.stages import CLOCKS_APART
from . import catalogue, clock_watch, old_throttles, request_rows, sealing_events, search_sweeping, stored_files
from .caller import Caller

_log = logging.getLogger("mfaportal.upkeep")
PORTION = 500
PRUNED_AT_ONCE = 24
"""Batches of events that one run removes: a clock that is years ahead for an hour costs little of the log."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one kind of upkeep came to: how many, and what was done to them, as it follows a number."""

    number: int
    one: str
    many: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was done; what there was nothing of is left out. `failed`: what could not be done this time."""

    done: tuple[Work, ...]
    failed: tuple[str, ...] = ()


def run(caller: Caller) -> Report:
    """All of the upkeep, once. A chore that fails is logged and keeps none of the others from being done."""
    clock_watch.watch(caller)
    done, failed = [], []
    for one, many, chore in _CHORES:
        try:
            done.append(Work(chore(caller), one, many))
        except (SQLAlchemyError, OSError):
            _log.exception("upkeep failed at: %s", many)
            failed.append(many)
    return Report(tuple(work for work in done if work.number), tuple(failed))


def _logins(caller: Caller) -> int:
    """Those that ended long ago, and those that their limits ended long ago without anybody coming back."""
    before = caller.now - KEPT
    gone = (Login.ended_at < before) | (Login.password_at < before - caller.limits.max_age)
    # Whatever ended before began before: the index that new logins keep anyway finds it.
    return _remove(caller, Login, (Login.id,), (Login.password_at < before) & gone, along=Login.password_at)


def _pending_secrets(caller: Caller) -> int:
    old = Login.pending_at < caller.now - PENDING_SECRET
    return _clear(caller, old & Login.pending_secret.is_not(None), {"pending_secret": None, "pending_at": None})


def _shown_codes(caller: Caller) -> int:
    old = Login.shown_at < caller.now - SHOWN_CODES
    return _clear(caller, old & Login.shown_codes.is_not(None), {"shown_codes": None, "shown_at": None})


def _links(caller: Caller) -> int:
    return _remove(caller, OneTimeLink, (OneTimeLink.id,), OneTimeLink.expires_at < caller.now - KEPT)


def _hand_offs(caller: Caller) -> int:
    """Those that nobody took. A pass goes with its login."""
    old = LoginPass.made_at < caller.now - HAND_OFF - CLOCKS_APART
    return _remove(caller, LoginPass, (LoginPass.id,), old & LoginPass.taken_at.is_(None))


def _invitations(caller: Caller) -> int:
    return _remove(caller, Invitation, (Invitation.id,), Invitation.expires_at < caller.now - KEPT)


def _throttles(caller: Caller) -> int:
    gone = old_throttles.are_empty(caller.now)
    return sum(
        _remove(caller, old_throttles.MODEL, old_throttles.KEY, each, along=Throttle.changed_at) for each in gone
    )


def _mails(caller: Caller) -> int:
    """Sent ones, given up ones, and those that nobody has tried: without a mail server they go with their day."""
    untried = caller.now if runtime().settings.mail_url is None else caller.now - KEPT
    kinds = (
        Mail.sent_at < caller.now - SENT_MAIL_KEPT,
        Mail.gave_up_at < caller.now - KEPT,
        Mail.sent_at.is_(None) & Mail.gave_up_at.is_(None) & (Mail.dies_at < untried),
    )
    return sum(_remove(caller, Mail, (Mail.id,), gone) for gone in kinds)


def _mail_jobs(caller: Caller) -> int:
    return _remove(caller, MailJob, (MailJob.id,), MailJob.dies_at < caller.now)


def _requests(caller: Caller) -> int:
    return sum(iter(lambda: _some_requests(caller), 0))


def _some_requests(caller: Caller) -> int:
    with transaction() as session:
        return request_rows.expired(session, caller.now, PORTION)


def _files(caller: Caller) -> int:
    return catalogue.sweep_files(caller.now)


def _orphans(caller: Caller) -> int:
    return stored_files.remove_old_orphans(caller.now)


def _seals(caller: Caller) -> int:
    return sum(iter(lambda: sealing_events.seal_next(caller), 0))


def _events(caller: Caller) -> int:
    return sum(sealing_events.prune_oldest(caller) for _ in range(PRUNED_AT_ONCE))


_CHORES: tuple[tuple[str, str, Callable[[Caller], int]], ...] = (
    ("login that ended long ago removed", "logins that ended long ago removed", _logins),
    ("set-up that was not finished removed", "set-ups that were not finished removed", _pending_secrets),
    ("set of recovery codes no longer shown", "sets of recovery codes no longer shown", _shown_codes),
    ("link that expired long ago removed", "links that expired long ago removed", _links),
    (
        "way into a guarded host that nobody took removed",
        "ways into guarded hosts that nobody took removed",
        _hand_offs,
    ),
    ("invitation that expired long ago removed", "invitations that expired long ago removed", _invitations),
    ("count of attempts that count no more removed", "counts of attempts that count no more removed", _throttles),
    ("old mail removed from the outbox", "old mails removed from the outbox", _mails),
    ("mail job that came too late removed", "mail jobs that came too late removed", _mail_jobs),
    ("request that nobody will decide removed", "requests that nobody will decide removed", _requests),
    ("file that no dataset refers to set aside", "files that no dataset refers to set aside", _files),
    ("file that was set aside long ago removed", "files that were set aside long ago removed", _orphans),
    ("search rid of who is gone", "searches rid of who is gone", search_sweeping.sweep),
    ("event sealed", "events sealed", _seals),
    ("event removed after two years", "events removed after two years", _events),
)


def _remove(
    caller: Caller,  # noqa: ARG001  # as every operation
    model: Any,
    key: Sequence[Any],
    gone: ColumnElement[bool],
    along: Any = None,
) -> int:
    """Delete the rows that are `gone`, some at a time; looked for before the transaction, asked again in it.

    `along`: an instant to go on from, where rows that stay lie between those that go.
    """
    removed, place = 0, None
    order = () if along is None else (along,)
    looking = select(*key, *order).where(gone).order_by(*order)
    while True:
        with reading() as session:
            here = looking if place is None else looking.where(along >= place)
            found = [tuple(row) for row in session.execute(here.limit(PORTION))]
        if not found:
            return removed
        place = None if along is None else found[-1][-1]
        rows = [row[: len(key)] for row in found]
        with transaction() as session:
            removed += change(session, delete(model).where(tuple_(*key).in_(rows), gone))


def _clear(caller: Caller, old: ColumnElement[bool], values: dict[str, None]) -> int:  # noqa: ARG001  # the same
    cleared = 0
    while True:
        with reading() as session:
            found = session.scalars(select(Login.id).where(old).limit(PORTION)).all()
        if not found:
            return cleared
        with transaction() as session:
            cleared += change(session, update(Login).where(Login.id.in_(found), old).values(values))
