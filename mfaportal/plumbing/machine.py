"""How much of the machine is ours, as a container's limits leave it, and what a worker does with its share.

Passwords are what costs: a hash takes 19 MiB and a core for as long as it runs. So many are made at once as there are
cores for, a queue of fixed length waits, and all other requests still find a thread. There is no setting for it.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from pathlib import Path

WAITING = 24
"""Tries with a password that a worker keeps waiting: twenty people may press the button in one second."""
SPARE_THREADS = 8
"""Threads that no try with a password ever holds."""
PATIENCE = 5.0
"""Seconds that a try waits for its turn at most."""
_MIB = 1024 * 1024
_PLACE = 2 * 19 * _MIB
"""What one place may take: log-in judges two digests."""
_SHARE = 4
"""Hashes take at most one part of so many of the memory."""
_MOST = 16
_ROOT = Path("/")


@dataclass(frozen=True, slots=True)
class Plan:
    """How many tries with a password a worker works on at once, how many wait, how long; and its threads."""

    at_once: int
    waiting: int = WAITING
    patience: float = PATIENCE

    @property
    def threads(self) -> int:
        return self.at_once + self.waiting + SPARE_THREADS


def plan(workers: int, cores: float | None = None, memory: int | None = None) -> Plan:
    """A worker's share: its cores and one more, for while one place waits for the disk the other may work."""
    cores = our_cores() if cores is None else cores
    memory = our_memory() if memory is None else memory
    room = memory // _SHARE // workers // _PLACE
    return Plan(max(1, min(ceil(cores / workers) + 1, room, _MOST)))


def our_cores(root: Path = _ROOT) -> float:
    """The cores that this process may run on; a container may be given half of one."""
    with suppress(AttributeError):  # not on macOS
        return min([float(len(os.sched_getaffinity(0))), *_quotas(root)])
    return float(os.cpu_count() or 1)


def our_memory(root: Path = _ROOT) -> int:
    """Bytes."""
    limits = [int(text) for text in _values(root, "memory.max") if text.isdigit()]
    return min([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *limits])


def _quotas(root: Path) -> Iterator[float]:
    for text in _values(root, "cpu.max"):
        quota, _, period = text.partition(" ")
        if quota.isdigit() and period.isdigit() and int(period):
            yield int(quota) / int(period)


def _values(root: Path, name: str) -> Iterator[str]:
    """What the control group (version 2) of this process says, and each one above it: every limit holds."""
    top = root / "sys/fs/cgroup"
    for folder in _folders(root, top):
        with suppress(OSError):
            yield (folder / name).read_text().strip()


def _folders(root: Path, top: Path) -> list[Path]:
    with suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            if line.startswith("0::/") and ".." not in line:
                own = top / line.removeprefix("0::/")
                return [own, *(parent for parent in own.parents if parent.is_relative_to(top))]
    return [top]
