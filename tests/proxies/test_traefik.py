"""Traefik: no registry of the tests' machine carries its program, so what it documents is replayed.

`Traefik` does to a request what the manual says of the middlewares that deploy/traefik/dynamic.yml names.
"""

from http.client import HTTPConnection
from typing import Any

import pytest
import yaml

from tests.browser.standing import Standing
from tests.proxies.conftest import FILES, Guarded
from tests.proxies.deployed import DEPLOY
from tests.proxies.fronts import Answer

pytestmark = pytest.mark.slow
HTTP = yaml.safe_load((DEPLOY / "traefik" / "dynamic.yml").read_text())["http"]
IDENTITY = ["Remote-User", "Remote-Name", "Remote-Email", "Remote-Groups"]
FORWARDED = (
    "X-Forwarded-Proto",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Server",
    "X-Forwarded-Uri",
    "X-Forwarded-Method",
    "X-Forwarded-Prefix",
    "X-Forwarded-Tls-Client-Cert",
    "X-Forwarded-Tls-Client-Cert-Info",
    "X-Real-Ip",
)
"""What it takes away by itself from clients that it does not trust (its middleware `forwardedheaders`); no more."""
FURTHER = tuple(f"X-Forwarded-{name}" for name in ("User", "Email", "Groups", "Preferred-Username", "Scheme", "Ssl"))
"""What other proxies say, and applications behind them believe."""
HOP_BY_HOP = {"connection", "upgrade", "te", "trailer", "transfer-encoding", "keep-alive", "content-length"}


class Traefik:
    """A request on its way through the middlewares of the router `data`."""

    def __init__(self, portal_port: int) -> None:
        self._portal = portal_port
        strip, gateway = HTTP["routers"]["data"]["middlewares"]
        self._headers: dict[str, str] = HTTP["middlewares"][strip]["headers"]["customRequestHeaders"]
        self._auth: dict[str, Any] = HTTP["middlewares"][gateway]["forwardAuth"]

    def ask(self, method: str, host: str, uri: str, headers: dict[str, str]) -> tuple[Answer, dict[str, str]]:
        """What the portal says; and, if that is a yes, which headers the application gets."""
        kept = {name.title(): value for name, value in headers.items()}
        kept = {name: value for name, value in kept.items() if name not in FORWARDED}
        for name, value in self._headers.items():
            assert value == ""
            kept.pop(name.title(), None)
        asked = {name: value for name, value in kept.items() if name.lower() not in HOP_BY_HOP} | {
            "X-Forwarded-For": "192.0.2.7",
            "X-Forwarded-Method": method,
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": host,
            "X-Forwarded-Port": "443",
            "X-Forwarded-Server": "traefik",
            "X-Forwarded-Uri": uri,
            "X-Real-Ip": "192.0.2.7",
            "Accept-Encoding": "gzip",
        }
        connection = HTTPConnection("127.0.0.1", self._portal, timeout=20)
        connection.request("GET", self._auth["address"].removeprefix("http://127.0.0.1:8000"), headers=asked)
        response = connection.getresponse()
        answer = Answer(response.status, response.getheaders(), response.read())
        connection.close()
        for name in self._auth["authResponseHeaders"]:
            kept.pop(name, None)
            if name.lower() in {key.lower() for key, _ in answer.headers}:
                kept[name] = answer.header(name)
        return answer, kept


def _spellings(name: str) -> list[str]:
    return [name, name.replace("-", "_"), name.replace("-", ".")]


@pytest.fixture
def traefik(standing: Standing) -> Traefik:
    return Traefik(standing.server.port)


@pytest.mark.needs("nginx")
@pytest.mark.parametrize("front", ["nginx"], indirect=True)
def test_the_header_sets_that_traefik_documents_are_answered_as_it_needs(guarded: Guarded, traefik: Traefik) -> None:
    people, host = guarded.people, f"{FILES}:{guarded.front.site.port}"
    liar = {name: "operator@example.org" for own in IDENTITY for name in _spellings(own)}
    liar |= dict.fromkeys((*FORWARDED, *FURTHER), "evil.test") | {"X-Original-URL": "/", "Forwarded": "for=evil.test"}
    known = f"theme=dark; {guarded.cookie(people.reader, FILES)}; session=1"

    answer, told = traefik.ask("GET", host, "/page?of=1", {**liar, "Cookie": known})
    assert (answer.status, answer.body) == (200, b"")
    assert told == {
        "Remote-User": people.reader.email,
        "Remote-Name": people.reader.name,
        "Remote-Email": people.reader.email,
        "Remote-Groups": "reader",
        "Cookie": "theme=dark; session=1",
    }
    _, alone = traefik.ask("POST", host, "/page", {"Cookie": guarded.cookie(people.admin, FILES)})
    assert "Cookie" not in alone
    assert alone["Remote-Groups"] == "admin,editor,reader"

    stranger, _ = traefik.ask("GET", host, "/page?of=1", {**liar, "Cookie": "theme=dark", "Accept": "text/html"})
    assert stranger.status == 302
    assert stranger.header("Location").endswith(
        f"/log-in?next=https%3A%2F%2F{host.replace(':', '%3A')}%2Fpage%3Fof%3D1"
    )
    assert traefik.ask("POST", host, "/page", {"Content-Length": "5"})[0].status == 401
    assert traefik.ask("GET", host, "/chat", {"Sec-Fetch-Mode": "websocket", "Upgrade": "websocket"})[0].status == 401
    assert traefik.ask("GET", host, "/admin", {"Cookie": known})[0].status == 403
    assert traefik.ask("GET", "nowhere.example.test", "/", {"Cookie": known})[0].status == 403


def test_the_configuration_hangs_together_and_asks_about_all_but_our_own_corner() -> None:
    for router in HTTP["routers"].values():
        assert router["service"] in HTTP["services"]
        assert set(router["middlewares"]) <= set(HTTP["middlewares"])
        assert "mfaportal-strip" in router["middlewares"]
    [asked] = [name for name, router in HTTP["routers"].items() if "mfaportal-gateway" in router["middlewares"]]
    assert asked == "data"
    assert HTTP["routers"]["data"]["service"] == "data"
    assert {router["service"] for name, router in HTTP["routers"].items() if name != "data"} == {"mfaportal"}
    assert HTTP["routers"]["data-mfaportal"]["priority"] > HTTP["routers"]["data"]["priority"]
    auth = HTTP["middlewares"]["mfaportal-gateway"]["forwardAuth"]
    assert auth["trustForwardHeader"] is False
    assert auth["authResponseHeaders"] == [*IDENTITY, "Cookie"]
    stripped = HTTP["middlewares"]["mfaportal-strip"]["headers"]["customRequestHeaders"]
    assert {spelling for name in IDENTITY for spelling in _spellings(name)} <= set(stripped)
    assert set(FURTHER) <= set(stripped)


def test_it_is_said_which_setting_of_traefik_drops_all_other_spellings() -> None:
    """There are more signs than a list could hold; only Traefik's own configuration can have all of them dropped."""
    said = (DEPLOY / "traefik" / "dynamic.yml").read_text()
    assert "entryPoints: {websecure: {http: {aliasHeadersStrategy: delete}}}" in said
    assert "underscoreHeadersStrategy" in said
