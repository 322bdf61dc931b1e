"""Turns the measurements into markdown tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from . import report_journeys
from .adapter import Peer
from .cells import NOTHING, number, plus_minus, ratio, table
from .figures import Figures
from .load import GuardedLoad
from .machine import calm, calm_median
from .measure import BASE, CLIENTS, MANY, ONE, ColdStart, Grown, PeerRounds
from .replay import CODES
from .servers import ServerRuns
from .statements import Statements
from .stats import median, percentile
from .weights import Pages, Weight


def sections(figures: Figures, peers: list[Peer]) -> Iterable[str]:
    """A table or two for each part that was measured."""
    if any(found.guarded[ONE] for found in figures.rounds.values()):
        yield guarded(peers, figures.rounds)
    if figures.hash_ms:
        yield report_journeys.journeys(peers, figures.rounds, figures.hash_ms)
    if figures.sql:
        yield sql(peers, figures.sql)
    if figures.replays:
        yield replays(peers, figures.replays)
    if figures.cold:
        yield start_and_memory(peers, figures.cold, figures.rounds)
    if figures.pages:
        yield weights(peers, figures.pages)
    if figures.growth:
        yield growth([peer for peer in peers if peer.name in figures.growth], figures.growth)
    if figures.servers:
        yield servers(figures.servers)
    if figures.micro:
        yield micro(figures.micro)


def _rate(load: GuardedLoad) -> float:
    return load.requests_per_s


def guarded(peers: list[Peer], results: dict[str, PeerRounds]) -> str:
    base = results.get(BASE, PeerRounds())
    head = ["system"]
    for clients in CLIENTS:
        suffix = f"{clients} client" + "s" * (clients > 1)
        head += [f"req/s, {suffix}", f"x {BASE}", "p50 ms", "p99 ms", "± rounds"]
    head.append("server CPU ms/req")
    rows = []
    for peer in peers:
        row = [peer.title]
        for clients in CLIENTS:
            loads = results[peer.name].guarded[clients]
            rate = calm_median(loads, _rate)
            row += [
                number(rate),
                ratio(rate, calm_median(base.guarded[clients], _rate)),
                number(calm_median(loads, lambda load: load.p50_ms)),
                number(calm_median(loads, lambda load: load.p99_ms)),
                plus_minus(map(_rate, calm(loads))),
            ]
        row.append(number(calm_median(results[peer.name].guarded[MANY], lambda load: load.cpu_ms)))
        rows.append(row)
    return "## a. Guarded page, signed-in clients\n\n" + table(head, rows)


def sql(peers: list[Peer], results: dict[str, Statements]) -> str:
    head = ["system", "guarded: reads", "writes", "begin"]
    head += ["journey: requests", "reads", "writes", "begin"]
    rows = []
    for peer in peers:
        page, journey = results[peer.name].guarded, results[peer.name].journey
        numbers = [page.reads, page.writes, page.transactions]
        numbers += [journey.requests, journey.reads, journey.writes, journey.transactions]
        rows.append([peer.title, *map(str, numbers)])
    return "## c. SQL statements\n\n" + table(head, rows)


def replays(peers: list[Peer], results: dict[str, int]) -> str:
    rows = [[peer.title, str(results[peer.name])] for peer in peers if peer.has_mfa]
    return "## Spent codes sent again by another browser\n\n" + table(["system", f"accepted of {CODES}"], rows)


def start_and_memory(peers: list[Peer], cold: dict[str, ColdStart], results: dict[str, PeerRounds]) -> str:
    head = ["system", "import ms", "first answer ms", "RSS MiB/worker", "PSS MiB/worker"]
    rows = [
        [
            peer.title,
            number(1000 * cold[peer.name].import_s),
            number(1000 * cold[peer.name].first_s),
            number(median(results[peer.name].rss_mib)),
            number(median(results[peer.name].pss_mib)),
        ]
        for peer in peers
    ]
    return "## d. Cold start, and memory after the run\n\n" + table(head, rows)


def weights(peers: list[Peer], results: dict[str, Pages]) -> str:
    def cells(weight: Weight | None) -> list[str]:
        if weight is None:
            return [NOTHING] * 4
        external = f"{weight.external:,} ({weight.external_count})"
        return [
            f"{weight.html:,}",
            f"{weight.assets:,} ({weight.asset_count})",
            external if weight.external_count else "0",
            f"{weight.gzip:,}",
        ]

    columns = ["HTML", "+ own files", "+ other hosts", "own, gzipped"]
    head = ["system", *(f"login: {columns[0]}", *columns[1:])]
    head += [f"set-up: {columns[0]}", *columns[1:], "set-up render ms"]
    rows = [
        [
            peer.title,
            *cells(results[peer.name].login),
            *cells(results[peer.name].setup),
            number(results[peer.name].setup_ms),
        ]
        for peer in peers
        if peer.has_login
    ]
    return "## e. Page weight in bytes (files), and the set-up page with its QR code\n\n" + table(head, rows)


def growth(peers: list[Peer], results: dict[str, dict[int, Grown]]) -> str:
    sizes = list(next(iter(results.values())))
    head = ["system"]
    head += [f"page p50 ms, {size:,} users" for size in sizes] + ["last / first"]
    head += [f"journey p50 ms, {size:,} users" for size in sizes] + ["last / first"]
    rows = []
    for peer in peers:
        found = results[peer.name]
        pages = [found[size].guarded.p50_ms for size in sizes]
        taken = [percentile(found[size].journeys.latencies_ms, 50) for size in sizes]
        row = [peer.title]
        for values in (pages, taken):
            row += [*map(number, values), ratio(values[-1], values[0])]
        rows.append(row)
    title = "## f. Growth with the number of users (1 client, journeys without the hash)\n\n"
    return title + table(head, rows)


def servers(results: dict[str, ServerRuns]) -> str:
    first = calm_median(next(iter(results.values())).loads, _rate)
    head = ["server", f"req/s, {MANY} clients", "x first", "worst run", "best run", "p50 ms"]
    head += ["p99 ms", "CPU ms/req", "RSS MiB/worker"]
    rows = []
    for name, result in results.items():
        loads = calm(result.loads)
        rates = list(map(_rate, loads))
        rows.append(
            [
                name,
                number(median(rates)),
                ratio(median(rates), first),
                number(min(rates)),
                number(max(rates)),
                number(calm_median(loads, lambda load: load.p50_ms)),
                number(calm_median(loads, lambda load: load.p99_ms)),
                number(calm_median(loads, lambda load: load.cpu_ms)),
                number(median(result.rss_mib)),
            ]
        )
    return f"## Servers, each with {BASE}\n\n" + table(head, rows)


def micro(results: list[dict[str, Any]]) -> str:
    def rows(group: str, factor: float) -> Iterable[list[str]]:
        for name in results[0][group]:
            seconds = [result[group][name] for result in results]
            row = [name, number(factor * median(seconds)), plus_minus(seconds)]
            if group == "images":
                row.append(f"{results[0]['image_bytes'][name]:,}")
            yield row

    return (
        "## Password hashers: verify once\n\n"
        + table(["hasher", "ms", "± rounds"], rows("hashers", 1e3))
        + "\n## TOTP\n\n"
        + table(["call", "µs", "± rounds"], rows("totp", 1e6))
        + "\n## QR code of an otpauth URI\n\n"
        + table(["image", "µs", "± rounds", "bytes"], rows("images", 1e6))
    )


def remarks(peers: list[Peer]) -> str:
    notes = [note for peer in peers for note in peer.notes]
    return "## Remarks\n\n" + "".join(f"- {note}\n" for note in notes) if notes else ""
