"""Many people at once, in a process of their own: what they measure is not slowed down by the test that looks on.

`Crowd(port, [script, …])` starts it, `result()` waits for its end: what every request was answered, and how fast.
Each request has a connection of its own, so that any worker may get it. Time counts from when it was due.
"""

import asyncio
import json
import re
import subprocess
import sys
import time
from dataclasses import asdict, astuple, dataclass, field
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from itertools import count
from tempfile import TemporaryFile
from typing import Any
from urllib.parse import urlencode

from mfaportal.plumbing.config import ROOT
from tests.people import Person
from tests.phone import Phone
from tests.races.arena import Browser

_CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')
_PATIENCE = 60


@dataclass
class Script:
    """`again`: one request over and over, until `seconds` are over; `log_in`: password, code and a page, once.

    `{n}` in headers and fields is another number in each request of the crowd.
    """

    what: str
    name: str
    at: float = 0.0
    seconds: float = 0.0
    every: float = 0.0
    """Seconds between two; 0: as soon as the one before is answered."""
    times: int = 0
    """How often, in place of `seconds`."""
    method: str = "GET"
    path: str = "/"
    headers: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    """What a browser that logs in has kept."""
    key: str = ""
    """The set-up key of whoever logs in; none: the password is enough."""


@dataclass(frozen=True)
class Seen:
    """One answer; status 0 where the line was cut."""

    name: str
    status: int
    ms: float
    retry_after: str
    at: float
    """Seconds since the crowd came, at the answer."""


def again(
    name: str, browser: Browser, path: str, *, seconds: float = 0.0, every: float = 0.0, times: int = 0, **fields: str
) -> Script:
    """The same request of one browser, again and again."""
    headers = {"Cookie": browser.cookie, "X-Forwarded-For": browser.address}
    sent = {"csrf_token": browser.csrf, **fields} if fields else {}
    method = "POST" if fields else "GET"
    return Script("again", name, 0.0, seconds, every, times, method, path, headers, sent)


def log_in(name: str, at: float, person: Person, address: str, **kept: str) -> Script:
    """Somebody at a browser that has kept these cookies, or none."""
    key = person.phone.key if person.phone else ""
    fields = {"email": person.email, "password": person.password}
    return Script("log_in", name, at, headers={"X-Forwarded-For": address}, fields=fields, cookies=kept, key=key)


class Crowd:
    """The process, from its start."""

    def __init__(self, port: int, scripts: list[Script]) -> None:
        self._told = TemporaryFile("w+")  # noqa: SIM115  # until its result is read
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.crowd"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=self._told,
            text=True,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"port": port, "scripts": [asdict(script) for script in scripts]}))
        self._process.stdin.close()

    @property
    def is_there(self) -> bool:
        return self._process.poll() is None

    def result(self) -> list[Seen]:
        with self._told as told:
            assert self._process.wait() == 0
            told.seek(0)
            return [Seen(*row) for row in json.load(told)]


def of(seen: list[Seen], *names: str) -> list[Seen]:
    return [each for each in seen if each.name in names]


def percentile(seen: list[Seen], part: float) -> float:
    """Milliseconds that so large a part of the answers did not take longer than."""
    took = sorted(each.ms for each in seen)
    return took[min(len(took) - 1, int(len(took) * part))]


class _Visitor:
    """Cookies, the form seen last, and what was answered."""

    def __init__(self, port: int, headers: dict[str, str], cookies: dict[str, str] | None = None) -> None:
        self._port = port
        self._headers = headers
        self._cookies = dict(cookies or {})
        self.csrf = self.retry_after = ""

    async def send(self, method: str, path: str, fields: dict[str, str]) -> int:
        try:
            return await asyncio.wait_for(self._send(method, path, urlencode(fields).encode()), _PATIENCE)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return 0

    async def _send(self, method: str, path: str, body: bytes) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(self._head(method, path, len(body)) + body)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            text = (await reader.read()).decode("utf-8", "replace")
        finally:
            writer.close()
        self._note(head[1:], text)
        return int(head[0].split(" ")[1])

    def _head(self, method: str, path: str, length: int) -> bytes:
        headers = {"Host": f"127.0.0.1:{self._port}", "Connection": "close", **self._headers}
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        if method == "POST":
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(length)}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        return "\r\n".join(lines).encode("latin-1")

    def _note(self, lines: list[str], text: str) -> None:
        self.retry_after = ""
        for name, _, value in (line.partition(": ") for line in lines):
            if name.lower() == "set-cookie":
                self._cookies |= {key: morsel.value for key, morsel in SimpleCookie(value).items()}
            elif name.lower() == "retry-after":
                self.retry_after = value
        found = _CSRF.search(text)
        self.csrf = found[1] if found else self.csrf


class _Played:
    """Scripts on their way."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._began = time.monotonic()
        self._numbers = count(1)
        self.seen: list[Seen] = []

    async def play(self, script: Script) -> None:
        await self._until(script.at)
        await (self._again(script) if script.what == "again" else self._log_in(script))

    async def _until(self, at: float) -> None:
        await asyncio.sleep(max(0.0, self._began + at - time.monotonic()))

    async def _again(self, script: Script) -> None:
        due, end, sent, left = script.at, script.at + script.seconds, set(), script.times
        while left or due < end:
            number, left = str(next(self._numbers)), max(0, left - 1)
            visitor = _Visitor(self._port, _with(number, script.headers))
            fields, when = _with(number, script.fields), due if script.every else None
            answer = self._one(script, visitor, when, script.method, script.path, fields=fields)
            if script.every:
                sent.add(asyncio.create_task(answer))
                due += script.every
                await self._until(due)
            else:
                await answer
                due = time.monotonic() - self._began
        await asyncio.gather(*sent)

    async def _log_in(self, script: Script) -> None:
        visitor, fields = _Visitor(self._port, script.headers, script.cookies), script.fields
        await self._one(script, visitor, script.at, "GET", "/log-in", "log-in page")
        if await self._one(script, visitor, None, "POST", "/log-in", "password", fields) != 303:
            return
        if script.key:
            await self._one(script, visitor, None, "GET", "/log-in/code", "code page")
            code = Phone(script.key).code(datetime.now(UTC))
            await self._one(script, visitor, None, "POST", "/log-in/code", "code", {"code": code})
        await self._one(script, visitor, None, "GET", "/account", "page")

    async def _one(
        self,
        script: Script,
        visitor: _Visitor,
        due: float | None,
        method: str,
        path: str,
        step: str = "",
        fields: dict[str, str] | None = None,
    ) -> int:
        began = time.monotonic() if due is None else self._began + due
        typed = {"csrf_token": visitor.csrf, **(fields or {})} if method == "POST" else {}
        status = await visitor.send(method, path, typed)
        name, now = f"{script.name} {step}".strip(), time.monotonic()
        self.seen.append(Seen(name, status, 1000 * (now - began), visitor.retry_after, now - self._began))
        return status


def _with(number: str, values: dict[str, str]) -> dict[str, str]:
    return {name: value.replace("{n}", number) for name, value in values.items()}


async def _play(port: int, scripts: list[dict[str, Any]]) -> list[Seen]:
    played = _Played(port)
    await asyncio.gather(*(played.play(Script(**script)) for script in scripts))
    return played.seen


if __name__ == "__main__":
    told = json.load(sys.stdin)
    found = asyncio.run(_play(told["port"], told["scripts"]))
    json.dump([list(astuple(each)) for each in found], sys.stdout)
