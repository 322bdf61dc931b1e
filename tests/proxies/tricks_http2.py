"""Tricks that only HTTP/2 allows, where a header may hold anything: a proxy has to write it down as HTTP/1.1 again.

The words in angle brackets are those of `tricks`. The frames are made here to the byte: no client would send them.
"""

import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Fields = tuple[tuple[str, str], ...]
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _GO_AWAY = 0, 1, 3, 4, 7
_END_STREAM, _END_HEADERS, _ACKNOWLEDGED = 1, 4, 1
_FIRST = 1
_LENGTH_OF_HEAD = 9
_SEVEN_BITS = 127


@dataclass(frozen=True, slots=True)
class Trick2:
    name: str
    path: Fields = ((":path", "<WANTED>"),)
    host: Fields = ((":authority", "<HOST>"),)
    fields: Fields = ()
    cookie: Fields = (("cookie", "<NAME>=<PASS>"),)
    method: str = "GET"
    scheme: str = "https"
    body: str = ""

    def sent(self, words: Mapping[str, str]) -> bytes:
        """All frames of the connection."""
        fields = (
            (":method", self.method),
            (":scheme", self.scheme),
            *self.host,
            *self.path,
            *self.cookie,
            *self.fields,
        )
        block = b"".join(b"\0" + _text(name, words) + _text(value, words) for name, value in fields)
        body = _filled(self.body, words)
        flags = _END_HEADERS | (0 if body else _END_STREAM)
        frames = _PREFACE + _frame(_SETTINGS, 0, 0, b"") + _frame(_HEADERS, flags, _FIRST, block)
        return frames + (_frame(_DATA, _END_STREAM, _FIRST, body) if body else b"")


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def _filled(text: str, words: Mapping[str, str]) -> bytes:
    for word, value in words.items():
        text = text.replace(word, value)
    return text.encode("latin-1")


def _text(text: str, words: Mapping[str, str]) -> bytes:
    """A string literal of HPACK (RFC 7541 §5.2), without Huffman's code."""
    value = _filled(text, words)
    left = len(value)
    if left < _SEVEN_BITS:
        return bytes([left]) + value
    length, left = bytes([_SEVEN_BITS]), left - _SEVEN_BITS
    while left > _SEVEN_BITS:
        length, left = length + bytes([left % 128 + 128]), left // 128
    return length + bytes([left]) + value


def exchange(port: int, host: str, context: ssl.SSLContext, request: bytes) -> bool:
    """Send the frames to a proxy; whether it answered them, rather than broke off."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
    ):
        connection.sendall(request)
        try:
            return any(kind == _HEADERS for kind in _until_done(connection))
        except OSError:
            return False


def _until_done(connection: socket.socket) -> Iterator[int]:
    """The kinds of the frames that come, until the first stream or the connection ends."""
    held = b""
    while data := connection.recv(1 << 16):
        held += data
        while len(held) >= _LENGTH_OF_HEAD and len(held) >= (
            end := _LENGTH_OF_HEAD + int.from_bytes(held[:3], "big")
        ):
            kind, flags = held[3], held[4]
            held = held[end:]
            yield kind
            if kind == _SETTINGS and not flags & _ACKNOWLEDGED:
                connection.sendall(_frame(_SETTINGS, _ACKNOWLEDGED, 0, b""))
            if kind in (_RESET, _GO_AWAY) or (kind in (_DATA, _HEADERS) and flags & _END_STREAM):
                return


_INSIDE = "GET /admin/inside HTTP/1.1\r\nHost: <HOST>\r\nRemote-User: <ADMIN>\r\n\r\n"
_LINES = "x\r\nRemote-User: <ADMIN>"


def _to(path: str, name: str) -> Trick2:
    return Trick2(name, path=((":path", path),))


def _at(name: str, *host: tuple[str, str], path: str = "<WANTED>") -> Trick2:
    return Trick2(name, host=host, path=((":path", path),))


def _with(name: str, *fields: tuple[str, str], method: str = "GET", body: str = "") -> Trick2:
    return Trick2(name, fields=fields, method=method, body=body)


TRICKS_2 = (
    _to("admin/users", "no slash in front"),
    _to("", "no path"),
    _to("https://<HOST>/admin/users", "a whole address"),
    _to("https://<OTHER>/admin/users", "a whole address of another host"),
    _to("/admin /users", "a space"),
    _to("/x HTTP/1.1\r\nX-Forwarded-Uri: /\r\n\r\n", "a line's end in the path"),
    _to("/x HTTP/1.1\r\n\r\n" + _INSIDE, "a request in the path"),
    _to("/admin\0/users", "a null"),
    _to("/public/../admin/users", "two dots"),
    _to("/public/..\\admin/users", "two dots and a backslash"),
    _to("/%61dmin/users", "a letter encoded"),
    _to("//admin/users", "two slashes in front"),
    _to("/admin#/users", "a fragment"),
    _to("/.mfaportal/../admin/users", "dots behind the open path"),
    Trick2("two paths", path=((":path", "/admin/users"), (":path", "/"))),
    Trick2("two paths, the harmless one first", path=((":path", "/"), (":path", "/admin/users"))),
    Trick2("two methods", fields=((":method", "OPTIONS"),)),
    Trick2("another scheme", scheme="http"),
    Trick2("a scheme and more", scheme="https://<OTHER>/?"),
    _at("another host beside", (":authority", "<HOST>"), ("host", "<OTHER>")),
    _at("this host beside another", (":authority", "<OTHER>"), ("host", "<HOST>"), path="/public/page"),
    _at("only the old header", ("host", "<HOST>")),
    _at("two hosts", (":authority", "<HOST>"), (":authority", "<OTHER>")),
    _at("two hosts, the open one first", (":authority", "<OTHER>"), (":authority", "<HOST>")),
    _at("two old hosts", ("host", "<OTHER>"), ("host", "<HOST>")),
    _at("a name before the host", (":authority", "<OTHER>@<HOST>")),
    _at("a path in the host", (":authority", "<HOST>/public")),
    _at("a line's end in the host", (":authority", "<HOST>\r\nX-Forwarded-Host: <OTHER>")),
    _at("no host"),
    _with("a line's end in a header", ("x-nothing", _LINES)),
    _with("a new line in a header", ("x-nothing", "x\nRemote-User: <ADMIN>")),
    _with("a line's end in a header's name", ("x: x\r\nremote-user", "<ADMIN>")),
    _with("a colon in a header's name", ("remote-user: <ADMIN>\r\nx", "x")),
    _with("a space in a header's name", ("remote-user ", "<ADMIN>")),
    _with("capitals in a header's name", ("Remote-User", "<ADMIN>")),
    _with("an underscore in a header's name", ("remote_user", "<ADMIN>")),
    _with("a user", ("remote-user", "<ADMIN>")),
    _with("a user as a pseudo header", (":remote-user", "<ADMIN>")),
    _with("another path", ("x-forwarded-uri", "/")),
    _with("a user that a hop takes away", ("connection", "remote-user, x-forwarded-uri"), ("remote-user", "<ADMIN>")),
    _with("a line's end in a cookie", ("cookie", "a=b\r\nRemote-User: <ADMIN>")),
    _with("chunks", ("transfer-encoding", "chunked"), method="POST", body="0\r\n\r\n" + _INSIDE),
    _with("a length that is too short", ("content-length", "0"), method="POST", body=_INSIDE),
    _with("two lengths", ("content-length", "0"), ("content-length", "99"), method="POST", body=_INSIDE),
    _with("a length in a line of its own", ("x", "x\r\nContent-Length: 0"), method="POST", body=_INSIDE),
    _with("a body of a get", body=_INSIDE),
    Trick2("connect", method="CONNECT"),
    Trick2("connect to WebSocket", method="CONNECT", fields=((":protocol", "websocket"),)),
    Trick2("a cookie in crumbs", cookie=(("cookie", "a=b"), ("cookie", "<NAME>=<PASS>"), ("cookie", "c=d"))),
    Trick2("a method and more", method="GET /admin/users HTTP/1.1\r\nX: x\r\n\r\nGET"),
)
