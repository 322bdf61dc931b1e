"""How many SQL statements a page and a journey cost."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .adapter import Peer
from .client import Session
from .users import UserPool

_KINDS = {
    "SELECT": "reads", "WITH": "reads", "INSERT": "writes", "UPDATE": "writes",
    "DELETE": "writes", "REPLACE": "writes", "BEGIN": "transactions",
}  # fmt: skip


@dataclass
class Counts:
    """Statements of some requests, by kind."""

    requests: int = 0
    reads: int = 0
    writes: int = 0
    transactions: int = 0


@dataclass
class Statements:
    """Of one guarded request, and of one journey."""

    guarded: Counts
    journey: Counts


def sql(peer: Peer) -> Statements:
    """Statements SQLite runs for one guarded request and for one whole journey."""
    log = peer.home / "sql.log"
    log.unlink(missing_ok=True)
    pool = UserPool(peer.users, peer.has_mfa)
    peer.start_traced(peer.usual, log)
    try:
        with Session(peer.port) as warm:  # connections, caches and templates
            if peer.has_login:
                peer.login_journey(warm, pool.take())
            peer.check_guarded(warm)
        seen = len(traced(log))
        with Session(peer.port) as session:
            if peer.has_login:
                peer.login_journey(session, pool.take())
            journey = traced(log)[seen:]
            peer.check_guarded(session)
    finally:
        peer.stop()
    lines = traced(log)
    return Statements(counted(lines[-1:]), counted(journey))


def traced(log: Path) -> list[dict[str, Any]]:
    """Each request so far, with its statements."""
    return [json.loads(line) for line in log.read_text().splitlines()]


def counted(lines: list[dict[str, Any]]) -> Counts:
    """What these requests asked of the database."""
    counts = Counts(requests=len(lines))
    for line in lines:
        for statement in line["statements"]:
            if kind := _KINDS.get(statement.split(None, 1)[0].upper()):
                setattr(counts, kind, getattr(counts, kind) + 1)
    return counts
