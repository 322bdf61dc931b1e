"""Many requests in a short time: a client that sends them one behind the other, and an application that echoes."""

import asyncio
import contextlib
import re
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_AT_ONCE = 50
BETWEEN = b"\x1f"


@contextmanager
def echoing(*names: bytes) -> Iterator[int]:
    """An application on the port given: it answers with the target as it came, and with these headers' values."""
    listening = socket.create_server(("127.0.0.1", 0))
    loop, stopped = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        async with await loop.create_server(lambda: _Echo(names), sock=listening):
            await stopped.wait()

    def run() -> None:  # the thread of the tests may have a loop of its own, for browsers
        with contextlib.closing(loop):
            loop.run_until_complete(serve())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(10)


class _Echo(asyncio.Protocol):
    def __init__(self, names: Sequence[bytes]) -> None:
        self._names = [re.compile(rb"\r\n" + name + rb": *([^\r]*)\r", re.IGNORECASE) for name in names]
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while b"\r\n\r\n" in self._held:
            head, _, self._held = self._held.partition(b"\r\n\r\n")
            target = head.partition(b" ")[2].partition(b"\r\n")[0].rpartition(b" ")[0]
            found = (pattern.search(head + b"\r") for pattern in self._names)
            body = BETWEEN.join([target, *(one[1] if one else b"" for one in found)])
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


def answers(port: int, host: str, targets: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """Status and body for each target. Where the other end hangs up, the rest is sent anew."""
    done: list[tuple[int, bytes]] = []
    while len(done) < len(targets):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            before = len(done)
            _exchange(connection, host, targets, done)
        assert len(done) > before, f"no answer to {targets[before]!r}"
    return done


def _exchange(connection: socket.socket, host: str, targets: Sequence[bytes], done: list[tuple[int, bytes]]) -> None:
    held = b""
    while len(done) < len(targets):
        batch = targets[len(done) : len(done) + _AT_ONCE]
        wanted = len(done) + len(batch)
        connection.sendall(b"".join(b"GET %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (each, host.encode()) for each in batch))
        while len(done) < wanted:
            try:
                data = connection.recv(1 << 18)
            except ConnectionResetError:
                return
            if not data:
                return
            held = _taken(held + data, done)


def _taken(held: bytes, done: list[tuple[int, bytes]]) -> bytes:
    """Move whole answers out of what has come."""
    while (end := held.find(b"\r\n\r\n")) >= 0:
        length = _LENGTH.search(held, 0, end)
        size = int(length[1]) if length else 0
        if len(held) < end + 4 + size:
            break
        done.append((int(held[9:12]), held[end + 4 : end + 4 + size]))
        held = held[end + 4 + size :]
    return held
