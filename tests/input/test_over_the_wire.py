"""Bad values in real requests, many at once: no worker dies, nothing hangs, nothing of the inside shows."""

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from tests.faults.length import either
from tests.input.values import BASE, UNESCAPED, Bad
from tests.input.wire import WireBrowser
from tests.people import Cast
from tests.server import Server

PARALLEL = 20
VALUES = either(1, 2)
"""How many of the bad values each of the twenty sends: half of all, or all of them."""
LONGEST = 10.0
"""Seconds for an answer while twenty others are waited for, on a machine that may be busy with other tests."""


def _workers(server: Server) -> set[int]:
    lines = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [line.split() for line in lines.splitlines()]
    return {int(pid) for pid, parent in pairs if int(parent) == server.pid}


def _health_takes(server: Server) -> float:
    started = time.monotonic()
    assert WireBrowser(server).get("/healthz").status == 200
    return time.monotonic() - started


def _post(browser: WireBrowser, path: str, csrf: str, field: str, value: Bad, *rest: bytes) -> list[str]:
    """What was wrong with the answer."""
    body = b"&".join(part for part in (f"csrf_token={csrf}".encode(), value.in_body(field), *rest) if part)
    started = time.monotonic()
    answer = browser.post(path, body)
    took = time.monotonic() - started
    faults = (
        [f"{path} {field} {value.what}: {answer.status}"] if answer.status not in (303, 400, 413, 422, 429) else []
    )
    faults += [f"{path} {field} {value.what}: {took:.1f} s"] if took > LONGEST else []
    return faults + [f"{path} {field} {value.what}: {text}" for text in UNESCAPED if text in answer.body]


def test_twenty_at_once_send_bad_values(server: Server, people: Cast) -> None:
    server.start(workers=2)
    before = _workers(server)
    assert len(before) == 2

    members = [WireBrowser(server) for _ in range(PARALLEL)]
    for member in members:  # one after the other: an attempt counts until it turned out right
        member.log_in(people.reader.email, people.reader.password)

    def person(number: int) -> list[str]:
        stranger, member = WireBrowser(server), members[number]
        csrf, stranger_csrf = member.csrf("/account"), stranger.csrf("/log-in")
        faults: list[str] = []
        for value in BASE[number::PARALLEL][:VALUES]:
            faults += _post(member, "/account", csrf, "name", value)
            faults += _post(stranger, "/log-in", stranger_csrf, "email", value, b"password=a+wrong+password")
            faults += _post(stranger, "/log-in", stranger_csrf, "password", value, b"email=a%d@example.org" % number)
        return faults

    with ThreadPoolExecutor(PARALLEL) as pool:
        faults = [fault for found in pool.map(person, range(PARALLEL)) for fault in found]
    assert not faults, "\n".join(faults)
    assert _workers(server) == before
    assert min(_health_takes(server) for _ in range(3)) < 1
    assert WireBrowser(server).get("/readyz").status == 200
    assert "Traceback" not in server.log
