"""Many requests in one instant: connections are opened first, and threads of all workers wait at them.

Then all bytes leave within a fraction of a millisecond, from one loop: threads here would wait for each other.
"""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPResponse
from time import sleep
from urllib.parse import urlencode

TIMEOUT = 30
ACCEPTED = 0.05
"""Seconds that the workers have for taking up the connections. Who is slower takes part a moment later."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `cookies` are the Set-Cookie headers."""

    status: int
    location: str
    body: str
    cookies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """A request of one browser. `address` is what the trusted proxy in front says of it."""

    method: str
    path: str
    cookie: str
    address: str
    fields: dict[str, str] = field(default_factory=dict)
    raw: tuple[str, bytes] | None = None
    """Content type and body, in place of fields."""
    host: str = ""
    """In place of the server's own."""

    def wire(self, host: str) -> bytes:
        kind, body = self.raw or ("application/x-www-form-urlencoded", urlencode(self.fields).encode())
        body = body if self.method == "POST" else b""
        lines = [
            f"{self.method} {self.path} HTTP/1.1",
            f"Host: {self.host or host}",
            f"Cookie: {self.cookie}",
            f"X-Forwarded-For: {self.address}",
        ]
        if body:
            lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + body


def fire(port: int, requests: Sequence[Request]) -> list[Answer]:
    """Send all requests in one instant, each on a connection of its own; the answers in the requests' order."""
    host = f"127.0.0.1:{port}"
    wires = [request.wire(host) for request in requests]
    with _connections(port, len(wires)) as connections:
        sleep(ACCEPTED)
        for connection, wire in zip(connections, wires, strict=True):
            connection.sendall(wire)
        return [_read(connection, request.method) for connection, request in zip(connections, requests, strict=True)]


@contextmanager
def _connections(port: int, number: int) -> Iterator[list[socket.socket]]:
    made: list[socket.socket] = []
    try:
        for _ in range(number):
            connection = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made.append(connection)
        yield made
    finally:
        for connection in made:
            connection.close()


def _read(connection: socket.socket, method: str) -> Answer:
    with HTTPResponse(connection, method=method) as response:
        response.begin()
        body = response.read().decode("utf-8", "replace")
        cookies = tuple(response.headers.get_all("Set-Cookie") or ())
        return Answer(response.status, response.headers.get("Location", ""), body, cookies)
