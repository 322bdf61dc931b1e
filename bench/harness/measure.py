"""The measurements. Each returns plain data that report.py turns into tables."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from . import load, process
from .adapter import Peer, Setup, at_port
from .client import Session
from .machine import Machine
from .stats import median, rotated
from .users import UserPool

CLIENTS = ONE, MANY = 1, 8
#: What the ratios refer to.
BASE = "bare"
GROWTH = (1_000, 100_000, 1_000_000)

#: Seconds of each phase, before --scale.
WARM_UP_S = 1.0
GUARDED_S = 2.0
JOURNEYS_S = {1: 3.0, 8: 4.0}
CHEAP_JOURNEYS_S = 2.0
COLD_STARTS = 3

#: Seconds without a request before a worker's memory counts as that of one at rest.
REST_S = 3.0


def say(*words: object) -> None:
    print(*words, file=sys.stderr, flush=True)


def _by_clients() -> dict[int, list[Any]]:
    return {clients: [] for clients in CLIENTS}


@dataclass
class PeerRounds:
    """What the interleaved rounds found for one peer; lists have one entry a round."""

    guarded: dict[int, list[load.GuardedLoad]] = field(default_factory=_by_clients)
    journeys: dict[int, list[load.JourneyLoad]] = field(default_factory=_by_clients)
    #: Journeys with the password hasher turned down.
    cheap: dict[int, list[load.JourneyLoad]] = field(default_factory=_by_clients)
    rss_mib: list[float] = field(default_factory=list)
    pss_mib: list[float] = field(default_factory=list)


class Rounds:
    """Parts a (guarded page), b (journeys) and the memory of d, interleaved.

    Every round runs peer after peer, each time starting with another one; each
    peer's server is started anew.
    """

    def __init__(self, peers: list[Peer], parts: set[str], machine: Machine, scale: float) -> None:
        self._peers = peers
        self._parts = parts
        self._machine = machine
        self._scale = scale
        self.results = {peer.name: PeerRounds() for peer in peers}

    def run(self, count: int) -> dict[str, PeerRounds]:
        for turn in range(count):
            for peer in rotated(self._peers, turn):
                say(f"round {turn + 1}/{count}: {peer.name}")
                self._usual(peer)
                if "b" in self._parts and peer.has_login:
                    self._cheap(peer)
        return self.results

    def _usual(self, peer: Peer) -> None:
        result = self.results[peer.name]
        pool = UserPool(peer.users, peer.has_mfa)
        with running(peer, peer.usual):
            sessions = load.signed_in(peer, pool, max(CLIENTS))
            load.guarded(peer, sessions, WARM_UP_S)
            for clients in CLIENTS:
                if "a" in self._parts:
                    result.guarded[clients].append(self._guarded(peer, sessions[:clients]))
                if "b" in self._parts and peer.has_login:
                    seconds = JOURNEYS_S[clients]
                    result.journeys[clients].append(self._journeys(peer, pool, clients, seconds))
            time.sleep(REST_S)
            rss, pss = peer.server.memory_mib()
            result.rss_mib.append(rss)
            result.pss_mib.append(pss)

    def _cheap(self, peer: Peer) -> None:
        pool = UserPool(peer.users, peer.has_mfa)
        with running(peer, Setup(peer.users, cheap_hash=True)):
            load.signed_in(peer, pool, max(CLIENTS))
            for clients in CLIENTS:
                self.results[peer.name].cheap[clients].append(self._journeys(peer, pool, clients, CHEAP_JOURNEYS_S))

    def _guarded(self, peer: Peer, sessions: list[Session]) -> load.GuardedLoad:
        seconds = GUARDED_S * self._scale
        return self._machine.undisturbed(load.guarded, peer, sessions, seconds)

    def _journeys(self, peer: Peer, pool: UserPool, clients: int, seconds: float) -> load.JourneyLoad:
        seconds *= self._scale
        return self._machine.undisturbed(load.journeys, peer, pool, clients, seconds)


@contextmanager
def running(peer: Peer, setup: Setup) -> Iterator[None]:
    peer.start(setup)
    try:
        yield
    finally:
        peer.stop()


def hash_cost(peer: Peer) -> float:
    """Milliseconds the peer's hasher takes to verify one password, in-process."""
    return float(python_in(peer, "-m", "bench.harness.hashcost")) if peer.has_login else 0.0


@dataclass
class ColdStart:
    """Seconds to import the application, and then to answer a first request."""

    import_s: float
    first_s: float


def cold_start(peer: Peer) -> ColdStart:
    """The medians of a few new interpreters, in a copy of the database."""
    samples = [
        json.loads(python_in(peer, "-m", "bench.harness.coldstart", peer.app, peer.login_path))
        for _ in range(COLD_STARTS)
    ]
    return ColdStart(*(median(sample[key] for sample in samples) for key in ("import_s", "first_s")))


def python_in(peer: Peer, *arguments: str) -> str:
    """The last line that a Python command in the peer's environment prints."""
    env = peer.environment(peer.fresh_copy(peer.usual), peer.usual)
    text = process.output([str(peer.python), *arguments], cwd=peer.source, env=at_port(env))
    return text.splitlines()[-1]


@dataclass
class Grown:
    """One client in a database of one size."""

    guarded: load.GuardedLoad
    journeys: load.JourneyLoad


def growth(peers: list[Peer], machine: Machine, scale: float) -> dict[str, dict[int, Grown]]:
    """Guarded page and journeys (without hash) of one client, in databases of growing size."""
    results: dict[str, dict[int, Grown]] = {peer.name: {} for peer in peers}
    for turn, users in enumerate(GROWTH):
        for peer in rotated(peers, turn):
            say(f"growth: {peer.name} with {users:,} users")
            pool = UserPool(users, peer.has_mfa)
            with running(peer, Setup(users, cheap_hash=True)):
                sessions = load.signed_in(peer, pool, 1)
                load.guarded(peer, sessions, WARM_UP_S)
                page = machine.undisturbed(load.guarded, peer, sessions, GUARDED_S * scale)
                journeys = machine.undisturbed(load.journeys, peer, pool, 1, CHEAP_JOURNEYS_S * scale)
            results[peer.name][users] = Grown(page, journeys)
    return results
