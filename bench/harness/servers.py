"""What is not about a system: the WSGI servers under one of the floors, and parts measured in-process."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import load
from .adapter import Peer, Setup, gunicorn
from .machine import Machine
from .measure import CLIENTS, WARM_UP_S, python_in, say
from .stats import rotated
from .users import UserPool

#: One-second runs a server and round, each with new connections: how these
#: spread over the workers decides much of what some servers can do.
SERVER_RUNS = 3


def server_commands(peer: Peer) -> dict[str, list[str]]:
    """The servers compared, each serving the same application."""
    python = str(peer.python)
    return {
        "gunicorn sync, 2 workers": gunicorn(peer, peer.app, "sync"),
        "gunicorn gthread, 2 x 4": gunicorn(peer, peer.app, "gthread"),
        "waitress, 1 process x 8 threads": [
            python, "-m", "waitress", "--listen=127.0.0.1:{port}", "--threads=8", peer.app,
        ],
        "granian (WSGI), 2 x 4": [
            python, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
            "--port", "{port}", "--workers", "2", "--blocking-threads", "4", "--no-ws", peer.app,
        ],
        "granian (WSGI), 2 x 1": [
            python, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
            "--port", "{port}", "--workers", "2", "--blocking-threads", "1", "--no-ws", peer.app,
        ],
    }  # fmt: skip


@dataclass
class ServerRuns:
    """Of one server; memory has one entry a round."""

    loads: list[load.GuardedLoad] = field(default_factory=list)
    rss_mib: list[float] = field(default_factory=list)


def servers(peer: Peer, count: int, machine: Machine, scale: float) -> dict[str, ServerRuns]:
    """The guarded page of `bare` for eight clients, server after server, in turning order."""
    commands = server_commands(peer)
    results: dict[str, ServerRuns] = {name: ServerRuns() for name in commands}
    for turn in range(count):
        for name in rotated(commands, turn):
            say(f"servers {turn + 1}/{count}: {name}")
            env = peer.environment(peer.fresh_copy(peer.usual), peer.usual)
            peer.launch(commands[name], env)
            try:
                sessions = load.signed_in(peer, UserPool(peer.users, peer.has_mfa), max(CLIENTS))
                load.guarded(peer, sessions, WARM_UP_S)
                for _ in range(SERVER_RUNS):
                    results[name].loads.append(machine.undisturbed(load.guarded, peer, sessions, scale))
                results[name].rss_mib.append(peer.server.memory_mib()[0])
            finally:
                peer.stop()
    return results


class Micro(Peer):
    """Not a system: the environment of the in-process measurements."""

    name = "micro"

    def fresh_copy(self, setup: Setup) -> Path:  # noqa: ARG002
        return self.home  # there is no database


def micro(count: int, machine: Machine) -> list[dict[str, Any]]:
    """Password hashers, TOTP and QR codes, in-process; one entry a round."""
    environment = Micro()
    environment.prepare()
    results = []
    for turn in range(count):
        say(f"micro {turn + 1}/{count}")
        line = machine.quietly(python_in, environment, "-m", "bench.harness.micro", str(turn))
        results.append(json.loads(line))
    return results
