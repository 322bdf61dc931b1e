"""HTTP as it goes over the wire: requests written byte by byte, and a small browser for a running server."""

import http.client
import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from tests.server import Server

SECONDS = 20


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: str

    @property
    def location(self) -> str:
        return self.headers.get("Location", "")


def _read(response: http.client.HTTPResponse) -> Answer:
    with response:
        return Answer(response.status, response.headers, response.read().decode(errors="replace"))


def host_of(server: Server) -> str:
    return urlsplit(server.url).netloc


def raw(server: Server, request: bytes, *pieces: bytes) -> Answer:
    """Send bytes as they are, on a connection of their own, and read the answer to them."""
    parts = urlsplit(server.url)
    assert parts.hostname is not None
    assert parts.port is not None
    with socket.create_connection((parts.hostname, parts.port), timeout=SECONDS) as connection:
        for piece in (request, *pieces):
            connection.sendall(piece)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return _read(response)


def head(server: Server, line: str, *headers: str) -> bytes:
    """A request's line and headers, the right `Host` among them, and the empty line."""
    lines = [line, f"Host: {host_of(server)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")


@dataclass
class WireBrowser:
    """Keeps cookies. Each request has a connection of its own; redirects are not followed."""

    server: Server
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Answer:
        return self.open("GET", path, headers=headers)

    def open(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: dict[str, str] | None = None,
        *,
        chunked: bool = False,
    ) -> Answer:
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **(headers or {})}
        sent = {name: value for name, value in sent.items() if value}
        with closing(http.client.HTTPConnection(host_of(self.server), timeout=SECONDS)) as connection:
            connection.request(method, path, body, sent, encode_chunked=chunked)
            response = connection.getresponse()
            for cookie in response.headers.get_all("Set-Cookie", []):
                name, _, value = cookie.partition(";")[0].partition("=")
                self.cookies[name] = value
            return _read(response)

    def post(self, path: str, fields: dict[str, str] | bytes, **headers: str) -> Answer:
        body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        return self.open("POST", path, body, headers)

    def csrf(self, path: str) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(path).body)
        assert found, path
        return found[1]

    def submit(self, path: str, **fields: str) -> Answer:
        """Open a page with a form and send it."""
        return self.post(path, {"csrf_token": self.csrf(path), **fields})

    def log_in(self, email: str, password: str) -> Answer:
        answer = self.submit("/log-in", email=email, password=password)
        assert answer.status == 303, answer.body
        return answer


def megabytes(number: int) -> Iterator[bytes]:
    """A body of this many megabytes, in pieces of 64 kB."""
    yield from (b"a" * 65_536 for _ in range(number * 16))
