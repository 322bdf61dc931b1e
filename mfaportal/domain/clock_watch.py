"""A clock that went back: noticed by the latest instant that upkeep or a start has seen, said once, remembered.

Codes, links and logins are judged by the clock, so whoever runs the portal has to know. Nothing is refused for it.
"""

import json
import logging
from datetime import datetime, timedelta

from ..models import EventKind
from ..models.setting import CLOCK_WENT_BACK, LATEST_INSTANT
from ..plumbing.clock import from_microseconds, to_microseconds
from ..plumbing.db import reading, transaction
from ..plumbing.runtime import runtime
from ..rules.lifetimes import CLOCK_SLACK, NOTICED
from . import audit, setting_rows
from .caller import Caller

_log = logging.getLogger("mfaportal.clock")


def watch(caller: Caller) -> None:
    """Note that it is now. A clock that is behind the latest instant seen is logged and noted, once for each leap.

    From then on it is the present clock that counts, so that one which was years ahead is not missed for years.
    """
    with reading() as session:
        noted = setting_rows.value_of(session, LATEST_INSTANT)
    behind = _behind(noted, caller.now)
    if timedelta() <= behind <= CLOCK_SLACK:
        return
    with transaction() as session:
        mine = setting_rows.replace(session, LATEST_INSTANT, noted, str(to_microseconds(caller.now)))
        if not mine or behind < timedelta():
            return
        seconds = int(behind.total_seconds())
        leap = {"at": to_microseconds(caller.now), "seconds": seconds}
        setting_rows.put(session, CLOCK_WENT_BACK, json.dumps(leap))
        audit.record(session, caller, EventKind.CLOCK_WENT_BACK, seconds=seconds)
    _log.warning("the clock went back by %d seconds; is the time of this machine kept by NTP?", seconds)


def look() -> str | None:
    """What is wrong with the clock, in one sentence for `doctor`; None when nothing was noticed lately."""
    now = runtime().now()
    with reading() as session:
        noted = setting_rows.value_of(session, LATEST_INSTANT)
        leap = setting_rows.value_of(session, CLOCK_WENT_BACK)
    behind = _behind(noted, now)
    if behind > CLOCK_SLACK:
        return f"The clock is {_seconds(behind)} behind the latest time that the portal has seen. {_ADVICE}"
    if leap is None:
        return None
    found = json.loads(leap)
    at = from_microseconds(found["at"])
    if abs(now - at) > NOTICED:
        return None
    length = _seconds(timedelta(seconds=found["seconds"]))
    return f"The clock went back by {length}, to {at:%Y-%m-%d %H:%M} UTC. {_ADVICE}"


_ADVICE = "Codes are judged by it: keep this machine's time by NTP."


def _behind(noted: str | None, now: datetime) -> timedelta:
    """By how much the clock is behind what was noted; less than nothing where it has gone on."""
    return timedelta(microseconds=-1) if noted is None else from_microseconds(int(noted)) - now


def _seconds(length: timedelta) -> str:
    number = int(length.total_seconds())
    return f"{number} second{'' if number == 1 else 's'}"
