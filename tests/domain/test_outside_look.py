"""`doctor` looks at guarded addresses from the outside: which header, route, setting or cookie is missing."""

import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, update

from mfaportal.domain import outside_look
from mfaportal.domain.probe_report import HOST, METHOD, PROTO, URI, Header, Report, State, troubles
from mfaportal.models import BackOfficePath, GuardedAddress, Portal
from mfaportal.plumbing import http_look
from mfaportal.plumbing.http_look import Answer, NoAnswer
from tests.domain.proxy import FORWARD, NGINX, Setup, certificate, proxy
from tests.guarded import guard
from tests.people import Cast
from tests.rows import put

Say = Callable[..., str]
WELL = ""
NOT_GUARDED = "NOT GUARDED: {address}/ answers 299 to anybody, without a log-in; put auth_request (nginx)"
COOKIE = "The cookie mfaportal-pass-{port} does not reach the gateway, so nobody gets in"
KEPT = "The proxy keeps the gateway's 401 or 403 to itself"
ROUTE = "let the proxy hand /.mfaportal/ to the portal without asking the gateway."


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(MFAPORTAL_TRUSTED_PROXIES="127.0.0.1")


@pytest.fixture
def say(app: Flask, people: Cast) -> Say:
    """What is said of an address behind a proxy that is set up so, with names put for what is different each time."""

    def look(
        setup: Setup,
        *paths: str,
        prefix: str = "",
        public: bool = False,
        tls: Path | None = None,
        host: str = "",
        beside: str = "",
    ) -> str:
        with proxy(app, setup, tls) as listening:
            name = host.format(port=listening.rpartition(":")[2]) or listening
            address = f"{'https' if tls else 'http'}://{name}{prefix}"
            put(app, delete(GuardedAddress))
            put(app, delete(BackOfficePath))
            put(app, update(Portal).values(visibility="public" if public else "private"))
            guard(app, address, *filter(None, [beside]), back_office=paths)
            with app.app_context():
                trouble = dict(outside_look.look())[address]
        said = (trouble or WELL).replace(address, "{address}").replace(name, "{host}")
        return said.replace(name.rpartition(":")[2], "{port}")

    return look


@pytest.mark.parametrize("public", [True, False], ids=["public", "private"])
def test_nothing_is_said_of_a_proxy_that_is_set_up_well(say: Say, public: bool) -> None:
    assert say(Setup(), public=public) == WELL
    assert say(Setup(asks=NGINX, then=FORWARD), "/admin", "/-", public=public) == WELL
    to_somewhere = {"/app/": "/app/start", "/app/admin": "/app/admin/"}
    assert say(Setup(redirects=to_somewhere), "/admin", prefix="/app", public=public) == WELL


def test_an_application_that_answers_without_a_log_in_is_said_first(say: Say) -> None:
    private = say(Setup(asks=None, route=None))
    assert private.startswith(NOT_GUARDED)
    assert private.endswith(
        f"{{address}}/.mfaportal/ is not handed to this portal (it answers 299), so nobody gets in: {ROUTE}"
    )
    assert say(Setup(unasked="/admin"), "/-", "/admin").startswith(NOT_GUARDED.replace("}/", "}/admin"))
    assert say(Setup(unasked="/admin"), "/-", "/admin", public=True).startswith(NOT_GUARDED.replace("}/", "}/admin"))
    elsewhere = say(Setup(asks=None, redirects={"/": "https://www.example.org/"}))
    assert elsewhere.startswith(NOT_GUARDED.replace("}/", "}/mfaportal%20doctor"))
    only_files = say(Setup(unasked="/mfaportal%20"))
    assert only_files.startswith(NOT_GUARDED.replace("}/", "}/mfaportal%20doctor?look=1"))
    assert say(Setup(asks=None), public=True).startswith("NOT GUARDED, or else this: the proxy does not ask")


def test_a_proxy_that_is_not_trusted_is_named(say: Say) -> None:
    untrusted = "The proxy at 172.18.0.2 is not trusted: put 172.18.0.2 into MFAPORTAL_TRUSTED_PROXIES"
    assert say(Setup(peer="172.18.0.2")).startswith(untrusted)
    assert say(Setup(peer="172.18.0.2", asks=NGINX, then=FORWARD)).startswith(untrusted)
    blind = say(Setup(peer="172.18.0.2", cookie=False))
    assert blind.startswith("Everybody is answered 403; the portal's log says why")
    assert COOKIE in blind


WRONG: list[tuple[dict[str, str | None], list[str]]] = [
    ({"X-Forwarded-Method": None}, ["X-Forwarded-Method is missing"]),
    ({"X-Forwarded-Proto": None}, ["X-Forwarded-Proto is missing"]),
    ({"X-Forwarded-Host": None}, ["X-Forwarded-Host is missing"]),
    ({"X-Forwarded-Uri": None}, ["X-Forwarded-Uri is missing"]),
    ({"X-Forwarded-Host": "localhost"}, ['X-Forwarded-Host says "localhost" in place of "{host}"']),
    ({"X-Forwarded-Host": "LOCALHOST:{port}"}, []),
    ({"X-Forwarded-Host": "a, b"}, ["X-Forwarded-Host cannot be read (doubled)"]),
    ({"X-Forwarded-Uri": "/"}, ['X-Forwarded-Uri says "/" in place of "/app/mfaportal%20doctor?look=1"']),
    (
        {"X-Forwarded-Uri": "/app/mfaportal doctor?look=1"},
        ["X-Forwarded-Uri cannot be read (a character that no browser sends)"],
    ),
    (
        {"X-Forwarded-Proto": "https", "X-Forwarded-Host": None},
        ['X-Forwarded-Proto says "https" in place of "http"', "X-Forwarded-Host is missing"],
    ),
]


def test_each_header_that_is_missing_or_wrong_is_said(say: Say) -> None:
    for headers, said in WRONG:
        found = say(Setup(headers=headers), prefix="/app")
        assert found.count("X-Forwarded-") == len(said), found
        assert all(sentence in found for sentence in said), found
        assert found.count("nginx: $") == len(said), found


def test_a_proxy_that_asks_about_another_guarded_host_is_said(say: Say) -> None:
    """A configuration that was copied: the answers are those of the other host, and so is the way to the log-in."""
    setup = Setup(headers={"X-Forwarded-Host": "other.test"})
    assert "X-Forwarded-Host says" in say(setup)
    found = say(setup, beside="http://other.test")
    assert "send Host (and X-Forwarded-Host) as" in found
    assert found.startswith(
        "The gateway is asked about http://other.test/mfaportal%20doctor?look=1 in place of {address}"
    )


def test_a_portal_that_does_not_know_the_address_is_said() -> None:
    """It has the same key and another database: one of them is a copy."""
    right = dict.fromkeys((METHOD, PROTO, HOST, URI), "as it should be")
    headers = {name: Header(State.SEEN, value) for name, value in right.items()}
    known = Report(FORWARD, "127.0.0.1", trusted=True, headers=headers, known=True)
    assert list(troubles(known, right)) == []
    (said,) = troubles(replace(known, known=False), right)
    assert said.startswith("The portal that is asked does not know the address")


def test_what_the_proxy_keeps_to_itself_is_said(say: Say) -> None:
    assert say(Setup(cookie=False)).startswith(COOKIE)
    assert say(Setup(cookie=False), "/admin", public=True).startswith(COOKIE)
    assert say(Setup(asks=NGINX)).startswith(KEPT)
    both = say(Setup(asks=NGINX, cookie=False))
    assert both.startswith(KEPT)
    assert COOKIE in both
    assert say(Setup(asks=NGINX, then=NGINX)).startswith("The proxy shows the answer of /gateway/nginx as it is")
    assert say(Setup(set_cookie=False)).startswith("No cookie comes back from {address}/.mfaportal/enter?next=/")
    assert say(Setup(asks="/gateway/traefik")).startswith("It answers 500: look whether the portal runs")


def test_a_route_that_does_not_lead_to_the_portal_is_said(say: Say) -> None:
    guarded = f"{{address}}/.mfaportal/ is not handed to the portal, or is guarded itself, so nobody gets in: {ROUTE}"
    assert say(Setup(route=None)) == say(Setup(route_guarded=True)) == guarded
    assert "/.mfaportal/ is not handed to this portal (it answers 403)" in say(Setup(route=None), prefix="/app")
    renamed = "{address}/.mfaportal/ is handed to the portal under another name: let the proxy send Host"
    for name in ("127.0.0.1:8000", "portal.internal"):
        assert say(Setup(route=name)).startswith(renamed)
        assert renamed in say(Setup(route=name, headers={"X-Forwarded-Host": None}))
        assert renamed in say(Setup(route=name, peer="172.18.0.2"))


def test_an_address_that_cannot_be_opened_is_said(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cannot = "It cannot be opened from here: "
    nowhere = say(Setup(), host="no-such-name.invalid:{port}")
    assert nowhere == f"{cannot}the name no-such-name.invalid does not resolve on this machine."
    assert say(Setup(), host="localhost:1") == f"{cannot}nothing listens on port {{port}} of localhost."
    own = certificate(tmp_path / "localhost.pem")
    assert say(Setup(), tls=own) == f"{cannot}its certificate is not trusted: self-signed certificate."
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    assert say(Setup(), tls=own) == WELL
    lost = say(Setup(headers={"X-Forwarded-Proto": "http"}), tls=own)
    assert lost.startswith('X-Forwarded-Proto says "http" in place of "https"')
    assert say(Setup(), tls=own, host="127.0.0.1:{port}").startswith(f"{cannot}its certificate is not trusted: ")


def test_what_speaks_no_http_or_is_never_done_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_look, "SECONDS", 0.1)
    slow = NoAnswer("there is no answer within 0.1 seconds")
    assert _looked_at([b"220 mail.example.org ESMTP\r\n"]).why.endswith("answers with no HTTP")
    assert _looked_at([]) == slow
    assert _looked_at([b"HTTP/1.1 200 OK\r\nX: ", *[b"x"] * 100]) == slow


def _looked_at(pieces: list[bytes]) -> NoAnswer:
    """What is seen of a server that sends these, with a pause after each."""
    over = Event()

    def serve() -> None:
        with listening.accept()[0] as connection, suppress(OSError):
            connection.recv(1000)
            for piece in pieces:
                connection.sendall(piece)
                if over.wait(0.02):
                    return
            if not pieces:
                over.wait(5)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = Thread(target=serve)
        serving.start()
        found = http_look.look(f"http://127.0.0.1:{listening.getsockname()[1]}/")
        over.set()
        serving.join()
    assert isinstance(found, NoAnswer)
    return found


def test_names_of_this_machine_need_no_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Browsers know where `data.localhost` is; name servers of many machines do not."""
    resolve = socket.getaddrinfo

    def knows_numbers_only(host: str, *more: Any, **named: Any) -> Any:
        if host.endswith("localhost"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *more, **named)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        answering = Thread(target=_answer_once, args=(listening,))
        answering.start()
        monkeypatch.setattr(socket, "getaddrinfo", knows_numbers_only)
        found = http_look.look(f"http://data.localhost:{listening.getsockname()[1]}/")
        answering.join(5)
    assert isinstance(found, Answer)
    assert found.body.startswith(b"data.localhost:"), "it is asked under its name"


def _answer_once(listening: socket.socket) -> None:
    connection, _peer = listening.accept()
    with connection:
        host = connection.recv(4096).partition(b"\r\nHost: ")[2].partition(b"\r\n")[0]
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(host), host))
