"""The two loads: a guarded page fetched by wrk, and sign-in journeys by threads."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from . import process
from .client import HTTPError, Session
from .machine import Watch
from .users import STEP, PoolExhausted, User, UserPool

if TYPE_CHECKING:
    from .adapter import Peer

_SCRIPT = Path(__file__).with_name("guarded.lua")

# Journeys are mostly waiting; hand the interpreter lock over quickly when an
# answer is there, so that the other clients' threads add little to a latency.
sys.setswitchinterval(0.0005)


@dataclass(slots=True)
class GuardedLoad:
    """One wrk run."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float  # server CPU time a request
    foreign_cores: float


@dataclass(slots=True)
class JourneyLoad:
    """Sign-in journeys of one run."""

    seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    bytes_in: int = 0
    bytes_out: int = 0
    requests: int = 0
    boundary: int = 0  # left out: the time step turned between code and answer
    errors: list[str] = field(default_factory=list)
    cpu_s: float = 0.0  # server CPU time of the whole run
    client_cpu_s: float = 0.0
    foreign_cores: float = 0.0

    @property
    def count(self) -> int:
        return len(self.latencies_ms)

    @property
    def per_s(self) -> float:
        return self.count / self.seconds if self.seconds else 0.0


def signed_in(peer: Peer, pool: UserPool, clients: int) -> list[Session]:
    """Sessions of that many users who have been through the whole sign-in.

    They sign in from 127.0.0.1, where wrk comes from: Flask-Login, for one, ties a
    session to the client's address.
    """
    sessions: list[Session] = []
    while len(sessions) < clients:
        if peer.has_login:
            user = pool.take()
            session = Session(peer.port)
            if _journey(peer, session, user) == "boundary":
                continue
            session.close()
        else:
            session = Session(peer.port)
        sessions.append(session)
    return sessions


def guarded(peer: Peer, sessions: list[Session], seconds: float) -> GuardedLoad:
    """Wrk on the guarded page: as many connections as sessions, which take turns."""
    duration = max(1, round(seconds))  # wrk takes whole seconds
    wrk = shutil.which("wrk")
    if not wrk:
        raise RuntimeError("wrk is missing: apt-get install wrk")
    expected = _page_bytes(peer, sessions)
    with tempfile.NamedTemporaryFile("w", suffix=".headers") as file:
        for session in sessions:
            headers = session.auth_headers() or {"Accept": "text/html"}
            file.write("\t".join(f"{key}: {value}" for key, value in headers.items()) + "\n")
        file.flush()
        command = [wrk, "-t1", f"-c{len(sessions)}", f"-d{duration}s", "-s", str(_SCRIPT)]
        command += [f"http://127.0.0.1:{peer.port}", "--", peer.guarded_path, file.name]
        with Watch(peer.server) as watch:
            text = process.output(command, timeout=duration + 60)
    line = next(line for line in text.splitlines() if line.startswith("JSON "))
    result = json.loads(line[5:])
    if result["errors"] or not result["requests"]:
        raise HTTPError(f"{peer.name}: wrk saw errors: {result}")
    mean = result["bytes"] / result["requests"]
    if abs(mean - expected) > 0.05 * expected:
        raise HTTPError(f"{peer.name}: answers of {mean:.0f} bytes, the page has {expected:.0f}")
    _page_bytes(peer, sessions)
    return GuardedLoad(
        requests_per_s=result["requests"] / result["seconds"],
        p50_ms=result["p50_ms"],
        p99_ms=result["p99_ms"],
        cpu_ms=1000 * watch.server_s / result["requests"],
        foreign_cores=watch.foreign_cores,
    )


def _page_bytes(peer: Peer, sessions: list[Session]) -> float:
    """The mean size of an answer; fails unless each session is shown the page."""
    total = 0
    for session in sessions:
        total += peer.check_guarded(session).wire_bytes
        session.close()
    return total / len(sessions)


def journeys(peer: Peer, pool: UserPool, clients: int, seconds: float) -> JourneyLoad:
    """Closed loop: each client signs users in one after the other, a new browser each time."""
    load = JourneyLoad()
    lock = threading.Lock()
    deadline = perf_counter() + seconds

    def client() -> None:
        while perf_counter() < deadline:
            try:
                user = pool.take()
            except PoolExhausted:
                return
            with Session(peer.port, user.address) as session:
                begin = perf_counter()
                try:
                    outcome = _journey(peer, session, user)
                except (HTTPError, OSError, EOFError) as error:
                    outcome = f"{type(error).__name__}: {error}"
                taken = perf_counter() - begin
            with lock:
                if outcome == "boundary":
                    load.boundary += 1
                elif outcome:
                    load.errors.append(outcome)
                else:
                    load.latencies_ms.append(1000 * taken)
                    load.bytes_in += session.bytes_in
                    load.bytes_out += session.bytes_out
                    load.requests += session.requests

    threads = [threading.Thread(target=client) for _ in range(clients)]
    with Watch(peer.server) as watch:
        start = perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        load.seconds = perf_counter() - start
    load.cpu_s = watch.server_s
    load.client_cpu_s = watch.own_s
    load.foreign_cores = watch.foreign_cores
    return load


def _journey(peer: Peer, session: Session, user: User) -> str:
    """Sign in; '' if it worked, 'boundary' if the code's time step passed on the way."""
    try:
        peer.login_journey(session, user)
        return ""
    except HTTPError:
        if peer.has_mfa and int(time.time()) // STEP != user.last_step:
            return "boundary"
        raise
