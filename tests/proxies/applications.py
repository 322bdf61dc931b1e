"""What stands behind the proxies: an application that repeats what it is asked, a Datasette, and a WebSocket."""

import json
import re
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from tests.server import START_SECONDS, free_port

FILE = bytes(range(256)) * 400
"""What the echo serves at every path that ends in `.bin`, in ranges where they are asked for."""


@dataclass(frozen=True)
class Seen:
    """A request as the application got it: the path as it stood in the first line, each header in its own line."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    length: int

    def all(self, name: str) -> list[str]:
        """Every value under a name, taking _ for -, as many applications do."""
        return [value for key, value in self.headers if key.lower().replace("_", "-") == name.lower()]


class Echo(ThreadingHTTPServer):
    """Answers with what it saw, as JSON, and keeps the last requests in `seen`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: deque[Seen] = deque(maxlen=1000)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer
    server: Echo

    def handle_one_request(self) -> None:
        """Whatever the method is."""
        self.close_connection = True
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            return
        path = self.requestline.split(" ")[1]
        seen = Seen(self.command, path, list(self.headers.items()), self._length())
        self.server.seen.append(seen)
        if path.partition("?")[0].endswith(".bin"):
            self._give_file()
        elif path.startswith("/own-"):  # an application with a mind of its own: /own-401, /own-403
            self._answer(int(path[5:8]), b"the application's own words", "text/plain")
        else:
            self._answer(200, json.dumps(asdict(seen)).encode(), "application/json")
        self.wfile.flush()

    def _length(self) -> int:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            total = 0
            while size := int(self.rfile.readline().split(b";")[0], 16):
                total += len(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return total
        left = length = int(self.headers.get("Content-Length", 0))
        while left > 0 and (part := self.rfile.read(min(left, 1 << 20))):
            left -= len(part)
        return length - left

    def _give_file(self) -> None:
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if not found:
            self._answer(200, FILE, "application/octet-stream")
            return
        first, last = int(found[1]), int(found[2])
        where = f"bytes {first}-{last}/{len(FILE)}"
        self._answer(206, FILE[first : last + 1], "application/octet-stream", {"Content-Range": where})

    def _answer(self, status: int, body: bytes, kind: str, further: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(further or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def echo() -> Iterator[Echo]:
    server = Echo()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class Socket:
    """A WebSocket that repeats each message; `opened` has the headers of every handshake that came through."""

    def __init__(self) -> None:
        self.opened: list[dict[str, str]] = []
        self.server = serve(self._repeat, "127.0.0.1", 0, process_request=self._note)
        self.port = int(self.server.socket.getsockname()[1])

    def _note(self, _connection: ServerConnection, request: Request) -> Response | None:
        self.opened.append({name.lower(): value for name, value in request.headers.raw_items()})
        return None

    @staticmethod
    def _repeat(connection: ServerConnection) -> None:
        for message in connection:
            connection.send(message)


@contextmanager
def socket_echo() -> Iterator[Socket]:
    made = Socket()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()


@contextmanager
def datasette(folder: Path) -> Iterator[int]:
    """A real one over a small database: `/harbour/ships` has a row for each ship."""
    database = folder / "harbour.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE ships (id INTEGER PRIMARY KEY, name TEXT, berth TEXT)")
        ships = [("Ada", "north"), ("Grace", "south"), ("Hedy", "east")]
        connection.executemany("INSERT INTO ships (name, berth) VALUES (?, ?)", ships)
        connection.commit()
    port = free_port()
    with (folder / "datasette.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "datasette", "serve", str(database), "--port", str(port)],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(f"http://127.0.0.1:{port}/-/versions.json", process)
        yield port
    finally:
        process.terminate()
        process.wait(15)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "Datasette did not start"
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("Datasette does not answer")
