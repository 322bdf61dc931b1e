"""Turning a function that works through a whole stream into a stream to write to, or to read from."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

CHUNK = 256 * 1024


@contextmanager
def worked_on(work: Callable[[IO[bytes]], object]) -> Iterator[IO[bytes]]:
    """What is written goes through a pipe to `work`, in a thread of its own; what fails there is raised here."""
    out, into = os.pipe()
    with _thread(out, "rb", work) as failures:
        try:
            with open(into, "wb", buffering=CHUNK) as sink:  # noqa: PTH123  # a pipe has no path
                yield sink
        except BrokenPipeError:
            if not failures:
                raise


@contextmanager
def worked_out(work: Callable[[IO[bytes]], object]) -> Iterator[IO[bytes]]:
    """What `work` writes, in a thread of its own, comes through a pipe and is read to its end."""
    out, into = os.pipe()
    with _thread(into, "wb", work), open(out, "rb", buffering=CHUNK) as source:  # noqa: PTH123
        yield source
        while source.read(CHUNK):
            pass


@contextmanager
def _thread(number: int, mode: str, work: Callable[[Any], object]) -> Iterator[list[BaseException]]:
    failures: list[BaseException] = []

    def run() -> None:
        end = open(number, mode, buffering=0)  # noqa: SIM115  # closed below, after a failure was noted
        try:
            work(end)
        except BaseException as error:  # noqa: BLE001  # raised again by whoever waits for this thread
            failures.append(error)
        finally:
            end.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield failures
    finally:
        thread.join()
    if failures:
        raise failures[0]
