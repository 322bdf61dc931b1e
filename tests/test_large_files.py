"""The largest file there may be, up and down through a real server, whose memory stays as it is."""

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from mfaportal.models import Portal
from tests import rows
from tests.datasets import every, files, spooled
from tests.input.multipart import BOUNDARY, MULTIPART, multipart, text_part
from tests.people import Cast
from tests.server import Server
from tests.visitor import Visitor

BACK = "/portals/city-data/backoffice/datasets"
FILE = "/portals/city-data/datasets/zeros/file"
MB = 1024 * 1024
SIZE = 200 * MB
PIECE = bytes(MB)
SECONDS = 8
GROWTH = 30 * 1024
"""kB that a worker may take more at its highest, for a file of 200 MB."""


def _peaks(server: Server) -> dict[int, int]:
    """The most memory that each worker ever took, in kB."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        if re.search(rf"^PPid:\s+{server.pid}$", text, re.MULTILINE):
            peak = re.search(r"^VmHWM:\s+(\d+) kB", text, re.MULTILINE)
            found[int(status.parent.name)] = int(peak[1]) if peak else 0
    return found


def _form(csrf: str, title: str, length: int) -> Iterator[bytes]:
    """A form with a file of zeros, made while it is sent."""
    fields = [text_part("csrf_token", csrf), text_part("title", title), text_part("visibility", "public")]
    yield multipart(*fields).removesuffix(f"--{BOUNDARY}--\r\n".encode())
    yield f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="zeros.bin"\r\n\r\n'.encode()
    for _ in range(length // len(PIECE)):
        yield PIECE
    yield bytes(length % len(PIECE))
    yield f"\r\n--{BOUNDARY}--\r\n".encode()


def _wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)


class Sender:
    """An editor's browser that sends more than a page's form."""

    def __init__(self, server: Server, people: Cast) -> None:
        self._server = server
        visitor = Visitor(server)
        assert visitor.give_password(people.editor).status == 303
        self._cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
        found = re.search(r'name="csrf_token" value="([^"]+)"', visitor.get(f"{BACK}/new").body)
        visitor.close()
        assert found
        self._csrf = found[1]

    def upload(
        self, title: str, length: int, *, go_after: int = -1, go: Callable[[], None] = lambda: None
    ) -> tuple[int, str]:
        """Send a file of so many zeros; the answer's status and location. Go away in the middle, if told so."""
        with closing(HTTPConnection("127.0.0.1", self._server.port, timeout=30)) as connection:
            for number, piece in enumerate(self._wire(connection, title, length)):
                if number == go_after:
                    go()
                    return 0, ""
                connection.send(piece)
            with connection.getresponse() as answer:
                return answer.status, answer.headers.get("Location", "")

    def _wire(self, connection: HTTPConnection, title: str, length: int) -> Iterator[bytes]:
        pieces = list(_form(self._csrf, title, 0))
        whole = sum(map(len, pieces)) + length
        connection.putrequest("POST", f"{BACK}/new")
        for name, value in (("Cookie", self._cookie), ("Content-Type", MULTIPART), ("Content-Length", str(whole))):
            connection.putheader(name, value)
        connection.endheaders()
        yield from _form(self._csrf, title, length)


def test_200_mb_go_in_and_come_out_while_memory_stays_flat(
    server: Server, people: Cast, app: Flask, instance: Path
) -> None:
    server.start(workers=2)
    rows.put(app, update(Portal).values(visibility="public"))
    sender = Sender(server, people)
    for number in range(4):  # each worker has loaded by now what it loads once
        assert sender.upload(f"Small {number}", 100_000)[0] == 303
    before = _peaks(server)
    assert len(before) == 2
    started = time.monotonic()
    assert sender.upload("Zeros", SIZE) == (303, f"{BACK}/zeros")
    digest, length = hashlib.sha256(), 0
    download = HTTPConnection("127.0.0.1", server.port, timeout=30)
    download.request("GET", FILE)
    with download.getresponse() as file:
        assert file.status == 200
        while piece := file.read(MB):
            length += len(piece)
            digest.update(piece)
    took = time.monotonic() - started
    download.close()
    assert length == SIZE
    assert digest.hexdigest() == every(app)[-1].file_digest
    assert {pid: peak - before[pid] for pid, peak in _peaks(server).items() if peak - before[pid] > GROWTH} == {}
    assert took < SECONDS
    assert spooled(instance) == []
    (instance / "files" / digest.hexdigest()[:2] / digest.hexdigest()).unlink()


def test_a_client_that_goes_away_in_the_middle_leaves_nothing_and_a_start_sweeps_what_a_crash_left(
    server: Server, people: Cast, app: Flask, instance: Path
) -> None:
    left = instance / "spool" / "upload-of-yesterday"
    left.parent.mkdir()
    left.write_bytes(b"half")
    os.utime(left, (0, 0))
    server.start(workers=2)
    assert spooled(instance) == []
    sender, arrived = Sender(server, people), list[str]()

    def go() -> None:
        _wait_until(lambda: bool(spooled(instance)))
        arrived.extend(spooled(instance))

    assert sender.upload("Gone", 20 * MB, go_after=10, go=go) == (0, "")
    assert arrived, "nothing of it was ever there"
    _wait_until(lambda: not spooled(instance))
    assert (every(app), files(instance), spooled(instance)) == ([], {}, [])
    assert "Traceback" not in server.log
    assert server.flask("db", "current").returncode == 0


@pytest.fixture(autouse=True)
def _only_where_memory_can_be_read() -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("there is no /proc here")
