"""A portal that runs for all tests of this folder: each begins with the empty database of a first start."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import databases
from tests.browser.server_clock import ServerClock
from tests.server import Server


class Standing:
    """Starting a server takes longer than most walks, so it is started once, on two workers."""

    def __init__(self, instance: Path, folder: Path, **settings: str) -> None:
        self.instance = instance
        self._contents = databases.contents_of(instance)
        self._blank = self._contents.keep()
        self.server = Server(instance, folder)
        self.server.settings |= settings
        self.clock = ServerClock(self.server, folder / "clock-offset")
        self.server.start(workers=2)

    def empty(self) -> None:
        """Nobody has an account, and the link that the start printed is good again. The clock is never put back."""
        self._contents.put_back(self._blank)

    def start_anew(self) -> None:
        """With nobody in it. A running portal remembers that there was somebody, who can't all be gone again."""
        self.server.stop()
        self.empty()
        self.server.start(workers=2)


@contextmanager
def standing_in(blank_instance: Path, folder: Path, **settings: str) -> Iterator[Standing]:
    """A portal of its own in a folder, for as long as it is needed."""
    with databases.installed(blank_instance, folder / "instance") as instance:
        standing = Standing(instance, folder, **settings)
        try:
            yield standing
        finally:
            standing.server.stop()
