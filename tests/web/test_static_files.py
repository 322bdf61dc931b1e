"""Files of the look: kept for good under an address with their digest, compressed for who takes it, for anybody."""

import gzip
import hashlib
import re
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from mfaportal.plumbing.config import ROOT
from mfaportal.web import static_files
from tests.browser_client import ORIGIN, Browser

FILES = {
    "portal.css": "text/css; charset=utf-8",
    "portal.js": "text/javascript; charset=utf-8",
    "favicon.svg": "image/svg+xml; charset=utf-8",
}
FOR_GOOD, SHORTLY = "public, max-age=31536000, immutable", "public, max-age=60"


def _digest(name: str) -> str:
    return hashlib.sha256((ROOT / "static" / name).read_bytes()).hexdigest()[:12]


def _get(browser: Browser, path: str, method: str = "GET", **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return browser.client.open(path, method=method, base_url=ORIGIN, headers=named, buffered=True)


def test_a_page_names_files_by_what_they_hold_and_these_are_kept_for_good(browser: Browser) -> None:
    named = re.findall(r'"/static/([^"?]+)\?v=([0-9a-f]+)"', browser.get("/log-in").html)
    assert dict(named) == {name: _digest(name) for name, _version in named}
    assert {name for name, _version in named} >= {"portal.css", "favicon.svg"}
    for name, version in named:
        page = _get(browser, f"/static/{name}?v={version}")
        assert (page.status_code, page.headers.getlist("Cache-Control")) == (200, [FOR_GOOD])


def test_without_the_digest_or_with_another_they_are_kept_for_a_minute(browser: Browser) -> None:
    digest = _digest("portal.css")
    for query in (
        "",
        "?v=",
        "?v=0123456789ab",
        f"?v={digest[:-1]}",
        f"?V={digest}",
        f"?w={digest}",
        f"?v=1&v={digest}",
    ):
        page = _get(browser, f"/static/portal.css{query}")
        assert (page.status_code, page.headers.getlist("Cache-Control")) == (200, [SHORTLY]), query
        assert page.data == (ROOT / "static" / "portal.css").read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_each_file_is_itself_compressed_or_not(browser: Browser, name: str) -> None:
    body = (ROOT / "static" / name).read_bytes()
    plain, packed = _get(browser, f"/static/{name}"), _get(browser, f"/static/{name}", Accept_Encoding="gzip, br")
    for page in (plain, packed):
        assert (page.status_code, page.headers["Content-Type"]) == (200, FILES[name])
        assert page.headers.getlist("Vary") == ["Accept-Encoding"]
        assert page.headers["Content-Length"] == str(len(page.data))
        assert "Set-Cookie" not in page.headers
    assert plain.data == body
    assert gzip.decompress(packed.data) == body
    assert len(packed.data) < len(body)
    assert ("Content-Encoding" in plain.headers, packed.headers["Content-Encoding"]) == (
        False,
        "gzip",
    )


@pytest.mark.parametrize(
    ("taken", "packed"),
    [
        ("gzip", True),
        ("*", True),
        ("br;q=1, gzip;q=0.2", True),
        ("GZIP", True),
        ("identity", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("", False),
        (";;,\x01=", False),
    ],
)
def test_it_is_compressed_only_for_who_takes_it(browser: Browser, taken: str, packed: bool) -> None:
    page = _get(browser, "/static/portal.css", Accept_Encoding=taken)
    assert (page.status_code, "Content-Encoding" in page.headers) == (200, packed)


def test_who_has_a_file_is_told_so_and_compressed_and_not_are_two_files(browser: Browser) -> None:
    path = f"/static/portal.css?v={_digest('portal.css')}"
    plain = _get(browser, path).headers["ETag"]
    packed = _get(browser, path, Accept_Encoding="gzip").headers["ETag"]
    assert plain != packed
    assert not {plain[:2], packed[:2]} & {"W/"}
    for has, takes, status in (
        (plain, "identity", 304),
        (packed, "gzip", 304),
        (f'"other", W/{packed}', "gzip", 304),
        ("*", "gzip", 304),
        (plain, "gzip", 200),
        (packed, "identity", 200),
        ('"other"', "gzip", 200),
    ):
        page = _get(browser, path, If_None_Match=has, Accept_Encoding=takes)
        assert page.status_code == status, (has, takes)
        assert (page.data == b"") == (status == 304)
        assert page.headers["Cache-Control"] == FOR_GOOD
        assert page.headers["Vary"] == "Accept-Encoding"
        assert page.headers["ETag"] == (packed if takes == "gzip" else plain)


def test_head_says_what_get_would_and_sends_nothing(browser: Browser) -> None:
    for takes in ("identity", "gzip"):
        got = _get(browser, "/static/portal.js", Accept_Encoding=takes)
        head = _get(browser, "/static/portal.js", "HEAD", Accept_Encoding=takes)
        assert (head.status_code, head.data, dict(head.headers)) == (200, b"", dict(got.headers))


def test_a_part_is_not_sent_but_the_whole(browser: Browser) -> None:
    whole = (ROOT / "static" / "portal.css").read_bytes()
    for part in ("bytes=0-9", "bytes=-1", "bytes=99999999-", "lines=1"):
        page = _get(browser, "/static/portal.css", Range=part)
        assert (page.status_code, page.data) == (200, whole)
        assert "Content-Range" not in page.headers


def test_only_files_of_the_look_are_sent(
    browser: Browser, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static_files, "FOLDER", tmp_path)
    (tmp_path / "below").mkdir()
    for name in (*FILES, "portal.css~", "notes.txt", ".env", "below/more.js"):
        (tmp_path / name).write_text("one")
    static_files.register(app)
    sent = {name: _get(browser, f"/static/{name}").status_code for name in ("portal.css", "below/more.js")}
    assert set(sent.values()) == {200}
    for name in ("portal.css~", "notes.txt", ".env", "below", "below/", "../wsgi.py", "PORTAL.CSS", "more.js"):
        assert _get(browser, f"/static/{name}").status_code == 404, name
    for method in ("POST", "PUT", "DELETE"):
        assert _get(browser, "/static/portal.css", method).status_code in (400, 405)


def test_what_somebody_works_on_is_read_anew(
    browser: Browser, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static_files, "FOLDER", tmp_path)
    (tmp_path / "portal.css").write_text("one")
    static_files.register(app)
    (tmp_path / "portal.css").write_text("two")
    assert _get(browser, "/static/portal.css").data == b"one"
    app.debug = True
    assert _get(browser, "/static/portal.css").data == b"two"
