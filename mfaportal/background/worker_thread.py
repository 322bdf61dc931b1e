"""The thread that does what is due, in one of the workers.

Which worker of which host has its turn is settled in `plumbing.turns`. Each thing has its own interval; what goes
wrong in one is logged, at most once a minute, and stops neither the others nor the thread. No request waits.
"""

import logging
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from flask import Flask

from ..plumbing import turns
from ..plumbing.db import db

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
    """Runs the chores while it has its turn; looks twice a second whether it can have it."""

    def __init__(self, app: Flask, chores: list[Chore]) -> None:
        super().__init__(name="mfaportal-background", daemon=True)
        self._app = app
        self._chores = chores
        with app.app_context():
            self._turn = turns.of_sender(db.engine, Path(app.instance_path))
        self.stopping = threading.Event()

    def run(self) -> None:
        try:
            while not self.stopping.wait(_TICK):
                if self._turn.have():
                    self._do_what_is_due()
        finally:
            self._turn.leave()

    def stop(self) -> None:
        """End after what is being done now; whoever waits for a mail server is not waited for."""
        self.stopping.set()
        self.join(_STOP_WITHIN)

    def _do_what_is_due(self) -> None:
        for chore in self._chores:
            if self.stopping.is_set() or monotonic() < chore.due:
                continue
            if not self._turn.have():
                return  # another host has begun meanwhile
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
