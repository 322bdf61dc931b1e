"""Whether the portal is being served: a lock of the instance folder that is gone when whoever holds it is.

Servers share it, a restore has it alone.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NAME = "running.lock"


def serve(instance: Path) -> bool:
    """Hold the lock, shared, until this process and all that it forks are gone; False while a restore has it."""
    number = _open(instance)
    try:
        fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(number)
        return False
    return True  # the number stays open on purpose, and a reload of the settings does not touch it


@contextmanager
def alone(instance: Path) -> Iterator[bool]:
    """Whether no server runs; none can start until the end."""
    number = _open(instance)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(number)


def is_served(instance: Path) -> bool:
    """Whether a server runs at this moment."""
    if not (instance / _NAME).exists():
        return False
    with alone(instance) as nobody:
        return not nobody


def _open(instance: Path) -> int:
    return os.open(instance / _NAME, os.O_RDWR | os.O_CREAT, 0o600)
