"""Whose turn it is to have a password hashed: few at once, a short queue, and the rest is turned away.

Whoever is turned away was neither counted nor judged, and why has nothing to do with what they typed. Nobody is to
keep others out: sources take turns, a full queue gives up the latest of whoever has most in it, and somebody who has
shown who they are (by their browser, their login, their link) comes before strangers.

A place is taken before a transaction and never in one: who waits here holds nothing that others wait for.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event, Lock
from time import monotonic

from flask import has_app_context, has_request_context

from .db import is_open
from .machine import Plan

RETRY_AFTER = 5
"""Seconds: a full queue is worked off in half of one."""
_LOG_EVERY = 60.0
_log = logging.getLogger("mfaportal.passwords")
_held: ContextVar[bool] = ContextVar("held", default=False)


class Busy(Exception):
    """There was no place in time. Nothing was counted, judged or changed."""


class _Waiter:
    """`told` of a turn, if it is `served`, or that its place in the queue is another's."""

    __slots__ = ("is_known", "served", "source", "told")

    def __init__(self, source: str, *, is_known: bool) -> None:
        self.source = source
        self.is_known = is_known
        self.served = False
        self.told = Event()


class HashSlots:
    """One worker's places, and the queue for them."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._lock = Lock()
        self._free = plan.at_once
        self._queue: list[_Waiter] = []
        self._served: dict[str, float] = {}
        """When each source had its last turn, as long as that matters."""
        self._turned_away = 0
        self._logged_at = -_LOG_EVERY

    @contextmanager
    def place(self, source: str = "", *, known: bool = False) -> Iterator[None]:
        """Have a place for as long as the block takes; one that is held already does for what is within.

        `source`: whose tries share; `known`: they have shown before who they are.

        Raises:
            Busy: none is free. Only a request gives up: the command line waits.
        """
        check_no_transaction()
        if _held.get():
            yield
            return
        self._take(_Waiter(source, is_known=known))
        token = _held.set(True)
        try:
            yield
        finally:
            _held.reset(token)
            self._give_back()

    def _take(self, waiter: _Waiter) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                self._note_turn(waiter.source)
                return
            if len(self._queue) >= self._plan.waiting and not self._make_room(waiter):
                self._turn_away()
            self._queue.append(waiter)
        waiter.told.wait(self._plan.patience if has_request_context() else None)
        with self._lock:
            if not waiter.served:
                self._queue = [other for other in self._queue if other is not waiter]
                self._turn_away()

    def _give_back(self) -> None:
        with self._lock:
            if not self._queue:
                self._free += 1
                return
            first = min(self._queue, key=lambda waiter: (self._served.get(waiter.source, 0.0), not waiter.is_known))
            self._queue.remove(first)
            self._note_turn(first.source)
            first.served = True
            first.told.set()

    def _note_turn(self, source: str) -> None:
        """Who had a turn just now comes behind who had none."""
        now = monotonic()
        self._served.pop(source, None)
        self._served[source] = now  # the last of them: they stand in the order of their turns
        while now - self._served[first := next(iter(self._served))] > self._plan.patience:
            del self._served[first]

    def _make_room(self, newcomer: _Waiter) -> bool:
        """Whether somebody else's place in the queue is the newcomer's to take."""
        if not self._queue:
            return False
        having = Counter(waiter.source for waiter in self._queue)
        (most, number), own = having.most_common(1)[0], having[newcomer.source]
        strangers = [waiter for waiter in self._queue if not waiter.is_known]
        if number > own + 1:
            given_up = [waiter for waiter in self._queue if waiter.source == most][-1]
        elif newcomer.is_known and not own and strangers:
            given_up = strangers[-1]
        else:
            return False
        self._queue.remove(given_up)
        given_up.told.set()
        return True

    def _turn_away(self) -> None:
        """Say so once a minute: a flood must not fill the log, too.

        Raises:
            Busy: always.
        """
        self._turned_away += 1
        if monotonic() - self._logged_at >= _LOG_EVERY:
            _log.warning("turned away for lack of places: %d tries with a password", self._turned_away)
            self._turned_away, self._logged_at = 0, monotonic()
        raise Busy


def check_no_transaction() -> None:
    """Refuse to go on while one is open: others would wait for a hash, and a hash for them.

    Raises:
        RuntimeError: there is one, which is a fault of the code.
    """
    if has_app_context() and is_open():
        raise RuntimeError("a password must not be hashed inside a transaction")
