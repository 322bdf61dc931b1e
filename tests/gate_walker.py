"""How `test_gate` walks: who there is, what a request of theirs is answered, and where that is not what a row says.

Nothing here knows a rule: a row's words are compared with statuses and locations.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from flask import Flask
from werkzeug.test import Client, TestResponse

from tests.browser_client import ORIGIN
from tests.contents import Contents

COLUMNS = ("anonymous", "code", "set-up", "outsider", "reader", "editor", "admin", "operator")
JSON_ANSWERS = {
    "log-in": (401, "log_in_required"),
    "code": (401, "code_required"),
    "set-up": (401, "set_up_required"),
    "home": (403, "forbidden"),
    "no": (403, "forbidden"),
}
OTHER_METHODS = ("PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "BREW")


@dataclass(frozen=True)
class Row:
    """An endpoint's line. `get` and `post` are what the view itself answers (None: it does not take such requests).

    `again`: whether it asks for a step-up. `words` has one word for each of COLUMNS: in, log-in, code, set-up,
    home, no (403), nothing (let in, and the view finds nothing there: 404), or elsewhere (not under this host, or
    not to such a peer: `get` says what everybody is told).
    """

    path: str
    get: str | None
    post: str | None
    again: bool
    words: str

    listed: bool = False
    """The form stands on a list: the step-up is asked of its POST, which gets no minutes more, and of no GET."""

    def lets_in(self, column: str) -> bool:
        """Whether the gate does; what the view finds for them is another matter."""
        return self.word(column) in ("in", "nothing", "elsewhere")

    def word(self, column: str) -> str:
        return self.words.split()[COLUMNS.index(column)]


@dataclass(frozen=True)
class Visitor:
    """Somebody with a browser: which column is theirs, and what their browser sends along."""

    name: str
    column: str
    cookies: str
    csrf: str
    app_id: int


class Walker:
    """Sends requests as a visitor; after each POST the database is put back as it was."""

    def __init__(self, app: Flask, database: Contents, person_id: int) -> None:
        self.app = app
        self.person_id = person_id
        self._client = Client(app, TestResponse, use_cookies=False)
        self._database = database
        self.keep()

    def keep(self) -> None:
        """From now on a POST is followed by the database as it is now."""
        self._kept = self._database.keep()

    def filled(self, rows: Mapping[str, Row], visitor: Visitor) -> dict[str, Row]:
        """The rows with the numbers of this visitor's app and of the person who is acted on."""
        numbers = {"app": visitor.app_id, "person": self.person_id}
        return {
            endpoint: replace(row, path=row.path.format(**numbers), post=row.post and row.post.format(**numbers))
            for endpoint, row in rows.items()
        }

    def send(self, visitor: Visitor, method: str, path: str, *, as_json: bool = False) -> TestResponse:
        headers = {"Cookie": visitor.cookies} if visitor.cookies else {}
        if as_json:
            headers["Accept"] = "application/json"
        data = {"csrf_token": visitor.csrf} if method == "POST" else None
        response = self._client.open(path, method=method, base_url=ORIGIN, headers=headers, data=data, buffered=True)
        if method == "POST":
            self._database.put_back(self._kept)
        return response

    def differences(self, rows: Mapping[str, Row], visitor: Visitor) -> list[str]:
        """Where GET, HEAD, POST and OPTIONS are answered otherwise than the rows say."""
        found = []
        filled = self.filled(rows, visitor)
        for endpoint, row in filled.items():
            for method in sorted(_own_methods(row)):
                response = self.send(visitor, method, row.path)
                what = f"{endpoint}: {method} {row.path}"
                found += _compare(what, said(response), expected(row, visitor.column, method))
                if method == "HEAD":
                    found += _compare(f"{what} (its body)", response.data, b"")
                if method == "OPTIONS" and response.status_code == 200:
                    found += _compare(f"{what} (Allow)", set(response.allow), allowed_methods(filled, row.path))
        return found

    def json_differences(self, rows: Mapping[str, Row], visitor: Visitor) -> list[str]:
        """The same for clients that want JSON: a status and a code instead of a redirect."""
        found = []
        for endpoint, row in self.filled(rows, visitor).items():
            word = row.word(visitor.column)
            for method in sorted(_own_methods(row) - {"HEAD"}) if not row.lets_in(visitor.column) else ():
                response = self.send(visitor, method, row.path, as_json=True)
                code = json.loads(response.data)["error"] if response.is_json else None
                what = f"{endpoint}: {method} {row.path} for JSON"
                found += _compare(what, (response.status_code, code), JSON_ANSWERS[word])
        return found


def expected(row: Row, column: str, method: str) -> str:
    """What a row says in full: `303 /log-in?next=/account`."""
    match row.word(column):
        case "in":
            return {"POST": row.post, "OPTIONS": "200"}.get(method, row.get) or ""
        case "elsewhere":
            return row.get or ""
        case "nothing":
            return "200" if method == "OPTIONS" else "404"
        case "no":
            return "403"
        case "home":
            return "303 /"
        case "log-in":
            wanted = method in ("GET", "HEAD") and row.path != "/"
            return f"303 /log-in{f'?next={row.path}' if wanted else ''}"
        case word:
            return f"303 /log-in/{word}"


def missing_rows(app: Flask, rows: Mapping[str, Row]) -> list[str]:
    """The endpoints that the table does not know, each with what to do about it."""
    return [
        f"the endpoint {rule.endpoint} ({rule.rule}) has no row: add one to ROWS in tests/test_gate.py that says what"
        f" each of {', '.join(COLUMNS)} gets there"
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in rows
    ]


def misdescribed_rows(app: Flask, rows: Mapping[str, Row]) -> list[str]:
    """Rows for what is not there, or with other methods than the URL map has."""
    taken: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        taken.setdefault(rule.endpoint, set()).update(rule.methods or ())
    return [
        f"the row of {endpoint} says {sorted(_own_methods(row))}, the URL map {sorted(taken.get(endpoint, ()))}"
        for endpoint, row in rows.items()
        if _own_methods(row) != taken.get(endpoint, set())
    ]


def _own_methods(row: Row) -> set[str]:
    return {"OPTIONS"} | ({"GET", "HEAD"} if row.get else set()) | ({"POST"} if row.post else set())


def allowed_methods(rows: Mapping[str, Row], path: str) -> set[str]:
    """Of all endpoints at this path."""
    return {method for row in rows.values() if row.path == path for method in _own_methods(row)}


def said(response: TestResponse) -> str:
    """An answer in a row's words: `200`, or `303 /log-in`."""
    location = response.headers.get("Location", "")
    return f"{response.status_code} {location}".strip()


def _compare(what: str, answer: object, wanted: object) -> list[str]:
    return [] if answer == wanted else [f"{what} is answered {answer!r}, and its row says {wanted!r}"]
