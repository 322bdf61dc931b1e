"""D15: requests that make no sense, from a stranger, from somebody half logged in, from an operator. Never a 5xx.

The forms' own fields are tried in `tests.input`, by the same `make faults`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

import pytest
from werkzeug.test import TestResponse

from mfaportal.rules.mfa_rule import MfaRule
from tests.faults.length import FULL, either
from tests.faults.nonsense import Drawer, Nonsense
from tests.input.database import Database
from tests.input.scenes import Scene
from tests.input.values import UNESCAPED
from tests.people import set_rule
from tests.plugins.figures import Figure

REQUESTS = either(250, 17_000)
"""Of each of the three."""
LONGEST = 2.0
PLACES = 40
"""So many requests until everything is put back: some of them do make sense, and log out or delete."""


def _stranger(scene: Scene) -> str:
    scene.seed()
    return "/log-in"


def _half(scene: Scene) -> str:
    person = scene.seed().editor
    scene.give_app(person, codes=True)
    scene.browser.give_password(person)
    return "/log-in/code"


def _operator(scene: Scene) -> str:
    people = scene.seed()
    with scene.app.app_context():
        set_rule(MfaRule.BACK_OFFICE, scene.clock, apply_now=True)
    scene.give_app(people.operator, codes=True)
    scene.browser.log_in(people.operator)
    return "/account"


def _as_received(path: str) -> dict[str, str]:
    """What a server makes of a request line: the test client would read a host out of two slashes."""
    plain, _, query = path.partition("#")[0].partition("?")
    return {
        "PATH_INFO": unquote_to_bytes(plain).decode("latin-1"),
        "QUERY_STRING": query,
        "REQUEST_URI": path,
        "RAW_URI": path,
        "REMOTE_ADDR": "192.0.2.7",
    }


@dataclass
class Session:
    """Somebody's browser, sending nonsense."""

    scene: Scene
    database: Database
    path: str

    def __post_init__(self) -> None:
        self.csrf = self.scene.browser.csrf(self.path)
        self.database.remember()
        self.cookies = dict(self.scene.browser.client._cookies or {})
        self.slowest = 0.0

    def again(self) -> None:
        self.database.restore()
        self.scene.browser.client._cookies = dict(self.cookies)

    def fault(self, request: Nonsense) -> str | None:
        """Send it; what is wrong with the answer."""
        began = time.perf_counter()
        try:
            response = self.scene.browser.client.open(
                "/", method=request.method, environ_overrides=_as_received(request.path), **request.options
            )
        except Exception as error:  # noqa: BLE001 - whatever gets out of the app is the fault that is looked for
            return f"{type(error).__name__}: {error}"
        took = time.perf_counter() - began
        self.slowest = max(self.slowest, took)
        if response.status_code >= 500:
            return str(response.status_code)
        if took > LONGEST:
            return f"{took:.1f} s"
        return self._content(response)

    @staticmethod
    def _content(response: TestResponse) -> str | None:
        body = response.get_data(as_text=True) if response.mimetype == "text/html" else ""
        return next((f"{text} stands in the page" for text in UNESCAPED if text in body), None)


@pytest.mark.parametrize("who", [_stranger, _half, _operator])
def test_nonsense_is_refused_and_breaks_nothing(
    scene: Scene, database: Database, figure: Figure, who: Callable[[Scene], str]
) -> None:
    session = Session(scene, database, who(scene))
    seed = int(time.time()) if FULL else 4
    drawer = Drawer(scene.app, seed)
    faults = []
    for number in range(REQUESTS):
        if number % PLACES == 0:
            session.again()
        request = drawer.draw(session.csrf)
        found = session.fault(request)
        faults += [f"{found}: {request}"] if found else []
    figure(
        "D15 nonsense from the URL map",
        bad_inputs=REQUESTS,
        answers_5xx_or_worse=len(faults),
        most_seconds=round(session.slowest, 2),
    )
    assert not faults, f"seed {seed}:\n" + "\n".join(faults[:40])
