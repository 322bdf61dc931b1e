"""Keeps other programs on the machine from being taken for a slow peer."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, Self, TypeVar

from .process import Server
from .stats import median

#: Cores' worth of CPU that others may use during a measurement before it is repeated.
TOLERATED = 0.10
ATTEMPTS = 3


class Watched(Protocol):
    foreign_cores: float


W = TypeVar("W", bound=Watched)
T = TypeVar("T")


@dataclass
class _Value(Generic[T]):
    value: T
    foreign_cores: float


def calm(results: Iterable[W]) -> list[W]:
    """The undisturbed ones of several results; all, if there is none."""
    everything = list(results)
    return [x for x in everything if x.foreign_cores <= TOLERATED] or everything


def calm_median(results: Iterable[W], value: Callable[[W], float]) -> float:
    """Over the undisturbed ones."""
    return median(value(result) for result in calm(results))


def _busy_seconds() -> float:
    """CPU time the machine has spent so far, time stolen by the hypervisor included.

    Interrupts are left out: the loopback traffic of the measurement causes them.
    """
    user, nice, system, _idle, _wait, _irq, _softirq, steal = map(
        int, Path("/proc/stat").read_text().split(None, 9)[1:9]
    )
    return (user + nice + system + steal) / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


class Watch:
    """Around a measurement: the server's CPU seconds, our own, and all others' cores.

    Processes that the measurement itself starts and ends count as our own.
    """

    def __init__(self, server: Server | None = None) -> None:
        self._server = server

    def _read(self) -> tuple[float, float, float, float]:
        server = self._server.cpu_seconds() if self._server else 0.0
        return _busy_seconds(), server, _own_seconds(), time.monotonic()

    def __enter__(self) -> Self:
        self._start = self._read()
        return self

    def __exit__(self, *_exc: object) -> None:
        busy, self.server_s, self.own_s, elapsed = (
            end - start for end, start in zip(self._read(), self._start, strict=True)
        )
        self.foreign_cores = max(0.0, busy - self.server_s - self.own_s) / elapsed


class Machine:
    """Repeats disturbed measurements, as long as its patience lasts."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self.repeated = 0
        self.disturbed = 0

    def quietly(self, measure: Callable[..., T], *arguments: object) -> T:
        """What a measurement returns that starts and stops all it needs itself."""

        def watched() -> _Value[T]:
            with Watch() as watch:
                value = measure(*arguments)
            return _Value(value, watch.foreign_cores)

        return self.undisturbed(watched).value

    def undisturbed(self, measure: Callable[..., W], *arguments: object) -> W:
        """The measurement, or the least disturbed of a few if others kept the CPU busy."""
        self._wait_until_quiet()
        best = measure(*arguments)
        for _ in range(ATTEMPTS - 1):
            if best.foreign_cores <= TOLERATED or self._patience_s <= 0:
                break
            start = time.monotonic()
            self._wait_until_quiet()
            best = min(best, measure(*arguments), key=lambda result: result.foreign_cores)
            self._patience_s -= time.monotonic() - start
            self.repeated += 1
        self.disturbed += best.foreign_cores > TOLERATED
        return best

    def _wait_until_quiet(self) -> None:
        while self._patience_s > 0:
            busy, start = _busy_seconds(), time.monotonic()
            time.sleep(0.2)
            elapsed = time.monotonic() - start
            if (_busy_seconds() - busy) / elapsed <= 2 * TOLERATED:
                return
            self._patience_s -= elapsed
