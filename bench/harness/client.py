"""A small HTTP/1.1 browser stand-in: keep-alive, cookies, redirects, hidden fields.

Written on bare sockets so that the client costs the two-core machine little
and every byte on the wire can be counted. It sends `Secure` cookies over plain
HTTP, as a TLS-terminating proxy in front of the server would.
"""

from __future__ import annotations

import html
import re
import socket
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode, urlsplit

TIMEOUT_S = 30
REDIRECTS = 5

_INPUT = re.compile(r"<input\b[^>]*>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


class HTTPError(Exception):
    """The server did not answer as the step needs."""


@dataclass(slots=True)
class Response:
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    wire_bytes: int
    url: str

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def header(self, name: str) -> str:
        """The first header of that (lower-case) name, or the empty string."""
        return next((value for key, value in self.headers if key == name), "")

    def hidden(self) -> dict[str, str]:
        """Name and value of every hidden input; of equal names the first counts."""
        fields: dict[str, str] = {}
        for tag in _INPUT.findall(self.text):
            pairs = {key.lower(): a or b for key, a, b in _ATTRIBUTE.findall(tag)}
            if pairs.get("type", "").lower() == "hidden" and "name" in pairs:
                fields.setdefault(pairs["name"], html.unescape(pairs.get("value", "")))
        return fields


class Session:
    """One browser: a cookie jar and a keep-alive connection from `source`."""

    def __init__(self, port: int, source: str = "127.0.0.1") -> None:
        self.port = port
        self.source = source
        self.cookies: dict[str, str] = {}
        self.headers: dict[str, str] = {}
        self.requests = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self._socket: socket.socket | None = None
        self._buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        if self._socket:
            self._socket.close()
        self._socket = None
        self._buffer = b""

    def get(self, url: str, follow: bool = True) -> Response:
        return self._follow(self.request("GET", url), follow)

    def post(self, url: str, fields: dict[str, str], follow: bool = True) -> Response:
        return self._follow(self.request("POST", url, fields), follow)

    def auth_headers(self) -> dict[str, str]:
        """What another client must send to be taken for this session."""
        headers = dict(self.headers)
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        return headers

    def request(self, method: str, url: str, fields: dict[str, str] | None = None) -> Response:
        """One exchange, redirects not followed; a dropped idle connection is reopened once."""
        host = f"127.0.0.1:{self.port}"
        lines = [f"{method} {url} HTTP/1.1", f"Host: {host}", "Accept: text/html,*/*"]
        lines += [f"{key}: {value}" for key, value in self.auth_headers().items()]
        body = b""
        if fields is not None:
            body = urlencode(fields).encode()
            lines += [
                f"Origin: http://{host}",
                "Content-Type: application/x-www-form-urlencoded",
                f"Content-Length: {len(body)}",
            ]
        message = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        reused = self._socket is not None
        try:
            response = self._exchange(message, url)
        except (ConnectionError, EOFError):
            self.close()
            if not reused:
                raise
            response = self._exchange(message, url)
        self.requests += 1
        self.bytes_out += len(message)
        self.bytes_in += response.wire_bytes
        self._store_cookies(response)
        if response.header("connection").lower() == "close":
            self.close()
        return response

    def _follow(self, response: Response, follow: bool) -> Response:
        hops = 0
        while follow and response.status in (301, 302, 303, 307, 308):
            hops += 1
            if hops > REDIRECTS:
                raise HTTPError(f"too many redirects at {response.url}")
            parts = urlsplit(response.header("location"))
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            response = self.request("GET", target)
        return response

    def _exchange(self, message: bytes, url: str) -> Response:
        if self._socket is None:
            self._socket = socket.create_connection(
                ("127.0.0.1", self.port), timeout=TIMEOUT_S, source_address=(self.source, 0)
            )
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(message)
        head = self._read_until(b"\r\n\r\n")
        first, *rest = head[:-4].decode("latin-1").split("\r\n")
        headers = []
        for line in rest:
            key, _, value = line.partition(":")
            headers.append((key.lower(), value.strip()))
        response = Response(int(first.split(" ", 2)[1]), headers, b"", len(head), url)
        if length := response.header("content-length"):
            response.body = self._read(int(length))
            response.wire_bytes += len(response.body)
        elif response.header("transfer-encoding").lower() == "chunked":
            self._read_chunks(response)
        elif response.status not in (204, 304):
            response.body = self._read_to_end()
            response.wire_bytes += len(response.body)
        return response

    def _read_chunks(self, response: Response) -> None:
        parts = []
        while True:
            line = self._read_until(b"\r\n")
            size = int(line.split(b";")[0], 16)
            parts.append(self._read(size))
            self._read(2)
            response.wire_bytes += len(line) + size + 2
            if size == 0:
                break
        response.body = b"".join(parts)

    def _fill(self) -> None:
        if self._socket is None:
            raise EOFError("no connection")
        data = self._socket.recv(65536)
        if not data:
            raise EOFError("connection closed by the server")
        self._buffer += data

    def _read(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._fill()
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def _read_until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            self._fill()
        return self._read(self._buffer.index(mark) + len(mark))

    def _read_to_end(self) -> bytes:
        try:
            while True:
                self._fill()
        except EOFError:
            data = self._buffer
            self.close()
            return data

    def _store_cookies(self, response: Response) -> None:
        for key, value in response.headers:
            if key != "set-cookie":
                continue
            pair, *attributes = value.split(";")
            name, _, content = pair.partition("=")
            flags = [attribute.strip().lower() for attribute in attributes]
            if "max-age=0" in flags or any("01 jan 1970" in flag for flag in flags):
                self.cookies.pop(name.strip(), None)
            else:
                self.cookies[name.strip()] = content
