"""The tables of the sign-in journeys."""

from __future__ import annotations

from .adapter import Peer
from .cells import number, plus_minus, ratio, table
from .load import JourneyLoad
from .machine import calm, calm_median
from .measure import BASE, CLIENTS, MANY, ONE, PeerRounds
from .stats import percentile


def journeys(peers: list[Peer], results: dict[str, PeerRounds], hash_ms: dict[str, float]) -> str:
    peers = [peer for peer in peers if peer.has_login]
    usual = {peer.name: results[peer.name].journeys for peer in peers}
    cheap = {peer.name: results[peer.name].cheap for peer in peers}
    first = {peer.name: [*_exchanged(usual[peer.name]), number(hash_ms[peer.name])] for peer in peers}
    second = {
        peer.name: [
            number(
                1000
                * sum(load.cpu_s for load in calm(cheap[peer.name][ONE]))
                / max(1, len(_latencies(cheap[peer.name][ONE])))
            )
        ]
        for peer in peers
    }
    return (
        "## b. Sign-in journey, login page to guarded page\n\n"
        + _journey_table(peers, usual, ["requests", "KB in / out", "hash alone ms"], first)
        + "\n"
        + "".join(f"- {peer.title}: {peer.hasher}\n" for peer in peers)
        + "\n### The same without the password hash (hasher turned down to next to nothing)\n\n"
        + _journey_table(peers, cheap, ["server CPU ms/journey"], second)
        + "".join(
            _problems(peer, [x for kind in (usual, cheap) for n in CLIENTS for x in kind[peer.name][n]])
            for peer in peers
        )
    )


def _journey_table(
    peers: list[Peer],
    results: dict[str, dict[int, list[JourneyLoad]]],
    extra_head: list[str],
    extra: dict[str, list[str]],
) -> str:
    def one_ms(name: str, share: float) -> float:
        return percentile(_latencies(results[name][ONE]) if name in results else [], share)

    def rate(name: str) -> float:
        return calm_median(results[name][MANY] if name in results else [], _journey_rate)

    head = ["system", "p50 ms, 1 client", f"x {BASE}", "p99 ms"]
    head += [f"journeys/s, {MANY} clients", f"x {BASE}", "p50 ms", "p99 ms", "± rounds"]
    head += [f"n (1 / {MANY} clients)", *extra_head]
    rows = []
    for peer in peers:
        many = results[peer.name][MANY]
        latencies = _latencies(many)
        rows.append(
            [
                peer.title,
                number(one_ms(peer.name, 50)),
                ratio(one_ms(peer.name, 50), one_ms(BASE, 50)),
                number(one_ms(peer.name, 99)),
                number(rate(peer.name)),
                ratio(rate(peer.name), rate(BASE)),
                number(percentile(latencies, 50)),
                number(percentile(latencies, 99)),
                plus_minus(map(_journey_rate, calm(many))),
                f"{len(_latencies(results[peer.name][ONE]))} / {len(latencies)}",
                *extra[peer.name],
            ]
        )
    return table(head, rows)


def _journey_rate(load: JourneyLoad) -> float:
    return load.per_s


def _latencies(loads: list[JourneyLoad]) -> list[float]:
    return [value for load in calm(loads) for value in load.latencies_ms]


def _exchanged(results: dict[int, list[JourneyLoad]]) -> list[str]:
    """Requests, and kilobytes in and out, of one journey."""
    loads = [load for clients in CLIENTS for load in results[clients]]
    count = sum(load.count for load in loads) or 1
    received = sum(load.bytes_in for load in loads) / count / 1000
    sent = sum(load.bytes_out for load in loads) / count / 1000
    return [f"{sum(load.requests for load in loads) / count:.0f}", f"{received:.1f} / {sent:.1f}"]


def _problems(peer: Peer, loads: list[JourneyLoad]) -> str:
    errors = [error for load in loads for error in load.errors]
    boundary = sum(load.boundary for load in loads)
    text = ""
    if errors:
        text += f"\n{peer.title}: {len(errors)} journeys failed, the first: {errors[0]}\n"
    if boundary:
        text += f"\n{peer.title}: {boundary} journeys left out, their code's step passed.\n"
    return text
