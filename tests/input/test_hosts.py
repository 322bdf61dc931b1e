"""The `Host` header: exactly the portal's own names, port included. Health answers whoever asks."""

from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import create_environ, run_wsgi_app

from tests.browser_client import ORIGIN, Browser, Page
from tests.clock import MovableClock

MakeApp = Callable[..., Flask]
WRONG = (
    "evil.example",
    "evil.example:8000",
    "127.0.0.1",
    "127.0.0.1:80",
    "127.0.0.1:8001",
    "127.0.0.1:08000",
    "127.0.0.1:8000:8000",
    "127.0.0.1:8000.",
    "127.0.0.1.:8000",
    "LOCALHOST:8000",
    "Localhost:8000",
    "localhost.:8000",
    "localhost:8000@evil.example",
    "evil.example@localhost:8000",
    "localhost:8000/evil.example",
    "localhost:8000, evil.example",
    " localhost:8000 ",
    'a"b<c>',
    "",
    "\xff",
    "[::1",
    "a" * 2_000,
    None,
)


def _asked(app: Flask, path: str, host: str | None) -> int:
    """The status of a GET. Written by hand: the test client would put the host right."""
    environ = create_environ(path, ORIGIN)
    del environ["HTTP_HOST"]
    if host is not None:
        environ["HTTP_HOST"] = host
    _body, status, _headers = run_wsgi_app(app, environ)
    return int(status.partition(" ")[0])


@pytest.mark.parametrize("host", WRONG)
def test_a_wrong_host_is_refused_everywhere_but_at_health(app: Flask, host: str | None) -> None:
    for path in ("/", "/log-in", "/account", "/static/portal.css", "/nowhere", "/welcome"):
        assert _asked(app, path, host) == 400, path
    for path in ("/healthz", "/readyz"):
        assert _asked(app, path, host) == 200, path


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000"])
def test_a_loopback_listener_answers_to_its_own_names(app: Flask, host: str) -> None:
    assert _asked(app, "/log-in", host) == 200


@pytest.mark.parametrize(
    ("settings", "right", "wrong"),
    [
        ({"PUBLIC_URL": "https://portal.example.org"}, "portal.example.org", "portal.example.org:443"),
        ({"PUBLIC_URL": "https://portal.example.org"}, "localhost:8000", "localhost"),
        ({"PUBLIC_URL": "https://Portal.Example.org:8443"}, "portal.example.org:8443", "portal.example.org"),
        (
            {"PUBLIC_URL": "https://portal.example.org", "LISTEN": "0.0.0.0:8000"},
            "portal.example.org",
            "localhost:8000",
        ),
        ({"LISTEN": "127.0.0.1:80"}, "localhost", "localhost:80"),
        ({"LISTEN": "[::1]:8000"}, "[::1]:8000", "::1:8000"),
        ({"LISTEN": "127.0.0.2:8000"}, "127.0.0.2:8000", "127.0.0.3:8000"),
    ],
)
def test_the_right_host_follows_from_the_settings(
    make_app: MakeApp, settings: dict[str, str], right: str, wrong: str
) -> None:
    app = make_app(**{f"MFAPORTAL_{name}": value for name, value in settings.items()})
    assert _asked(app, "/log-in", right) == 200
    assert _asked(app, "/log-in", wrong) == 400


def test_the_answer_to_a_wrong_host_names_nobody(browser: Browser) -> None:
    page = browser.get("/log-in", headers={"Host": "evil.example"})
    assert "evil.example" not in page.html
    assert "Set-Cookie" not in page.response.headers


@pytest.fixture
def behind_https(make_app: MakeApp, clock: MovableClock) -> Browser:
    return Browser(make_app(MFAPORTAL_PUBLIC_URL="https://portal.example.org"), clock)


def test_links_and_redirects_never_name_a_host(behind_https: Browser) -> None:
    """Behind a proxy the portal is asked by http: an address with a scheme would be wrong."""

    def asked(path: str) -> Page:
        return behind_https.get(path, base_url="http://portal.example.org")

    assert asked("/portals/city-data").location == "/portals/city-data/"
    assert asked("/portals//city-data/").location == "/portals/city-data/"
    assert asked("/account").location == "/log-in?next=/account"
    assert "portal.example.org" not in asked("/log-in").html


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/log-in", 200),
        ("/%6cog-in", 200),
        ("/%2flog-in", 200),
        ("/x/../log-in", 404),
        ("/./log-in", 404),
        ("/Log-in", 404),
        ("/log-in/", 404),
        ("/log-in;a=b", 404),
        ("/log-in%00", 404),
        ("/log-in%20", 404),
        ("/log-in%0a", 404),
        ("/\\log-in", 404),
        ("/%5clog-in", 404),
    ],
)
def test_each_page_has_few_spellings(browser: Browser, path: str, status: int) -> None:
    assert browser.get(path).status == status


@pytest.mark.parametrize("prefix", ["/", "//", "/%2f", "/%2F/", "/%61ccount/../", "/x/../"])
def test_no_spelling_of_a_guarded_page_opens_it(browser: Browser, prefix: str) -> None:
    page = browser.get(f"{prefix}account", base_url="http://127.0.0.1:8000")
    assert page.status in (303, 308, 404)
    assert not page.location.startswith("//")
