"""Measure the systems side by side and print markdown tables. See README.md.

make bench                          # all of it, three rounds
make bench ARGS="--only a,mfaportal"
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from bench import adapters
from bench.harness import measure, replay, report, servers, statements, summary, weights
from bench.harness.adapter import Peer, Setup
from bench.harness.figures import Figures
from bench.harness.heading import heading
from bench.harness.machine import Machine
from bench.harness.measure import say

T = TypeVar("T")

MEASUREMENTS = ("a", "b", "c", "d", "e", "f", "replay", "servers", "micro")


def arguments() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds (default 3)")
    parser.add_argument(
        "--only", default="", metavar="NAME,...",
        help="measure only these systems and parts: " + ", ".join(adapters.NAMES + MEASUREMENTS),
    )  # fmt: skip
    parser.add_argument(
        "--worker-class", default=Peer.worker_class, choices=("sync", "gthread"),
        help="gunicorn's workers, for all systems alike (default sync)",
    )  # fmt: skip
    parser.add_argument("--scale", type=float, default=1.0, help="stretch each timed phase")
    parser.add_argument(
        "--patience", type=float, default=60, metavar="S",
        help="seconds to spend on waiting for a quiet machine and on repeating (default 60)",
    )  # fmt: skip
    parser.add_argument("--prepare", action="store_true", help="make environments and databases, and measure nothing")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures there")
    options = parser.parse_args()
    Peer.worker_class = options.worker_class
    only = set(filter(None, options.only.split(",")))
    if unknown := only - set(adapters.NAMES) - set(MEASUREMENTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    options.systems = [name for name in adapters.NAMES if name in only] or list(adapters.NAMES)
    options.parts = only & set(MEASUREMENTS) or set(MEASUREMENTS)
    if measure.BASE not in options.systems and options.parts & {"a", "b", "f", "servers"}:
        options.systems.append(measure.BASE)  # what the ratios refer to
    return options


def setups(peer: Peer, parts: set[str]) -> list[Setup]:
    """All databases the peer will need."""
    wanted = [peer.usual]
    if "b" in parts and peer.has_login:
        wanted.append(Setup(peer.users, cheap_hash=True))
    if "f" in parts and peer.can_grow:
        wanted += [Setup(users, cheap_hash=True) for users in measure.GROWTH]
    return wanted


def available(names: list[str], parts: set[str]) -> list[Peer]:
    """The systems that can be measured here, installed and seeded."""
    peers = []
    for peer in adapters.load(names):
        if reason := peer.unavailable():
            say(f"{peer.name} left out: {reason}")
            continue
        say(f"preparing {peer.name}")
        peer.prepare()
        for setup in setups(peer, parts):
            say(f"  a database of {setup.users:,} users{', cheap hash' * setup.cheap_hash}")
            peer.seed(setup)
        peers.append(peer)
    return peers


def measured(options: argparse.Namespace, peers: list[Peer], machine: Machine) -> Figures:
    """All parts that are asked for."""
    parts, figures = options.parts, Figures()

    def of_each(part: str, measurement: Callable[[Peer], T], *, quietly: bool = True) -> dict[str, T]:
        if part not in parts:
            return {}
        say(f"part {part}: {measurement.__name__.replace('_', ' ')}")
        return {peer.name: machine.quietly(measurement, peer) if quietly else measurement(peer) for peer in peers}

    if parts & {"a", "b", "d"}:
        figures.rounds = measure.Rounds(peers, parts, machine, options.scale).run(options.rounds)
    figures.hash_ms = of_each("b", measure.hash_cost)
    figures.sql = of_each("c", statements.sql, quietly=False)
    figures.cold = of_each("d", measure.cold_start)
    figures.pages = of_each("e", weights.pages)
    if "f" in parts:
        figures.growth = measure.growth([peer for peer in peers if peer.can_grow], machine, options.scale)
    if "replay" in parts:
        figures.replays = {peer.name: replay.accepted(peer) for peer in peers if peer.has_mfa}
    if "servers" in parts:
        bare = next(peer for peer in peers if peer.name == measure.BASE)
        figures.servers = servers.servers(bare, options.rounds, machine, options.scale)
    if "micro" in parts:
        figures.micro = servers.micro(options.rounds, machine)
    return figures


def main() -> int:
    """Prepare, measure, print."""
    options = arguments()
    if shutil.which("wrk") is None:
        say("This needs wrk: apt-get install wrk")
        return 1
    peers, machine = available(options.systems, options.parts), Machine(options.patience)
    if options.prepare:
        if "micro" in options.parts:
            servers.Micro().prepare()
        return 0
    start = time.monotonic()
    figures = measured(options, peers, machine)
    print(heading(machine, options.rounds, time.monotonic() - start))
    print("\n".join([summary.text(figures, peers), *report.sections(figures, peers), report.remarks(peers)]))
    if options.json:
        options.json.write_text(json.dumps(figures, default=dataclasses.asdict, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
