"""The README's five minutes: its configuration, address and back-office path, with a real Caddy and Datasette."""

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from flask import Flask

from mfaportal.rules.cookie_names import on_guarded_host
from tests.browser.standing import Standing
from tests.clock import MovableClock
from tests.guarded import guard
from tests.people import Cast
from tests.plugins.tools import tool
from tests.proxies import passes
from tests.proxies.deployed import DEPLOY, changed
from tests.proxies.readme_walk import WALK
from tests.server import START_SECONDS, free_port

pytestmark = [pytest.mark.slow, pytest.mark.needs("caddy")]


@pytest.fixture
def host(standing: Standing, datasette_port: int, tmp_path: Path) -> Iterator[str]:
    """`data.localhost` with the port on which this Caddy listens."""
    port = free_port()
    portal, application = f"127.0.0.1:{standing.server.port}", f"127.0.0.1:{datasette_port}"
    for name, changes in {
        "mfaportal.caddy": {"127.0.0.1:8000": portal},
        "try.Caddyfile": {"127.0.0.1:8001": application, "localhost:8080": f"localhost:{port}"},
    }.items():
        (tmp_path / name).write_text(changed((DEPLOY / "caddy" / name).read_text(), changes))
    command = [tool("caddy"), "run", "--config", "try.Caddyfile", "--adapter", "caddyfile"]
    with (tmp_path / "log").open("wb") as log:
        running = subprocess.Popen(command, cwd=tmp_path, env={"HOME": str(tmp_path)}, stdout=log, stderr=log)
    try:
        _wait(port, running, tmp_path / "log")
        yield f"data.localhost:{port}"
    finally:
        running.terminate()
        running.wait(10)


def _wait(port: int, running: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert running.poll() is None, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(log.read_text())


def _get(host: str, path: str, cookie: str = "") -> tuple[int, str, str]:
    """Status, where it leads, and the page."""
    connection = HTTPConnection("127.0.0.1", int(host.rpartition(":")[2]), timeout=10)
    connection.request("GET", path, headers={"Host": host, "Cookie": cookie})
    answer = connection.getresponse()
    page = answer.read().decode()
    connection.close()
    return answer.status, answer.headers.get("Location", ""), page


def test_a_reader_sees_the_table_with_its_styles_and_not_what_is_for_editors(
    app: Flask, standing: Standing, people: Cast, clock: MovableClock, host: str
) -> None:
    assert "caddy run --config deploy/caddy/try.Caddyfile --adapter caddyfile" in WALK
    named = re.search(r"Addresses: `http://data\.localhost:8080`, back-office paths: `(/[^`]+)`", WALK)
    assert named
    guard(app, f"http://{host}", back_office=(named[1],))
    status, location, _page = _get(host, "/harbour/ships?_sort=name")
    assert status == 302
    assert location.startswith(f"{standing.server.settings['MFAPORTAL_PUBLIC_URL']}/log-in?next=http%3A%2F%2Fdata.")
    cookie = f"{on_guarded_host('pass', 'http', host)}={passes.give(people.reader, host, clock())}"
    status, _location, page = _get(host, "/harbour/ships?_sort=name", cookie)
    assert status == 200
    styles = re.findall(r'href="(/-/static/[^"]+\.css[^"]*)"', page)
    assert styles
    assert [_get(host, path, cookie)[0] for path in styles] == [200] * len(styles)
    assert _get(host, named[1], cookie)[0] == 403
