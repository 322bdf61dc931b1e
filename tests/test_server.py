"""How gunicorn is set up, seen from outside: what it lets through, what it refuses, what it leaves behind."""

import contextlib
import http.client
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import databases
from tests.input.wire import WireBrowser, head, megabytes, raw
from tests.server import Server

FORM = "Content-Type: application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def running(blank_instance: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that only ask: none of them changes anything."""
    folder = tmp_path_factory.mktemp("server")
    with databases.installed(blank_instance, folder / "instance") as instance:
        server = Server(instance, folder)
        yield server.start(workers=2)
        server.stop()


def test_headers_with_underscores_are_dropped(running: Server) -> None:
    json = raw(running, head(running, "GET /account HTTP/1.1", "X-Requested-With: XMLHttpRequest"))
    assert json.status == 401
    for header in ("X_Requested_With: XMLHttpRequest", "X_REQUESTED_WITH: XMLHttpRequest"):
        assert raw(running, head(running, "GET /account HTTP/1.1", header)).status == 303
    both = ("X-Requested-With: nobody", "X_Requested_With: XMLHttpRequest")
    assert raw(running, head(running, "GET /account HTTP/1.1", *both)).status == 303
    assert raw(running, head(running, "GET /account HTTP/1.1", "SCRIPT_NAME: /evil")).location.startswith("/log-in")
    assert raw(running, head(running, "GET /account HTTP/1.1", "PATH_INFO: /healthz")).status == 303


def test_addresses_and_cookies_have_a_longest_size(running: Server) -> None:
    assert raw(running, head(running, f"GET /{'a' * 3_900} HTTP/1.1")).status == 404
    assert raw(running, head(running, f"GET /{'a' * 4_100} HTTP/1.1")).status == 414
    assert raw(running, head(running, "GET /log-in HTTP/1.1", f"Cookie: {'a' * 8_000}")).status == 200
    assert raw(running, head(running, "GET /log-in HTTP/1.1", f"Cookie: {'a' * 8_200}")).status == 431
    assert raw(running, head(running, "GET /log-in HTTP/1.1", *[f"X-{n}: a" for n in range(200)])).status in (
        400,
        431,
    )


def test_what_is_no_http_is_refused(running: Server) -> None:
    for line in ("GET /log-in", "get /log-in HTTP/1.1", "GET log-in HTTP/1.1", "GET /log-in HTTP/9.9", "* * *"):
        assert raw(running, head(running, line)).status in (400, 505), line
    for header in (
        "Host: evil.example",
        "User-Agent: a\x00b",
        "User-Agent: a\x1b[31mb",
        "User-Agent: a\rb",
        "User-Agent: a\r\n b",
        "Content-Length: -1",
        "Content-Length: 1\r\nContent-Length: 2",
        "Content-Length: 1\r\nTransfer-Encoding: chunked",
        "Content-Length: \u00b9",
        "No colon",
        "Bad name: a",
    ):
        assert raw(running, head(running, "POST /log-in HTTP/1.1", header)).status == 400, header
    assert raw(running, head(running, "POST /log-in HTTP/1.1", "Transfer-Encoding: gzip")).status in (400, 501)
    assert raw(running, head(running, "GET /log-in HTTP/1.1").replace(b"\r\n", b"\n")).status == 400
    assert WireBrowser(running).get("/healthz").status == 200


@pytest.mark.parametrize("host", ["a" * 64, "a" * 3_000, "\xff", 'a"b<c>', "[::1", "..", "LOCALHOST"])
def test_a_host_that_no_name_can_be_is_refused_like_any_other(running: Server, host: str) -> None:
    request = f"GET /log-in HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("latin-1")
    assert raw(running, request).status == 400
    assert raw(running, request.replace(b"/log-in", b"/healthz")).status == 200


def test_without_a_host_only_health_answers(running: Server) -> None:
    assert raw(running, b"GET /log-in HTTP/1.0\r\n\r\n").status == 400
    assert raw(running, b"GET /log-in HTTP/1.1\r\nConnection: close\r\n\r\n").status == 400
    assert raw(running, b"GET /healthz HTTP/1.0\r\n\r\n").status == 200


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PUT", "DELETE", "PATCH", "PROPFIND", "NONSENSE"])
def test_other_methods_are_refused_with_those_that_are_taken(running: Server, method: str) -> None:
    answer = raw(running, head(running, f"{method} /log-in HTTP/1.1", "X-Echo: marker"))
    assert answer.status in (405, 501)
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
    assert "marker" not in answer.body


@pytest.mark.parametrize(("path", "status"), [("//log-in", 200), ("///log-in", 200), ("/%2flog-in", 200)])
def test_slashes_before_a_page_lead_to_it_and_nowhere_else(running: Server, path: str, status: int) -> None:
    assert raw(running, head(running, f"GET {path} HTTP/1.1")).status == status
    assert raw(running, head(running, "GET /x/../log-in HTTP/1.1")).status == 404
    assert raw(running, head(running, "GET //account HTTP/1.1")).location.startswith("/log-in")
    assert raw(running, head(running, "GET //evil.example/portals/a HTTP/1.1")).status == 404


def test_forwarded_headers_say_nothing_while_no_proxy_is_trusted(running: Server) -> None:
    """Were the scheme believed, Flask-WTF would ask for a `Referer`, which this form does not have."""
    forwarded = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Ssl": "on",
        "X-Forwarded-Protocol": "ssl",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Prefix": "/evil",
        "Forwarded": "for=198.51.100.1;host=evil.example;proto=https",
    }
    browser = WireBrowser(running)
    page = browser.open("GET", "/log-in", headers=forwarded)
    assert page.status == 200
    assert "evil" not in page.body
    assert "Strict-Transport-Security" not in page.headers
    assert "Secure" not in page.headers["Set-Cookie"]
    fields = {"csrf_token": browser.csrf("/log-in"), "email": "a@example.org", "password": "a wrong password"}
    assert browser.post("/log-in", fields, **forwarded).status == 422


def test_nothing_is_left_outside_the_instance_folder(server: Server, instance: Path, tmp_path: Path) -> None:
    """The server would otherwise open a control socket in the home folder, which two installations would share."""
    home, scratch = tmp_path / "home", tmp_path / "scratch"
    home.mkdir()
    scratch.mkdir()
    server.environment = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "TMPDIR": str(scratch)}
    server.start(workers=2)
    WireBrowser(server).get("/log-in")
    assert not list(home.rglob("*"))
    assert not list(scratch.rglob("*"))
    assert not [path for path in instance.rglob("*") if path.is_socket()]
    loose = [path.name for path in instance.iterdir() if path.stat().st_mode & 0o077]
    assert not loose


def test_a_body_that_is_too_large_gets_a_readable_answer(running: Server) -> None:
    for path in ("/log-in", "/account", "/nowhere", "/healthz", "/static/portal.css"):
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(30 * 1024 * 1024)}
        answer = WireBrowser(running).open("POST", path, megabytes(30), headers)
        assert answer.status == 413, path
        assert "larger than this form takes" in answer.body


def test_the_same_in_chunks(running: Server) -> None:
    """They declare no length, and Werkzeug would cut them off at the limit without a word."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Transfer-Encoding": "chunked"}
    for path in ("/log-in", "/account", "/nowhere"):
        for number in (1, 30):
            answer = WireBrowser(running).open("POST", path, megabytes(number), headers, chunked=True)
            assert answer.status == 413, path
            assert "larger than this form takes" in answer.body


def test_a_form_may_come_in_chunks(running: Server) -> None:
    browser = WireBrowser(running)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Transfer-Encoding": "chunked"}
    form = f"csrf_token={browser.csrf('/log-in')}&email=a@example.org&password=some+words".encode()
    answer = browser.open("POST", "/log-in", [form[:30], form[30:100], form[100:]], headers, chunked=True)
    assert answer.status == 422
    assert "E-mail or password is wrong." in answer.body


def test_a_broken_body_is_a_bad_request(running: Server) -> None:
    start = head(running, "POST /log-in HTTP/1.1", FORM, "Transfer-Encoding: chunked")
    for chunks in (b"zz\r\n", b"5\r\nabc", b"-1\r\n\r\n", b"5;\x00\r\nabcde\r\n0\r\n\r\n", b"ffffffffffffffffff\r\n"):
        with (
            contextlib.suppress(ConnectionError, TimeoutError),
            socket.create_connection(("127.0.0.1", running.port), timeout=5) as connection,
        ):
            connection.sendall(start + chunks)
            connection.shutdown(socket.SHUT_WR)
            with http.client.HTTPResponse(connection) as answer:
                answer.begin()
                assert answer.status == 400, chunks
    assert WireBrowser(running).get("/healthz").status == 200
    assert "Traceback" not in running.log


def test_a_client_that_leaves_is_no_fault_of_the_portal(running: Server) -> None:
    for request in (
        head(running, "POST /log-in HTTP/1.1", FORM, "Content-Length: 1000") + b"email=",
        head(running, "POST /log-in HTTP/1.1", FORM, "Content-Length: 1000000"),
        head(running, "POST /log-in HTTP/1.1", FORM, "Transfer-Encoding: chunked") + b"5\r\nab",
        b"POST /log-in HT",
    ):
        with socket.create_connection(("127.0.0.1", running.port), timeout=5) as connection:
            connection.sendall(request)
    assert WireBrowser(running).get("/healthz").status == 200
    assert "Traceback" not in running.log


def test_it_listens_on_ipv6(server: Server) -> None:
    if not socket.has_ipv6 or not _has_ipv6_loopback():
        pytest.skip("this machine has no IPv6")
    server.settings["MFAPORTAL_LISTEN"] = f"[::1]:{server.port}"
    server.url = f"http://[::1]:{server.port}"
    server.start(workers=1)
    assert f"The portal is at http://[::1]:{server.port}" in server.log
    assert raw(server, head(server, "GET /log-in HTTP/1.1")).status == 200
    assert raw(server, head(server, "GET /log-in HTTP/1.1").replace(b"[::1]", b"localhost")).status == 200
    assert raw(server, head(server, "GET /log-in HTTP/1.1").replace(b"[::1]", b"::1")).status == 400


def _has_ipv6_loopback() -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False
