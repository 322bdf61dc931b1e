"""D6 (b): PostgreSQL is restarted, killed, paused, full or away.

Who reads loses nothing by a restart; who writes is told to try again, once a connection at the most; and five seconds
after it is back, all is as before.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from itertools import count
from pathlib import Path
from typing import Any, Self

import pytest
from sqlalchemy.engine import make_url

from mfaportal.plumbing import key_ring, machine
from mfaportal.plumbing.config import ROOT
from mfaportal.plumbing.postgresql_connection import PATIENCE, SILENCE
from tests import cluster as clusters
from tests.cluster import Cluster
from tests.faults.length import either
from tests.faults.lives import with_apps
from tests.faults.place import standing, visitor_of
from tests.plugins.figures import Figure
from tests.races.arena import Arena
from tests.server import Server, free_port
from tests.visitor import Visitor

pytestmark = pytest.mark.postgresql_only("what befalls its server")
RESTARTS: list[int] = either([signal.SIGINT], [signal.SIGINT, signal.SIGQUIT] * 5)
"""Ended in order, with all who are connected; and pulled out."""
PAUSED = either(1.5, 20.0)
AFTERWARDS = either(1.0, 6.0)
ENDINGS, EVERY = either((5, 0.2), (40, 1.5))
RECOVERED = 5.0
LONGEST = SILENCE + 3 + PATIENCE + 3
"""Seconds until an answer: silence, the question whether anybody is there, and the rest on a busy machine."""
WORKERS, READERS, WRITERS = 2, 4, 2


@dataclass
class Asked:
    writes: bool
    at: float
    seconds: float
    status: int


class Load:
    """Some read and some write, a request after the other, until it is over."""

    def __init__(self, place: Arena) -> None:
        self._stop = threading.Event()
        self.asked: list[Asked] = []
        people = [with_apps(place, 1)[0] for _ in range(READERS + WRITERS)]
        self._visitors = [visitor_of(place, place.logins(person, 1)[0]) for person in people]

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(len(self._visitors))
        self._done = [self._pool.submit(self._ask, each, n >= READERS) for n, each in enumerate(self._visitors)]
        time.sleep(0.3)
        return self

    def __exit__(self, *_more: object) -> None:
        self._stop.set()
        for done in self._done:
            done.result()
        self._pool.shutdown()

    def _ask(self, visitor: Visitor, writes: bool) -> None:
        while not self._stop.is_set():
            if self._once(visitor, writes=False) and writes:
                self._once(visitor, writes=True)
            time.sleep(0.02)

    def _once(self, visitor: Visitor, *, writes: bool) -> bool:
        began, path = time.monotonic(), "/account"
        try:
            answer = visitor.post(path, name=f"Name {len(self.asked)}") if writes else visitor.get(path)
            status = answer.status
        except (OSError, HTTPException):
            status = 0
        self.asked.append(Asked(writes, began, time.monotonic() - began, status))
        return status == 200

    def failed(self, *, writes: bool, after: float = 0) -> list[Asked]:
        """Answers other than those of every day."""
        good = 303 if writes else 200
        return [each for each in self.asked if each.writes == writes and each.status != good and each.at >= after]

    def recovered(self, since: float) -> float:
        """Seconds until the first of those who asked after that moment had written something."""
        written = [each for each in self.asked if each.writes and each.status == 303 and each.at >= since]
        ends = [each.at + each.seconds for each in written]
        return min(ends, default=float("inf")) - since

    @property
    def slowest(self) -> float:
        return max(asked.seconds for asked in self.asked)

    def verdict(self, figure: Figure, subject: str, since: float, **more: float) -> None:
        """What is said of every fault: nobody got anything but an answer, or a word when to try again."""
        figure(
            subject,
            **more,
            requests=len(self.asked),
            reads_failed=len(self.failed(writes=False)),
            writes_failed=len(self.failed(writes=True)),
            most_seconds_to_recover=round(self.recovered(since), 2),
            most_seconds_of_an_answer=round(self.slowest, 1),
        )
        assert {asked.status for asked in self.asked} <= {200, 303, 503}
        assert self.recovered(since) < RECOVERED
        assert not self.failed(writes=True, after=since + RECOVERED)
        assert not self.failed(writes=False, after=since + RECOVERED)


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    """A server of these tests alone, on loopback: the run's own goes on."""
    made = Cluster(port=free_port()).make()
    yield made
    made.remove()


END_ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mfaportal'"


def _run(cluster: Cluster, *statements: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    with clusters.connect(cluster.folder, port=cluster._port) as connection:
        for statement in statements:
            cursor = connection.execute(statement)
            found = cursor.fetchall() if cursor.description else []
    return found


_NUMBERS = count(1)


@pytest.fixture
def url(own_cluster: Cluster) -> Iterator[str]:
    name = f"portal_{next(_NUMBERS)}"
    _run(own_cluster, f"CREATE DATABASE {name} OWNER {clusters.OWNER} TEMPLATE template0")
    yield clusters.url(own_cluster.folder, name, port=own_cluster._port)
    _run(own_cluster, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def place(instance: Path, tmp_path: Path, url: str, owasp_hashes: None) -> Iterator[Arena]:
    with standing(instance, tmp_path, workers=WORKERS, MFAPORTAL_DATABASE_URL=url) as made:
        yield made


def test_whatever_befalls_the_server_costs_a_moment(place: Arena, own_cluster: Cluster, figure: Figure) -> None:
    workers = place.server.workers
    _restarted(place, own_cluster, figure)
    _ended(place, own_cluster, figure)
    _paused(place, own_cluster, figure)
    _no_connection_left(place, own_cluster, figure)
    assert place.server.workers == workers


def _restarted(place: Arena, cluster: Cluster, figure: Figure) -> None:
    """Readers wait for it. Of those who write, at most each connection's one is told to try again."""
    away = since = 0.0
    with Load(place) as load:
        for how in RESTARTS:
            time.sleep(0.5)
            began = time.monotonic()
            cluster.end(how)
            cluster.start()
            since = time.monotonic()
            away = max(away, since - began)
            time.sleep(0.5)
        time.sleep(AFTERWARDS)
    connections = WORKERS * machine.plan(WORKERS).threads
    load.verdict(figure, "D6 PostgreSQL restarted", since, restarts=len(RESTARTS), most_seconds_away=round(away, 2))
    assert away < PATIENCE, "the machine is too busy to tell"
    assert not load.failed(writes=False)
    assert len(load.failed(writes=True)) <= connections * len(RESTARTS)


def _ended(place: Arena, cluster: Cluster, figure: Figure) -> None:
    since = 0.0
    with Load(place) as load:
        for _ in range(ENDINGS):
            _run(cluster, END_ALL)
            since = time.monotonic()
            time.sleep(EVERY)
        time.sleep(0.5)
    load.verdict(figure, "D6 PostgreSQL connections ended", since, times=ENDINGS)
    assert not load.failed(writes=False)
    assert len(load.failed(writes=True)) <= WRITERS * ENDINGS


def _paused(place: Arena, cluster: Cluster, figure: Figure) -> None:
    """Nobody waits longer than it takes to see that nobody is there; what needs no database is served meanwhile."""
    parts = [cluster.pid, *_children(cluster.pid)]
    with Load(place) as load:
        for pid in parts:
            os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(PAUSED)
            asked = time.monotonic()
            alive = Visitor(place.server).get("/healthz").status
            waited = time.monotonic() - asked
        finally:
            for pid in parts:
                os.kill(pid, signal.SIGCONT)
            since = time.monotonic()
        time.sleep(AFTERWARDS)
    load.verdict(figure, "D6 PostgreSQL paused", since, most_seconds_paused=PAUSED)
    assert (alive, waited < 1) == (200, True)
    assert load.slowest < LONGEST
    if PAUSED < SILENCE:
        assert load.failed(writes=False) + load.failed(writes=True) == [], "they have just waited"


def _children(pid: int) -> list[int]:
    return [int(number) for number in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _no_connection_left(place: Arena, cluster: Cluster, figure: Figure) -> None:
    """Who finds none is told so; who has one goes on; when there are some again, all go on."""
    role = f"ALTER ROLE {clusters.OWNER} CONNECTION LIMIT"
    with Load(place) as load:
        full = time.monotonic()
        _run(cluster, f"{role} 0", END_ALL)
        time.sleep(PATIENCE + 0.5)
        _run(cluster, f"{role} -1")
        since = time.monotonic()
        time.sleep(1.5)
    load.verdict(figure, "D6 PostgreSQL without a connection left", since)
    assert load.failed(writes=False, after=full), "they had no connection"
    assert load.slowest < LONGEST


# starting


def _start(instance: Path, url: str) -> tuple[int, str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MFAPORTAL_")}
    done = subprocess.run(
        [sys.executable, "-m", "mfaportal"],
        cwd=ROOT,
        env={**kept, "MFAPORTAL_INSTANCE": str(instance), "MFAPORTAL_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


def _without_a_server(url: str) -> str:
    return f"postgresql+psycopg://mfaportal:wishbone@127.0.0.1:{free_port()}/portal"


def _another_database(url: str) -> str:
    return url.replace("mfaportal@", "mfaportal:wishbone@").replace("/portal", "/elsewhere")


def _nobody(url: str) -> str:
    return url.replace("mfaportal@", "nobody:wishbone@")


@pytest.mark.parametrize("wrong", [_without_a_server, _another_database, _nobody])
def test_a_start_without_the_database_ends_with_one_sentence(
    tmp_path: Path, url: str, wrong: Callable[[str], str]
) -> None:
    status, said, complaint = _start(tmp_path / "instance", wrong(url))
    assert (status, said) == (1, "")
    assert complaint.startswith("mfaportal: MFAPORTAL_DATABASE_URL: "), complaint
    assert len(complaint.splitlines()) == 1
    assert "wishbone" not in complaint


def test_a_start_waits_for_a_server_that_is_about_to_come(tmp_path: Path, url: str, own_cluster: Cluster) -> None:
    """After a power cut both come up at once."""
    own_cluster.end()
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(_start, tmp_path / "instance", url)
        time.sleep(1.0)
        own_cluster.start()  # in this thread: it ends with the one that has started it
        status, said, complaint = starting.result()
    assert (status, complaint) == (0, "")
    assert "The portal is at" in said


def test_starts_on_several_hosts_at_once_make_one_installation(
    tmp_path: Path, url: str, own_cluster: Cluster
) -> None:
    """Hosts share the key ring, as the README says; nothing else of their folders."""
    folders = [tmp_path / f"host-{number}" for number in range(3)]
    ring = tmp_path / "ring"
    ring.write_text(key_ring.new_ring())
    ring.chmod(0o600)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MFAPORTAL_")}
    settings = {"MFAPORTAL_DATABASE_URL": url, "MFAPORTAL_KEYRING": str(ring)}
    command, pipe = [sys.executable, "-m", "mfaportal"], subprocess.PIPE
    hosts = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**kept, **settings, "MFAPORTAL_INSTANCE": str(folder)},
            stdout=pipe,
            stderr=pipe,
            text=True,
        )
        for folder in folders
    ]
    said = [host.communicate(timeout=60) for host in hosts]
    assert [host.returncode for host in hosts] == [0] * len(folders), said
    with clusters.connect(own_cluster.folder, make_url(url).database or "", port=own_cluster._port) as connection:
        assert connection.execute("SELECT count(*) FROM portals").fetchone() == (1,)


def test_a_worker_that_is_replaced_while_the_server_is_away_does_not_end_the_portal(
    place: Arena, own_cluster: Cluster
) -> None:
    """The server of the portal gives up when its workers cannot start: the others would go with it."""
    own_cluster.end()
    (victim, *_others) = place.server.workers
    os.kill(victim, signal.SIGKILL)
    time.sleep(1.5)
    own_cluster.start()
    until = time.monotonic() + 15
    while time.monotonic() < until and (len(place.server.workers) < WORKERS or victim in place.server.workers):
        time.sleep(0.1)
    assert len(place.server.workers) == WORKERS, place.server.log
    assert Visitor(place.server).get("/readyz").status == 200


def test_the_log_names_no_password(instance: Path, tmp_path: Path, url: str, own_cluster: Cluster) -> None:
    """Neither what is said to the log while the server is away."""
    server = Server(instance, tmp_path)
    server.settings["MFAPORTAL_DATABASE_URL"] = url.replace("mfaportal@", "mfaportal:wishbone@")
    server.start(workers=1)
    own_cluster.end()
    try:
        assert Visitor(server).get("/").status == 503
        assert Visitor(server).get("/readyz").status == 503
    finally:
        own_cluster.start()
    assert "OperationalError" in server.log
    assert "wishbone" not in server.log
    server.stop()
