"""Requests that make no sense, drawn from the URL map: odd paths, methods, queries, headers, bodies. Seeded."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from flask import Flask
from werkzeug.routing import Rule

from tests.input.multipart import MULTIPART, multipart, text_part
from tests.input.values import BASE

METHODS = ("GET", "GET", "POST", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "get")
NUMBERS = (
    "1",
    "2",
    "0",
    "-1",
    "01",
    "9" * 19,
    "9" * 4000,
    "\uff11",
    "1.0",
    "1e3",
    "²",
    "0x1",
    "1%00",
    "1 ",
    "%31",
    "1;a",
)
SLUGS = (
    "city-data",
    "nothing",
    "-",
    "..",
    "%2e%2e",
    "%2f",
    "a%00b",
    "A",
    "é",
    "%ff",
    "a" * 300,
    "%0d%0aX:1",
    "{{7*7}}",
)
TOKENS = ("x", "a" * 43, "_" * 43, "%00", "..", "<script>", "a" * 3000, "é" * 43)
VALUES = tuple(value.text for value in BASE if value.text is not None and len(value.text) < 2000)
NAMES = (
    *(
        "csrf_token",
        "next",
        "email",
        "password",
        "name",
        "code",
        "q",
        "page",
        "after",
        "role",
        "mfa",
        "requests",
        "login",
    ),
    *(
        "since",
        "until",
        "kind",
        "file",
        "decision",
        "policy",
        "mfa_rule",
        "visibility",
        "version",
        "names[]",
        "",
        "é",
    ),
)
HEADERS: dict[str, Sequence[str]] = {
    "Host": (
        "127.0.0.1:8000",
        "evil.example",
        'a"b<c>',
        "",
        "127.0.0.1:8000@x",
        "[::1]:8000",
        "127.0.0.1:99999",
        "é",
    ),
    "Accept": ("application/json", "*/*;q=nan", "text/html;q=2, , ;", ",", "a/b;" * 400, "\x01"),
    "Accept-Language": ("fr", "x" * 5000, "*;q=0"),
    "Accept-Encoding": ("gzip;q=1e309", "br, gzip", ""),
    "Cookie": (
        "a",
        "=",
        ";;;",
        "mfaportal=a.b.c",
        "mfaportal-8000=" + "a" * 7000,
        "mfaportal=\xff",
        "a=b; a=c; $Version=1",
    ),
    "Range": ("bytes=0-", "bytes=-1", "bytes=9-1", "bytes=0-0,1-1", "items=1", "bytes=" + "0-0," * 500, "bytes=a-b"),
    "If-Range": ('"x"', "yesterday", ""),
    "If-None-Match": ("*", 'W/"x"', '"' * 99, ","),
    "If-Modified-Since": ("Mon, 99 Foo 2026 25:61:61 GMT", "Thu, 31 Dec 2026 23:59:60 GMT", "0", "\xff"),
    "If-Match": ("*", '"x"'),
    "Content-Type": (
        "application/json",
        "multipart/form-data",
        "text/xml",
        "x",
        "a/b; charset=utf-7",
        "multipart/form-data; boundary=",
    ),
    "Content-Length": ("-1", "1e3", "99999999999", "0", "x"),
    "Transfer-Encoding": ("chunked", "gzip, chunked", "x"),
    "X-Requested-With": ("XMLHttpRequest",),
    "X-Forwarded-For": ("127.0.0.1", "a, b, , c", "::ffff:1", "1" * 4000),
    "X-Forwarded-Host": ("evil.example",),
    "X-Forwarded-Proto": ("https, http", "\t"),
    "Referer": ("http://evil.example/", "http://127.0.0.1:8000/", "javascript:1", "\xff"),
    "Origin": ("null", "http://evil.example"),
    "Authorization": ("Basic !!!", "Bearer " + "x" * 3000, "Digest a=b, ,c"),
    "User-Agent": ("", "x" * 7000, "<script>alert(1)</script>", "\xff\xfe"),
    "Date": ("never",),
    "Expect": ("100-continue", "x"),
    "Upgrade": ("websocket",),
}


@dataclass(frozen=True)
class Nonsense:
    method: str
    path: str
    options: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path[:120]} {str(self.options)[:400]}"


class Drawer:
    """Draws from one seed, so that what broke can be drawn again."""

    def __init__(self, app: Flask, seed: int) -> None:
        self.chance = random.Random(seed)
        self.rules = sorted(app.url_map.iter_rules(), key=str)

    def draw(self, csrf: str) -> Nonsense:
        chance = self.chance
        path = self._path(chance.choice(self.rules))
        method = chance.choice(METHODS)
        headers = {
            name: chance.choice(HEADERS[name]) for name in chance.sample(sorted(HEADERS), chance.choice((0, 1, 2, 4)))
        }
        options: dict[str, Any] = {"headers": {**headers}}
        if method not in ("GET", "HEAD", "get"):
            options |= self._body(csrf)
        return Nonsense(method, path, options)

    def _path(self, rule: Rule) -> str:
        parts = []
        for is_variable, text in rule._trace:
            if text == "|":
                continue
            parts.append(self._value(rule, text) if is_variable else text)
        path = "".join(parts)
        match self.chance.randrange(12):
            case 0:
                path = path.replace("/", "//", 1)
            case 1:
                path += self.chance.choice(("/", "//", "/.", "/..", ";a=b", "%20", "%00", "/x", ".csv"))
            case 2:
                path = path.upper()
        if self.chance.random() < 0.4:
            fields = [
                (self.chance.choice(NAMES), self.chance.choice(VALUES)[:300])
                for _ in range(self.chance.randrange(1, 4))
            ]
            path += "?" + urlencode(fields)
        elif self.chance.random() < 0.1:
            path += self.chance.choice(
                ("?", "?%", "?a=%ff", "?&&&", "?=", "?next=//evil.example", "?next=%0d%0a", "#x")
            )
        return path

    def _value(self, rule: Rule, name: str) -> str:
        kind = type(rule._converters[name]).__name__.lower()
        values = NUMBERS if "int" in kind or "number" in kind else (*SLUGS, *TOKENS)
        if self.chance.random() < 0.35:
            return "1" if values is NUMBERS else "city-data"
        if self.chance.random() < 0.1:
            return quote(self.chance.choice(VALUES)[:200])
        return self.chance.choice(values)

    def _body(self, csrf: str) -> dict[str, Any]:
        fields = [(self.chance.choice(NAMES), self.chance.choice(VALUES)) for _ in range(self.chance.randrange(5))]
        if self.chance.random() < 0.7:
            fields.append(("csrf_token", csrf))
        match self.chance.randrange(6):
            case 0:
                return {"data": self.chance.randbytes(self.chance.randrange(200))}
            case 1:
                return {"data": self.chance.randbytes(80), "content_type": MULTIPART}
            case 2:
                texts = [text_part(name, value) for name, value in fields]
                return {"data": multipart(*texts)[: self.chance.choice((None, 40, -5))], "content_type": MULTIPART}
            case 3:
                return {"data": b'{"code": 1', "content_type": "application/json"}
            case _:
                return {"data": urlencode(fields), "content_type": "application/x-www-form-urlencoded"}
