"""D6: another process holds the database, for a moment or for long, or reads it without end. Nobody waits in vain."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from mfaportal.plumbing.sqlite import JOURNAL_BYTES
from tests.databases import on_postgresql
from tests.faults.length import either
from tests.faults.lives import with_apps
from tests.faults.place import database_file, standing, unsound, visitor_of
from tests.plugins.figures import Figure
from tests.races.arena import Arena, Browser
from tests.stranger import stranger_at

LONG = either(7.0, 30.0)
"""Longer than the five seconds for which the database is waited for."""
LONGEST = 6.5
"""Seconds until an answer, whatever holds the database: five of waiting, and what the answer itself takes."""
FOR_EVER = either(7.0, 60.0)
"""Longer than the thirty seconds after which gunicorn takes a worker for dead."""
WRITERS = 8
AT_ONCE = 1.0
"""Seconds within which a page is read meanwhile, and something is written once the database is free."""
READING = either(1.0, 60.0)
WRITES_A_SECOND = 10
WAL = 64 * 1024 * 1024


@contextmanager
def held(place: Arena, seconds: float) -> Iterator[None]:
    """Another process has begun to write, and goes on; it lets go after so many seconds."""
    with stranger_at(place.server.database_url) as other:
        assert other.begin(wait=10)
        timer = threading.Timer(seconds, lambda: other.execute("ROLLBACK"))
        timer.start()
        try:
            yield
        finally:
            timer.join()


class Desk:
    """Somebody logged in who reads and writes, and notes how it went and how long it took."""

    def __init__(self, place: Arena) -> None:
        self.place = place
        person, _ = with_apps(place, 1)
        self.browser: Browser = place.logins(person, 1)[0]
        self.slowest = 0.0

    def until(self, stop: threading.Event, do: Callable[["Desk"], int], pause: float = 0.0) -> list[int]:
        """The same again and again; all the statuses."""
        statuses = []
        while not stop.wait(pause):
            statuses.append(do(self))
        return statuses

    def read(self) -> int:
        return self._timed("GET", {})

    def write(self) -> int:
        return self._timed("POST", {"name": "Another"})

    def _timed(self, method: str, fields: dict[str, str]) -> int:
        began = time.monotonic()
        request = self.browser.get("/account") if method == "GET" else self.browser.post("/account", **fields)
        status = self.place.fire([request])[0].status
        self.slowest = max(self.slowest, time.monotonic() - began)
        return status


@pytest.fixture
def place(instance: Path, tmp_path: Path, owasp_hashes: None) -> Iterator[Arena]:
    with standing(instance, tmp_path, workers=2) as made:
        yield made


def test_others_at_the_database_cost_a_wait_and_nothing_else(place: Arena, figure: Figure) -> None:
    _held_by_others(place, figure)
    _held_for_ever(place, figure)
    if not on_postgresql():
        _read_without_end(place, figure)


def _held_by_others(place: Arena, figure: Figure) -> None:
    """Waited for five seconds, and no longer; who only reads waits for nobody."""
    desks = [Desk(place) for _ in range(4)]
    workers = place.server.workers
    with ThreadPoolExecutor(len(desks)) as pool:
        with held(place, 3):
            short = list(pool.map(Desk.write, desks))
            waited = max(desk.slowest for desk in desks)
        with held(place, LONG):
            long = list(pool.map(Desk.write, desks))
            reading = list(pool.map(Desk.read, desks))
        after = list(pool.map(Desk.write, desks))
    slowest = max(desk.slowest for desk in desks)
    figure(
        "D6 database held by others",
        requests=16,
        failed_within_three_seconds=sum(status != 303 for status in short),
        most_seconds=round(slowest, 1),
    )
    assert (short, waited > 1.5) == ([303] * 4, True)
    assert (long, reading) == ([503] * 4, [200] * 4)
    assert after == [303] * 4
    assert slowest < LONGEST
    assert (place.server.workers, unsound(place)) == (workers, [])


def _held_for_ever(place: Arena, figure: Figure) -> None:
    """Whoever writes is refused each time, in time; no worker is lost over it, and whoever reads notices nothing."""
    writers, reader = [Desk(place) for _ in range(WRITERS)], Desk(place)
    workers, stop = place.server.workers, threading.Event()
    with ThreadPoolExecutor(WRITERS + 1) as pool:
        with held(place, FOR_EVER):
            writing = [pool.submit(desk.until, stop, Desk.write) for desk in writers]
            reading = pool.submit(reader.until, stop, Desk.read, 1 / WRITES_A_SECOND)
            time.sleep(FOR_EVER - LONGEST + 1)  # the last writes begin while it is still held
            stop.set()
            refused = [status for each in writing for status in each.result()]
            read = reading.result()
        later = [Desk(place) for _ in range(WRITERS)]
        after = list(pool.map(Desk.write, later))
    figure(
        "D6 database held without end",
        writes=len(refused),
        refused=refused.count(503),
        most_seconds_of_a_write=round(max(desk.slowest for desk in writers), 1),
        reads=len(read),
        reads_that_failed=sum(status != 200 for status in read),
        most_milliseconds_of_a_read=round(reader.slowest * 1000),
        workers_lost=len(set(workers) - set(place.server.workers)),
    )
    assert (set(refused), set(read)) == ({503}, {200})
    assert len(refused) >= WRITERS * max(1, int(FOR_EVER / LONGEST)), "nobody waited in vain"
    assert (max(desk.slowest for desk in writers) < LONGEST, reader.slowest < AT_ONCE) == (True, True)
    assert (after, max(desk.slowest for desk in later) < AT_ONCE) == ([303] * WRITERS, True)
    assert (place.server.workers, unsound(place)) == (workers, [])


def _read_without_end(place: Arena, figure: Figure) -> None:
    """The journal grows by what is written while somebody reads what was there before; then it shrinks again."""
    path = database_file(place)
    journal = path.with_name(path.name + "-wal")
    person, _ = with_apps(place, 1)
    browser = visitor_of(place, place.logins(person, 1)[0], keep_alive=True)
    statuses: list[int] = []

    def write(seconds: float, pause: float) -> int:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            statuses.append(browser.submit("/account", name=f"Number {len(statuses)}").status)
            time.sleep(pause)
        return journal.stat().st_size

    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM accounts").fetchone()
        grown = write(READING, 1 / WRITES_A_SECOND)
        write(READING / 3, 0)
    left = write(1, 0)
    browser.close()
    failed = sum(status != 303 for status in statuses)
    sizes = {"most_kB": grown // 1024, "most_kB_left": left // 1024}
    figure("D6 a reader without end", writes=len(statuses), failed=failed, **sizes)
    assert set(statuses) == {303}
    assert grown < WAL
    assert left <= JOURNAL_BYTES
