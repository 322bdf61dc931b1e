"""A portal that runs for all tests of this folder: each begins with the empty database of a first start."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.browser.server_clock import ServerClock
from tests.server import Server

_DATABASE = "mfaportal.sqlite3"


class Standing:
    """Starting a server takes longer than most walks, so it is started once, on two workers."""

    def __init__(self, blank: Path, folder: Path, **settings: str) -> None:
        self._blank = blank
        self.instance = folder / "instance"
        shutil.copytree(blank, self.instance)
        self.server = Server(self.instance, folder)
        self.server.settings |= settings
        self.clock = ServerClock(self.server, folder / "clock-offset")
        self.server.start(workers=2)

    def empty(self) -> None:
        """Nobody has an account, and the link that the start printed is good again. The clock is never put back."""
        with (
            closing(sqlite3.connect(self._blank / _DATABASE)) as blank,
            closing(sqlite3.connect(self.instance / _DATABASE, timeout=10)) as live,
        ):
            blank.backup(live)
