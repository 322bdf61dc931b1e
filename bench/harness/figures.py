"""Everything that a run finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .measure import ColdStart, Grown, PeerRounds
from .servers import ServerRuns
from .statements import Statements
from .weights import Pages


@dataclass
class Figures:
    """By system, and empty where a part was not asked for."""

    rounds: dict[str, PeerRounds] = field(default_factory=dict)
    hash_ms: dict[str, float] = field(default_factory=dict)
    sql: dict[str, Statements] = field(default_factory=dict)
    replays: dict[str, int] = field(default_factory=dict)
    cold: dict[str, ColdStart] = field(default_factory=dict)
    pages: dict[str, Pages] = field(default_factory=dict)
    growth: dict[str, dict[int, Grown]] = field(default_factory=dict)
    servers: dict[str, ServerRuns] = field(default_factory=dict)
    micro: list[dict[str, Any]] = field(default_factory=list)
