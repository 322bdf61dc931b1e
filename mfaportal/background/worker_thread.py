"""The thread that does what is due, in one of the workers.

Which worker is settled by a lock on a file, free the moment its holder is gone. Each thing has its own interval; what
goes wrong in one is logged, at most once a minute, and stops neither the others nor the thread. No request waits.
"""

import fcntl
import logging
import os
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from flask import Flask

LOCK = "sender.lock"
_TICK = 0.5
_STOP_WITHIN = 1.0
_LOG_EVERY = 60.0
_log = logging.getLogger("mfaportal.background")


@dataclass
class Chore:
    """Something to do every so many seconds, the first time at `due`, on the clock that never jumps."""

    name: str
    every: float
    run: Callable[[], object]
    due: float
    logged: float = float("-inf")


class Background(threading.Thread):
    """Runs the chores while it has the lock; looks twice a second whether it can have it."""

    def __init__(self, app: Flask, chores: list[Chore]) -> None:
        super().__init__(name="mfaportal-background", daemon=True)
        self._app = app
        self._chores = chores
        self._lock_path = Path(app.instance_path, LOCK)
        self._lock: int | None = None
        self.stopping = threading.Event()

    def run(self) -> None:
        try:
            while not self.stopping.wait(_TICK):
                if self._has_lock():
                    self._do_what_is_due()
        finally:
            if self._lock is not None:
                os.close(self._lock)

    def stop(self) -> None:
        """End after what is being done now; whoever waits for a mail server is not waited for."""
        self.stopping.set()
        self.join(_STOP_WITHIN)

    def _has_lock(self) -> bool:
        if self._lock is not None:
            return True
        try:
            number = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return False  # no file numbers left, or a folder that is gone: perhaps the next time
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(number)
            return False
        self._lock = number
        return True

    def _do_what_is_due(self) -> None:
        for chore in self._chores:
            if self.stopping.is_set() or monotonic() < chore.due:
                continue
            try:
                with self._app.app_context():
                    chore.run()
            except Exception as error:  # noqa: BLE001  # nothing may end the thread
                _note(chore, error)
            chore.due = monotonic() + chore.every


def _note(chore: Chore, error: Exception) -> None:
    """Where it went wrong, without the error's own words: they may hold what people typed."""
    if monotonic() - chore.logged < _LOG_EVERY:
        return
    chore.logged = monotonic()
    places = "".join(traceback.format_tb(error.__traceback__))
    _log.error("%s went wrong: %s\n%s", chore.name, type(error).__name__, places)
