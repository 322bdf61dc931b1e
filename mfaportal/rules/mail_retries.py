"""When a mail that could not be sent is tried again, and when it is given up."""

from datetime import datetime, timedelta

WAITS = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=3),
)
"""After the first try, the second, and so on; the last one for all that follow."""
LONGEST = WAITS[-1]


def next_try(tries: int, now: datetime, dies_at: datetime) -> datetime | None:
    """The instant of the next try after so many, None when what the mail says would not hold any more by then."""
    instant = now + WAITS[min(max(tries, 1), len(WAITS)) - 1]
    return instant if instant < dies_at else None
