"""The clock: the one place that asks the machine what time it is. Instants are aware and UTC."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BEGINNING = EPOCH
"""The beginning of time: a rule in force since then requires every login there is."""
_MICROSECOND = timedelta(microseconds=1)

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    return datetime.now(UTC)


def to_microseconds(instant: datetime) -> int:
    """Microseconds since 1970 in UTC, exact (floats lose microseconds after 2004).

    Raises:
        ValueError: the instant is naive.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant without a time zone says nothing")
    return (instant - EPOCH) // _MICROSECOND


def from_microseconds(value: int) -> datetime:
    return EPOCH + timedelta(microseconds=value)


def midnight(day: date) -> datetime:
    """When a day begins, in UTC."""
    return datetime.combine(day, time(), UTC)
