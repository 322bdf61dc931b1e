"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta


class MovableClock:
    """Calling it tells the time. It starts in the middle of a time step."""

    def __init__(self, now: datetime = datetime(2026, 3, 2, 9, 0, 15, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **length: float) -> None:
        """`advance(minutes=5)`."""
        self.now += timedelta(**length)
