"""The clock of a running server, put forward with libfaketime instead of waiting for the next time step."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.phone import oathtool_code
from tests.plugins.tools import missing, tool
from tests.server import Server


class ServerClock:
    """Made before the server starts. Where libfaketime is missing the clock runs, but cannot be moved."""

    def __init__(self, server: Server, offset: Path) -> None:
        self._offset_file = offset
        self._offset = timedelta()
        self._write()
        if not missing(["faketime"]):
            server.environment |= {
                "LD_PRELOAD": tool("faketime"),
                "FAKETIME_TIMESTAMP_FILE": str(offset),
                "FAKETIME_NO_CACHE": "1",
                "NO_FAKE_STAT": "1",
                # The monotonic clock leaps too, and must: left alone, Python's sleep fails under libfaketime 0.9.10.
                # So a long time without a sign of life does not mean that a worker hangs.
                "GUNICORN_CMD_ARGS": "--timeout=10000000",
            }

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def advance(self, **length: float) -> None:
        """`advance(minutes=11)`.

        Raises:
            ToolMissingError: libfaketime is not here; the test should say that it needs it.
        """
        tool("faketime")
        self._offset += timedelta(**length)
        self._write()

    def next_step(self) -> None:
        """So far that the codes of now are over: an app shows the next one."""
        self.advance(seconds=30)

    def code(self, key: str) -> str:
        """What oathtool shows for a set-up key at this moment."""
        return oathtool_code(key, self())

    def _write(self) -> None:
        """In one move: the server may read at any time."""
        fresh = self._offset_file.with_suffix(".new")
        fresh.write_text(f"+{self._offset.total_seconds():.0f}\n")
        fresh.replace(self._offset_file)
