"""What every answer carries, whatever it is: a page, an error, a redirect, JSON, a file, a 500."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from mfaportal import create_app
from mfaportal.plumbing.db import db
from mfaportal.plumbing.runtime import runtime
from mfaportal.rules.access import Audience
from mfaportal.web.gate import audience
from tests import databases
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.people import Cast, seed

SAFE = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HSTS = "Strict-Transport-Security"
PROXIED = "http://portal.example.org"
"""How the portal is asked behind a proxy that speaks https to the world."""
MakeApp = Callable[..., Flask]


def _break(app: Flask, endpoint: str, error: Exception) -> None:
    @audience(Audience.PUBLIC)
    def broken(**_values: object) -> str:
        raise error

    app.view_functions[endpoint] = broken


@pytest.fixture(scope="module")
def asked(blank_instance: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Page]]:
    """One answer of each kind, for all tests that only look."""
    with databases.installed(blank_instance, tmp_path_factory.mktemp("headers") / "instance") as folder:
        app, clock = create_app(databases.settings_of(folder)), MovableClock()
        with app.app_context():
            runtime().clock = clock
            people = seed(clock)
        yield _ask(app, Browser(app, clock), people)
        with app.app_context():
            db.engine.dispose()


def _ask(app: Flask, browser: Browser, people: Cast) -> dict[str, Page]:
    """The first half as a stranger, the rest as an editor."""
    _break(app, "auth.forgot_password", ValueError("inside"))
    _break(app, "account.security", OperationalError("SELECT 1", {}, Exception("inside")))
    form = {"email": people.reader.email, "password": "a wrong password", "csrf_token": browser.csrf()}
    pages = {
        "200 page": browser.get("/log-in"),
        "200 health": browser.get("/healthz"),
        "200 options": browser.open("OPTIONS", "/log-in"),
        "200 head": browser.open("HEAD", "/log-in"),
        "200 file": browser.get("/static/portal.css", buffered=True),
        "303 to log in": browser.get("/account"),
        "308 to the right address": browser.get("/portals/city-data"),
        "400 host": browser.get("/log-in", headers={"Host": "evil.example"}),
        "400 form": browser.open("POST", "/log-in", data={"email": "a"}),
        "401 json": browser.get("/account", headers={"Accept": "application/json"}),
        "404 page": browser.get("/nowhere"),
        "404 file": browser.get("/static/nowhere.css"),
        "404 json": browser.get("/nowhere", headers={"X-Requested-With": "XMLHttpRequest"}),
        "405 page": browser.open("PUT", "/log-in"),
        "405 json": browser.open("PUT", "/log-in", headers={"Accept": "application/json"}),
        "410 link": browser.get("/reset-password"),
        "413 page": browser.open("POST", "/log-in", data={"email": "a" * 70_000}),
        "422 form": browser.open("POST", "/log-in", data=form),
        "429 form": [browser.open("POST", "/log-in", data=form) for _ in range(6)][-1],
        "500 page": browser.get("/forgot-password"),
        "500 json": browser.get("/forgot-password", headers={"Accept": "application/json"}),
        "503 page": browser.get("/account/security"),
    }
    browser.log_in(people.editor)
    file = browser.get("/static/portal.css", buffered=True).response.headers["ETag"]
    return pages | {
        "200 inside": browser.get("/account"),
        "200 set-up": browser.get("/account/security/methods/add"),
        "303 to confirm": browser.get("/log-in"),
        "304 file": browser.get("/static/portal.css", headers={"If-None-Match": file}, buffered=True),
        "403 page": browser.get("/portals/city-data/backoffice/access/users"),
        "403 json": browser.get("/portals/city-data/backoffice/access/users", headers={"Accept": "application/json"}),
        "404 file, logged in": browser.get("/static/nowhere.css"),
    }


def _faults(pages: dict[str, Page], fault: Callable[[str, Page], Any]) -> list[str]:
    return [f"{what}: {found}" for what, page in pages.items() if (found := fault(what, page))]


def test_the_answers_are_those_that_they_are_called(asked: dict[str, Page]) -> None:
    assert not _faults(asked, lambda what, page: page.status if int(what[:3]) != page.status else None)


def test_every_answer_is_safe(asked: dict[str, Page]) -> None:
    for name, value in SAFE.items():
        assert not _faults(asked, lambda _what, page: page.response.headers.getlist(name) != [value] and name)  # noqa: B023
    assert not _faults(asked, lambda _what, page: HSTS in page.response.headers)


def test_nothing_is_kept_but_files(asked: dict[str, Page]) -> None:
    kept = {"200 file", "304 file"}
    others = {what: page for what, page in asked.items() if what not in kept}
    assert not _faults(others, lambda _what, page: page.response.headers.getlist("Cache-Control") != ["no-store"])
    for what in kept:
        assert asked[what].response.headers["Cache-Control"].startswith("public, max-age=")
        assert "Set-Cookie" not in asked[what].response.headers


def test_every_body_says_its_charset(asked: dict[str, Page]) -> None:
    def fault(what: str, page: Page) -> str | None:
        kind = page.response.headers.get("Content-Type", "")
        wanted = "application/json" if "json" in what else "text/css" if what == "200 file" else "text/"
        right = kind.startswith(wanted) and kind.endswith("charset=utf-8")
        return None if right or page.status == 304 else kind

    assert not _faults(asked, fault)


def test_json_says_no_more_than_its_code(asked: dict[str, Page]) -> None:
    codes = {what: page.response.get_json() for what, page in asked.items() if "json" in what}
    assert codes == {
        "401 json": {"error": "log_in_required"},
        "403 json": {"error": "forbidden"},
        "404 json": {"error": "Not Found"},
        "405 json": {"error": "Method Not Allowed"},
        "500 json": {"error": "Internal Server Error"},
    }


def test_other_answers_say_what_http_wants_of_them(asked: dict[str, Page]) -> None:
    for what in ("405 page", "405 json"):
        assert set(asked[what].response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
    assert int(asked["429 form"].response.headers["Retry-After"]) > 0
    assert int(asked["503 page"].response.headers["Retry-After"]) > 0


def test_a_broken_database_is_no_bug_of_the_portal(browser: Browser, people: Cast, instance: Path) -> None:
    browser.log_in(people.reader)
    databases.contents_of(instance).execute("ALTER TABLE memberships RENAME TO gone")
    for path in ("/account", "/log-in", "/"):
        page = browser.get(path)
        assert page.status == 503
        assert page.response.headers["Retry-After"]
    assert browser.get("/nowhere").status == 404
    assert browser.get("/healthz").status == 200


def test_no_page_needs_an_exception_from_the_policy(asked: dict[str, Page]) -> None:
    inline = re.compile(
        r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=|=[\"']?(?:javascript|data):", re.IGNORECASE
    )
    assert not _faults(asked, lambda _what, page: inline.findall(page.html) if "<html" in page.html else None)


def test_an_error_shows_nothing_of_the_inside(asked: dict[str, Page]) -> None:
    inside = re.compile(r"Traceback|inside|SELECT|\.py\b|sqlite|psycopg|werkzeug|flask", re.IGNORECASE)
    assert not _faults(asked, lambda what, page: inside.findall(page.html) if what[0] in "45" else None)


@pytest.mark.parametrize(
    ("accept", "is_json"),
    [
        ("application/json", True),
        ("application/json, text/html;q=0.9", True),
        ("application/*", True),
        ("text/html", False),
        ("text/html, application/json;q=0.9", False),
        ("text/html, application/json", False),
        ("*/*", False),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
        ("", False),
        ("application/json;q=0", False),
        ("application/json;q=nonsense", False),
        (", ;;;q=, \xff", False),
    ],
)
def test_json_is_for_those_who_like_it_better_than_pages(browser: Browser, accept: str, is_json: bool) -> None:
    page = browser.get("/account", headers={"Accept": accept})
    assert (page.status == 401) is is_json
    assert page.response.is_json is is_json


def _cookies(page: Page) -> dict[str, set[str]]:
    """The cookies that an answer sets: name and attributes."""
    found = {}
    for cookie in page.response.headers.getlist("Set-Cookie"):
        first, *attributes = (part.strip() for part in cookie.split(";"))
        found[first.partition("=")[0]] = {part for part in attributes if not part.startswith("Expires=")}
    return found


def test_cookies_are_the_portals_alone(browser: Browser, people: Cast) -> None:
    attributes = {"HttpOnly", "SameSite=Lax", "Path=/"}
    assert _cookies(browser.get("/log-in")) == {"mfaportal-8000": attributes}
    assert _cookies(browser.log_in(people.reader)) == {
        "mfaportal-8000": attributes,
        "mfaportal-device-8000": attributes | {"Max-Age=34560000"},
    }


def test_behind_https_cookies_are_bound_to_the_host_and_browsers_stay_with_https(
    make_app: MakeApp, clock: MovableClock
) -> None:
    app = make_app(MFAPORTAL_PUBLIC_URL="https://portal.example.org")
    with app.app_context():
        people = seed(clock)
    browser = Browser(app, clock)
    page = browser.get("/log-in", base_url=PROXIED)
    attributes = {"HttpOnly", "SameSite=Lax", "Path=/", "Secure"}
    assert _cookies(page) == {"__Host-mfaportal": attributes}
    form = {**page.form().fields, "email": people.reader.email, "password": people.reader.password}
    page = browser.open("POST", "/log-in", data=form, base_url=PROXIED)
    assert page.status == 303
    assert _cookies(page) == {
        "__Host-mfaportal": attributes,
        "__Host-mfaportal-device": attributes | {"Max-Age=34560000"},
    }
    for path in ("/log-in", "/nowhere", "/static/portal.css", "/healthz"):
        headers = browser.get(path, base_url=PROXIED, buffered=True).response.headers
        assert headers.getlist(HSTS) == ["max-age=31536000; includeSubDomains"]
        assert {name: headers.getlist(name) for name in SAFE} == {name: [value] for name, value in SAFE.items()}


def test_log_out_clears_the_browser_but_not_its_cookies(browser: Browser, people: Cast) -> None:
    browser.log_in(people.reader)
    assert browser.log_out().response.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert "Clear-Site-Data" not in browser.get("/log-in").response.headers
