"""Opens the pages of an installation with a million accounts as a browser would, and says how long they take."""

import base64
import hashlib
import hmac
import re
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bench.million import population as town
from bench.million.seed import PASSWORD

ORIGIN = "http://127.0.0.1:8000"
_MIB = 1024


def _day(ago: int) -> str:
    return str((datetime.now(UTC) - timedelta(days=ago)).date())


_ACCESS = "/portals/portal/backoffice/access"
FILES = (
    ("People of the portal", "admin", f"{_ACCESS}/users.csv"),
    ("… with “anna” and without an app", "admin", f"{_ACCESS}/users.csv?q=anna&mfa=not_set_up"),
    ("… who are not there", "admin", f"{_ACCESS}/users.csv?q=xyzzy"),
    ("Events of the portal", "admin", f"{_ACCESS}/activity.csv"),
    ("… of a day", "admin", f"{_ACCESS}/activity.csv?from={_day(300)}&to={_day(300)}"),
    ("Events of everything, settings, JSON lines", "operator", "/installation/activity.jsonl?kind=settings"),
)
"""What is measured as a file, and who takes it."""
_FIELD = re.compile(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"')


@dataclass(frozen=True)
class Timed:
    """What one page took, in milliseconds: half of the requests less than `p50`, all but one in twenty than `p95`.

    `cpu`: the same as `p95`, of this process' own time alone, which other programs do not lengthen.
    """

    name: str
    p50: float
    p95: float
    cpu: float
    worst: str
    """The address that took longest."""


@dataclass(frozen=True)
class Sent:
    """What a file took: until its first byte in milliseconds, in all in seconds."""

    name: str
    first: float
    whole: float
    megabytes: float
    grew: float
    """MiB that the process needed more at its highest than before."""


class Visitor:
    """A browser that is logged in, with its one-time code."""

    def __init__(self, app: Flask, who: str, key: str) -> None:
        self.client: FlaskClient = app.test_client()
        self._email, self._key = f"{who}@bench.example.org", key
        self._steps = 0

    def log_in(self) -> float:
        """The whole log-in; how long it took, in milliseconds. Each uses a code of its own: steps are not reused."""
        began = time.perf_counter()
        self._post("/log-in", {"email": self._email, "password": PASSWORD})
        answer = self._post("/log-in/code", {"code": self._code()})
        if answer.status_code not in {302, 303} or "/log-in" in answer.headers["Location"]:
            raise SystemExit(f"{self._email} could not log in: {answer.status_code} {answer.headers.get('Location')}")
        return (time.perf_counter() - began) * 1000

    def get(self, path: str) -> TestResponse:
        answer = self.client.get(path, base_url=ORIGIN)
        if answer.status_code != 200:  # noqa: PLR2004
            raise SystemExit(f"{path} answered {answer.status_code}")
        return answer

    def post(self, path: str, values: dict[str, str]) -> TestResponse:
        return self._post(path, values)

    def _post(self, path: str, values: dict[str, str]) -> TestResponse:
        page = self.client.get(path, base_url=ORIGIN).get_data(as_text=True)
        return self.client.post(path, base_url=ORIGIN, data={**dict(_FIELD.findall(page)), **values})

    def _code(self) -> str:
        counter = int(time.time()) // 30 + self._steps
        mac = hmac.new(base64.b32decode(self._key), counter.to_bytes(8, "big"), hashlib.sha1).digest()
        at = mac[-1] & 15
        return f"{(int.from_bytes(mac[at : at + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


def timed(name: str, ask: Callable[[str], object], paths: list[str], times: int) -> Timed:
    """Each address once unmeasured, then all of them in turn."""
    for path in paths:
        ask(path)
    took: list[tuple[float, float, str]] = []
    for number in range(max(times, len(paths) * 2)):
        path = paths[number % len(paths)]
        wall, cpu = time.perf_counter(), time.process_time()
        ask(path)
        took.append((time.perf_counter() - wall, time.process_time() - cpu, path))
    walls = sorted(wall for wall, _cpu, _path in took)
    return Timed(
        name,
        statistics.median(walls) * 1000,
        walls[int(len(walls) * 0.95)] * 1000,
        sorted(cpu for _wall, cpu, _path in took)[int(len(took) * 0.95)] * 1000,
        max(took)[2],
    )


def sent(name: str, visitor: Visitor, path: str) -> Sent:
    """A file, read as it comes and thrown away."""
    Path("/proc/self/clear_refs").write_text("5", "ascii")
    before, began = _memory("VmRSS"), time.perf_counter()
    answer = visitor.client.get(path, base_url=ORIGIN, buffered=False)
    chunks: Iterator[bytes] = iter(answer.response)  # type: ignore[arg-type]
    size = len(next(chunks))
    first = time.perf_counter() - began
    for chunk in chunks:
        size += len(chunk)
    answer.close()
    took = time.perf_counter() - began
    return Sent(name, first * 1000, took, size / 1_000_000, (_memory("VmHWM") - before) / _MIB)


def _memory(name: str) -> int:
    """In KiB."""
    found = re.search(rf"{name}:\s+(\d+)", Path("/proc/self/status").read_text("ascii"))
    return int(found[1]) if found else 0


def raised(visitor: Visitor) -> float:
    """An admin has the rule cover everybody: the page and its form, in milliseconds.

    A million people are mailed later, by a job that the form leaves behind.
    """
    began = time.perf_counter()
    answer = visitor.post(f"{_ACCESS}/security", {"mfa_rule": "everyone", "visibility": "private"})
    if answer.status_code != 303:  # noqa: PLR2004
        raise SystemExit(f"the rule was not raised: {answer.status_code}")
    return (time.perf_counter() - began) * 1000


def _queries(path: str, *queries: str) -> list[str]:
    return [f"{path}?{query}" for query in queries]


def pages() -> dict[str, tuple[str, list[str]]]:
    """Who asks, and for what."""
    users, accounts = f"{_ACCESS}/users", "/installation/accounts"
    small = "/portals/portal-3/backoffice/access/users"
    mine, everything = f"{_ACCESS}/activity", "/installation/activity"
    deep = [f"after={town.ACCOUNTS * part // 100 + 3}" for part in (1, 25, 50, 75, 99)]
    middle = [f"after={town.EVENTS * part // 10}" for part in (9, 5, 1)]
    common = ("q=anna", "q=zoto", "q=mail.example.org", "q=steinber", "q=example", "q=ti")
    rare = ("q=anna.albermann77", "q=7777", "q=Zo%C3%AB+S", "q=%E6%9D%8E%E6%98%8E", "q=bench", "q=alberg1000")
    absent = ("q=nobody+at+all", "q=qqq", "q=xyzzy", "q=zq", "q=%C4%87%C4%87", "q=anna.albermann77x")
    short = ("q=a", "q=z", "q=an", "q=zo", "q=%E6%9D%8E", "q=q", "q=b1")
    filters = ("role=reader", "role=editor", "role=admin", "role=operator", "mfa=set_up", "mfa=not_set_up",
               "mfa=missing", "role=editor&mfa=set_up", "role=admin&mfa=missing")  # fmt: skip
    both = [f"{q}&{f}" for q in ("q=anna", "q=zoto", "q=7777", "q=xyzzy", "q=a") for f in filters]
    days = (f"from={_day(300)}&to={_day(298)}", f"from={_day(600)}&to={_day(600)}", "from=2010-01-01&to=2010-02-01",
            f"from={_day(400)}", f"to={_day(500)}", "to=2001-01-01")  # fmt: skip
    people = ("person=anna.albermann77", "person=7777", "person=bench", "person=123456", "person=anna", "person=zoto",
              "person=xyzzy", "person=a")  # fmt: skip
    kinds = ("kind=people", "kind=datasets", "kind=settings")
    more = ("kind=logins", "kind=methods", "kind=accounts")
    mixed = [f"{k}&{d}" for k in kinds for d in days] + [f"{k}&{p}" for k in kinds for p in people]
    mixed += [f"{p}&{d}" for p in people for d in days[:3]]
    half = f"after={town.REQUESTS // 2 + 1}"
    return {
        "Users, first page": ("admin", [users]),
        "Users, deep page": ("admin", _queries(users, *deep)),
        "Users, search: common": ("admin", _queries(users, *common)),
        "Users, search: rare": ("admin", _queries(users, *rare)),
        "Users, search: absent": ("admin", _queries(users, *absent)),
        "Users, search: 1 or 2 characters": ("admin", _queries(users, *short)),
        "Users, filters": ("admin", _queries(users, *filters)),
        "Users, filters and search": ("admin", _queries(users, *both)),
        "Users, filters, deep page": ("admin", _queries(users, *(f"{f}&{d}" for f in filters for d in deep))),
        "Users of a portal with 500": ("operator", _queries(small, "", *common, *absent, *filters)),
        "One person's page": ("operator", [f"{users}/{town.ACCOUNTS * 7 // 9 + 5}"]),
        "Installation > Accounts": ("operator", [accounts, *_queries(accounts, *deep)]),
        "… search": ("operator", _queries(accounts, *common, *rare, *absent, *short)),
        "… states": (
            "operator",
            _queries(accounts, *(f"state={s}{q}" for s in ("suspended", "operator", "no_portal") for q in
                                 ("", "&q=anna", "&q=xyzzy", "&q=7777", f"&{deep[2]}", "&q=example"))),
        ),
        "Installation > Portals": ("operator", ["/installation/portals"]),
        "Requests": ("admin", _queries(f"{_ACCESS}/requests", "", half, "history", f"history&{half}")),
        "Access > Security": ("admin", [f"{_ACCESS}/security"]),
        "Activity, one's own": ("admin", ["/account/security/activity", "/account/security/activity?after=5000000"]),
        "Activity of the portal": ("admin", [mine, *_queries(mine, *middle, *kinds)]),
        "… days": ("admin", _queries(mine, *days)),
        "… people": ("admin", _queries(mine, *people)),
        "… two filters": ("admin", _queries(mine, *mixed)),
        "Activity of everything": ("operator", [everything, *_queries(everything, *middle, *kinds, *more)]),
        "… days ": ("operator", _queries(everything, *days)),
        "… people ": ("operator", _queries(everything, *people)),
        "… two filters ": ("operator", _queries(everything, *mixed, "portal=portal-3&kind=people", "portal=gone")),
        "Home, back office": ("admin", ["/portals/portal/", "/portals/portal/backoffice", "/account"]),
        "Home of an operator": ("operator", ["/", "/installation/mail"]),
        "Logins": ("admin", ["/account/security/logins"]),
    }  # fmt: skip
