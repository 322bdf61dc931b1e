"""The one table that says where mfaportal stands: beside the peers, and against its targets."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from .adapter import Peer
from .cells import NOTHING, number, table
from .figures import Figures
from .load import GuardedLoad, JourneyLoad
from .machine import calm
from .measure import BASE, GROWTH, MANY, ONE
from .replay import CODES
from .stats import median, percentile
from .weights import Weight

OURS = "mfaportal"
TIMES = "\N{MULTIPLICATION SIGN}"

Found = tuple[float, ...]
"""The numbers of a cell; NaN for what was not measured, or is not there."""


@dataclass(frozen=True)
class Row:
    """A line of the table. Each number found has to be at most its limit, or at least."""

    title: str
    found: Callable[[Figures, Peer], Found]
    limits: Found
    target: str
    words: Callable[[Figures, Peer], str] | None = None
    at_least: bool = False

    def cell(self, figures: Figures, peer: Peer) -> str:
        """What is found, in words."""
        found = self.found(figures, peer)
        if math.isnan(found[0]):
            return NOTHING
        return self.words(figures, peer) if self.words else number(found[0])

    def is_met(self, figures: Figures, peer: Peer) -> bool:
        """Whether the target is reached."""
        pairs = zip(self.found(figures, peer), self.limits, strict=True)
        return all(number >= limit if self.at_least else number <= limit for number, limit in pairs)


def text(figures: Figures, peers: list[Peer]) -> str:
    """The table; the last column says whether mfaportal has reached its target."""
    shown = [peer for peer in peers if peer.has_login]
    ours = next((peer for peer in shown if peer.name == OURS), None)
    rows = []
    for row in ROWS:
        cells = [row.cell(figures, peer) for peer in shown]
        target = row.target
        if ours is not None and row.cell(figures, ours) != NOTHING:
            target += ", met" if row.is_met(figures, ours) else ", **not met**"
        rows.append([row.title, *cells, target])
    return "## Summary\n\n" + table(["", *(peer.title for peer in shown), "target of mfaportal"], rows)


def _loads(figures: Figures, name: str, clients: int) -> list[GuardedLoad]:
    return calm(figures.rounds[name].guarded[clients]) if name in figures.rounds else []


def _share(figures: Figures, peer: Peer) -> Found:
    rate, base = (median(load.requests_per_s for load in _loads(figures, name, MANY)) for name in (peer.name, BASE))
    return (rate / base,)


def _page_ms(figures: Figures, peer: Peer) -> Found:
    return (median(load.p50_ms for load in _loads(figures, peer.name, ONE)),)


def _journeys(figures: Figures, peer: Peer, clients: int, *, cheap: bool = False) -> list[JourneyLoad]:
    if peer.name not in figures.rounds:
        return []
    rounds = figures.rounds[peer.name]
    return calm((rounds.cheap if cheap else rounds.journeys)[clients])


def _middle(loads: list[JourneyLoad]) -> Found:
    return (percentile([value for load in loads for value in load.latencies_ms], 50),)


def _journey_ms(figures: Figures, peer: Peer) -> Found:
    return _middle(_journeys(figures, peer, ONE))


def _journey_rate(figures: Figures, peer: Peer) -> Found:
    return (median(load.per_s for load in _journeys(figures, peer, MANY)),)


def _cheap_ms(figures: Figures, peer: Peer) -> Found:
    return _middle(_journeys(figures, peer, ONE, cheap=True))


def _or_no_code(found: Callable[[Figures, Peer], Found]) -> Callable[[Figures, Peer], str]:
    return lambda figures, peer: number(found(figures, peer)[0]) + ("" if peer.has_mfa else " (no code)")


def _statements(figures: Figures, peer: Peer) -> Found:
    if peer.name not in figures.sql:
        return math.nan, math.nan
    page, journey = figures.sql[peer.name].guarded, figures.sql[peer.name].journey
    return page.reads + page.writes, journey.reads + journey.writes


def _cold_ms(figures: Figures, peer: Peer) -> Found:
    cold = figures.cold.get(peer.name)
    return (1000 * (cold.import_s + cold.first_s) if cold else math.nan,)


def _memory(figures: Figures, peer: Peer) -> Found:
    return (median(figures.rounds[peer.name].rss_mib) if peer.name in figures.rounds else math.nan,)


def _kilobytes(weight: Weight) -> str:
    """The server's own, and what comes from elsewhere."""
    elsewhere = f" + {weight.external / 1000:.0f} kB from other hosts" if weight.external else ""
    return f"{weight.gzip / 1000:.1f} kB{elsewhere}{'' if weight.styled else ' (no style)'}"


def _log_in_page(figures: Figures, peer: Peer) -> Found:
    pages = figures.pages.get(peer.name)
    return (pages.login.gzip if pages and pages.login else math.nan,)


def _log_in_words(figures: Figures, peer: Peer) -> str:
    weight = figures.pages[peer.name].login
    return _kilobytes(weight) if weight else NOTHING


def _set_up_page(figures: Figures, peer: Peer) -> Found:
    pages = figures.pages.get(peer.name)
    if pages is None or pages.setup is None or not peer.has_setup_page:
        return math.nan, math.nan
    return pages.setup.gzip, pages.setup_ms


def _set_up_words(figures: Figures, peer: Peer) -> str:
    pages = figures.pages[peer.name]
    return f"{_kilobytes(pages.setup)} / {number(pages.setup_ms)}" if pages.setup else NOTHING


def _growth(figures: Figures, peer: Peer) -> Found:
    sizes = figures.growth.get(peer.name)
    if not sizes:
        return (math.nan,)
    small, large = (percentile(sizes[size].journeys.latencies_ms, 50) for size in (GROWTH[0], GROWTH[-1]))
    return (large / small,)


def _replays(figures: Figures, peer: Peer) -> Found:
    return (figures.replays.get(peer.name, math.nan),)


ROWS = (
    Row(f"guarded page, req/s at {MANY} clients, {TIMES} bare", _share, (0.80,), "≥ 0.80", at_least=True),
    Row("… p50 at 1 client, ms", _page_ms, (0.52,), "≤ 0.52"),
    Row("log-in journey with code, p50 ms (hash in it)", _journey_ms, (25,), "≤ 25", _or_no_code(_journey_ms)),
    Row(f"… per second at {MANY} clients", _journey_rate, (75,), "≥ 75", at_least=True),
    Row("… without the password hash, p50 ms", _cheap_ms, (6,), "≤ 6", _or_no_code(_cheap_ms)),
    Row(
        "SQL reads + writes: guarded page; journey",
        _statements,
        (1, 14),
        "1; ≤ 14",
        lambda figures, peer: "; ".join(f"{count:.0f}" for count in _statements(figures, peer)),
    ),
    Row("import + first answer, ms", _cold_ms, (250,), "≤ 250"),
    Row("memory a worker at rest, MiB RSS (19 more for each hash in flight)", _memory, (55,), "≤ 55"),
    Row("log-in page, all bytes gzipped", _log_in_page, (8000,), "≤ 8 kB with style", _log_in_words),
    Row("set-up page, gzipped / render ms", _set_up_page, (9000, 6), "≤ 9 kB / ≤ 6", _set_up_words),
    Row(
        f"journey without hash, {GROWTH[-1]:,} against {GROWTH[0]:,} accounts",
        _growth,
        (1.1,),
        f"≤ 1.1 {TIMES}",
        lambda figures, peer: f"{_growth(figures, peer)[0]:.2f} {TIMES}",
    ),
    Row(
        f"{CODES} spent codes sent again, accepted",
        _replays,
        (0,),
        "0",
        lambda figures, peer: f"{_replays(figures, peer)[0]:.0f}",
    ),
)
"""In the order of the targets."""
