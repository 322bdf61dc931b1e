"""D14: clients that are slow, silent or gone, behind nginx with its defaults. Everybody else waits for nobody."""

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.faults.length import either
from tests.faults.lives import with_apps
from tests.faults.place import standing
from tests.plugins.figures import Figure
from tests.plugins.tools import tool
from tests.races.arena import Arena, Browser
from tests.server import free_port

pytestmark = pytest.mark.needs("nginx")
CLIENTS = 200
SECONDS = either(2.0, 30.0)
SOON = 0.5
"""Seconds within which 99 of 100 others have their answer."""
CONFIGURATION = """
pid {folder}/nginx.pid; error_log {folder}/error.log; daemon off; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    client_max_body_size 200m;
    location / {{
      proxy_pass http://127.0.0.1:{behind};
      proxy_set_header Host 127.0.0.1:{behind};
      proxy_set_header X-Forwarded-For $remote_addr;
    }}
  }}
}}
"""


@contextmanager
def nginx(place: Arena, folder: Path) -> Iterator[int]:
    """A proxy before the portal; its port."""
    port = free_port()
    settings = folder / "nginx.conf"
    settings.write_text(CONFIGURATION.format(folder=folder, port=port, behind=place.server.port))
    process = subprocess.Popen([tool("nginx"), "-e", str(folder / "start.log"), "-c", str(settings)])
    try:
        _until_it_answers(port)
        yield port
    finally:
        process.terminate()
        process.wait(15)


def _until_it_answers(port: int) -> None:
    until = time.monotonic() + 15
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.05)
        else:
            return


@pytest.fixture
def place(instance: Path, tmp_path: Path, owasp_hashes: None) -> Iterator[tuple[Arena, int]]:
    with standing(instance, tmp_path, workers=2) as made, nginx(made, tmp_path) as port:
        yield made, port


def _request(browser: Browser, path: str, port: int, fields: dict[str, str] | None = None) -> bytes:
    body = urlencode({"csrf_token": browser.csrf, **fields}).encode() if fields else b""
    lines = [f"{'POST' if fields else 'GET'} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Cookie: {browser.cookie}"]
    if fields:
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Crowd:
    """Connections of all kinds, kept open; a byte a second goes out on the slow ones."""

    def __init__(self, stack: ExitStack, port: int, browser: Browser) -> None:
        self._stop = threading.Event()
        whole = _request(browser, "/log-in", port, {"email": "slow@example.org", "password": "p" * 500})
        self._slow = [(self._open(stack, port), whole) for _ in range(CLIENTS)]
        for _ in range(CLIENTS):  # idle after an answer
            self._open(stack, port).sendall(_request(browser, "/healthz", port))
        for _ in range(20):  # half closed, in the middle of a head
            half = self._open(stack, port)
            half.sendall(b"GET /log-in HTTP/1.1\r\nHost: 127.0.0")
            half.shutdown(socket.SHUT_WR)
        self._thread = threading.Thread(target=self._drip)
        self._thread.start()
        stack.callback(self._end)

    @staticmethod
    def _open(stack: ExitStack, port: int) -> socket.socket:
        return stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))

    def _drip(self) -> None:
        sent = 0
        while not self._stop.wait(1):
            for connection, whole in self._slow:
                connection.sendall(whole[sent : sent + 1])
            sent += 1

    def _end(self) -> None:
        self._stop.set()
        self._thread.join()


def test_clients_that_are_slow_or_gone_harm_only_themselves(place: tuple[Arena, int], figure: Figure) -> None:
    _nobody_waits_for_them(place, figure)
    _a_lost_answer(place, figure)


def _nobody_waits_for_them(place: tuple[Arena, int], figure: Figure) -> None:
    portal, port = place
    browser = portal.logins(with_apps(portal, 1)[0], 1)[0]
    took, statuses = [], []
    with ExitStack() as stack:
        Crowd(stack, port, portal.browser())
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            began = time.monotonic()
            connection = HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("GET", "/account", headers={"Cookie": browser.cookie})
            statuses.append(connection.getresponse().status)
            connection.close()
            took.append(time.monotonic() - began)
            time.sleep(0.05)
    took.sort()
    middle, ninety_nine, last = took[len(took) // 2], took[int(0.99 * (len(took) - 1))], took[-1]
    figure(
        "D14 slow clients behind nginx",
        slow=CLIENTS,
        idle=CLIENTS,
        requests=len(took),
        failed=sum(status != 200 for status in statuses),
        most_ms_of_the_middle_one=round(middle * 1000),
        most_ms_of_99_in_100=round(ninety_nine * 1000),
        most_ms=round(last * 1000),
    )
    assert set(statuses) == {200}
    assert ninety_nine < SOON


def _a_lost_answer(place: tuple[Arena, int], figure: Figure) -> None:
    """The client is gone when its answer comes: the code is used, says so, and the next one works."""
    portal, port = place
    person, (phone,) = with_apps(portal, 1)
    browsers = portal.half_logins(person, 3)
    code = phone.code(portal.now())
    with socket.create_connection(("127.0.0.1", port), timeout=10) as gone:
        gone.sendall(_request(browsers[0], "/log-in/code", port, {"code": code}))
        until = time.monotonic() + 10
        while portal.apps(person)[0].last_step < 0:
            assert time.monotonic() < until, "the code was never taken"
            time.sleep(0.01)
    again = portal.fire([browsers[1].post("/log-in/code", code=code)])[0]
    later = portal.fire([browsers[2].post("/log-in/code", code=phone.code(portal.now(), 1))])[0]
    figure("D14 answers that were lost", lost=1, double_acceptances=int(again.status == 303))
    assert (again.status, "already used" in again.body) == (422, True)
    assert (later.status, later.location) == (303, "/")
