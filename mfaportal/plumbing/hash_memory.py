"""The memory of password hashes: kept while some are made, given back when none are.

A hash's 19 MiB come from the machine page by page, and each is cleared first: two fifths of a hash's time where its
memory is given back at once. By itself glibc keeps it for good, once for each of many threads. So one pool is used by
all threads, keeps what is free, and is emptied as soon as a second has passed without a hash.
"""

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_MIB = 1024 * 1024
_LARGEST = 32 * _MIB
"""What glibc takes at most from its pool, and more than a hash takes."""
_HASH = 20 * _MIB
_REST = 1.0


class HashMemory:
    """One a process. Elsewhere than on glibc there is nothing to do, and nothing is done."""

    def __init__(self) -> None:
        self._libc: ctypes.CDLL | None = None
        self._lock = threading.Lock()
        self._waits = False
        self._used_at = 0.0

    def keep_small(self, at_once: int) -> None:
        """From now on, for so many hashes at once; and give back what importing needed for a moment."""
        try:
            libc = ctypes.CDLL(None)
            libc.mallopt(_M_ARENA_MAX, 1)
            libc.mallopt(_M_MMAP_THRESHOLD, _LARGEST)
            libc.mallopt(_M_TRIM_THRESHOLD, 2 * at_once * _HASH)
            libc.malloc_trim(0)
        except (AttributeError, OSError, TypeError):
            return
        self._libc = libc

    @contextmanager
    def use(self) -> Iterator[None]:
        """A hash is made: unless another follows, its memory goes back soon."""
        try:
            yield
        finally:
            self._used()

    def _used(self) -> None:
        self._used_at = monotonic()
        if self._libc is None or self._waits:
            return
        with self._lock:
            if not self._waits:
                self._waits = True
                self._look_in(_REST)

    def _look_in(self, seconds: float) -> None:
        timer = threading.Timer(seconds, self._look)
        timer.daemon = True  # a process that ends does not wait for it
        timer.start()

    def _look(self) -> None:
        left = self._used_at + _REST - monotonic()
        if left > 0:
            self._look_in(left)
            return
        self._waits = False
        if self._libc is not None:
            self._libc.malloc_trim(0)


MEMORY = HashMemory()
