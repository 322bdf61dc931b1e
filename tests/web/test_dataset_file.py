"""The download: the same bytes that went in, in part or in whole, and never something that a browser runs."""

import hashlib
import io
import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update
from werkzeug.http import parse_options_header

from mfaportal.models import Portal
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.datasets import MEMBERS, TREES, add, every, files, http_date
from tests.people import Cast

FILE = "/portals/city-data/datasets/trees/file"
NEW = "/portals/city-data/backoffice/datasets/new"
DIGEST = hashlib.sha256(TREES).hexdigest()
ETAG = f'"{DIGEST}"'
SIZE = len(TREES)


@pytest.fixture
def public(app: Flask, people: Cast, clock: MovableClock) -> None:
    """A public portal with a public dataset."""
    with app.app_context():
        add(clock, "Trees")
    rows.put(app, update(Portal).values(visibility="public"))


def ask(browser: Browser, method: str = "GET", path: str = FILE, **headers: str) -> Page:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return browser.open(method, path, headers=named, buffered=True)


def reference(header: str) -> tuple[int, bytes]:
    """RFC 9110, section 14, written a second time: one range of bytes, or else the whole."""
    unit, equals, ranges = header.partition("=")
    if unit.strip().lower() != "bytes" or not equals or "," in ranges:
        return 200, TREES
    first, dash, last = ranges.strip(" \t").partition("-")
    if not dash or any(not (text == "" or (text.isascii() and text.isdigit())) for text in (first, last)):
        return 200, TREES
    if first == last == "":
        return 200, TREES
    if first == "":
        return (206, TREES[-int(last) :]) if int(last) else (416, b"")
    if last and int(last) < int(first):
        return 200, TREES
    part = TREES[int(first) : int(last) + 1 if last else None]
    return (206, part) if part else (416, b"")


RANGES = [
    "bytes=0-0",
    "bytes=0-4",
    "bytes=5-9",
    "bytes=0-",
    "bytes=7-",
    f"bytes=0-{SIZE - 1}",
    f"bytes=0-{SIZE}",
    f"bytes=0-{10**17}",
    f"bytes={SIZE - 1}-",
    f"bytes={SIZE}-",
    f"bytes={SIZE}-{SIZE + 1}",
    f"bytes={10**17}-",
    "bytes=-1",
    "bytes=-5",
    "bytes=-0",
    f"bytes=-{SIZE}",
    f"bytes=-{SIZE + 1}",
    "bytes=5-4",
    "bytes=-",
    "bytes=",
    "bytes",
    "bytes=a-b",
    "bytes=1",
    "bytes=--1",
    "bytes=1-2,4-5",
    "bytes=0-0,-1",
    "bytes= 1-2",
    "BYTES=1-2",
    "chunks=1-2",
    "bytes=\uff11-\uff12".encode().decode("latin-1"),
    "bytes=1-2-3",
    "bytes=+1-2",
    "",
]


def test_a_range_gets_what_the_rfc_says(browser: Browser, public: None) -> None:
    for header in RANGES:
        status, body = reference(header)
        page = ask(browser, Range=header)
        said = page.response.headers
        assert (page.status, page.response.data) == (status, body), header
        assert said["Content-Length"] == str(len(body)), header
        assert said["Accept-Ranges"] == "bytes"
        range_said = said.get("Content-Range", "")
        if status == 206:
            first, last = (int(number) for number in range_said.removeprefix("bytes ").split("/")[0].split("-"))
            assert TREES[first : last + 1] == body, header
            assert range_said == f"bytes {first}-{last}/{SIZE}"
        else:
            assert range_said == (f"bytes */{SIZE}" if status == 416 else ""), header


def test_the_bytes_that_come_out_are_those_that_went_in(
    browser: Browser, people: Cast, app: Flask, clock: MovableClock
) -> None:
    everything = bytes(range(256)) * 700 + b"\r\n--b0undary\r\n"
    with app.app_context():
        add(clock, "Trees", everything, "trees.bin")
        add(clock, "Nothing", b"", "nothing.csv")
    browser.log_in(people.reader)
    page = ask(browser)
    assert (page.status, page.response.data) == (200, everything)
    part = ask(browser, Range="bytes=65530-131080")
    assert (part.status, part.response.data) == (206, everything[65530:131081])
    nothing = FILE.replace("trees", "nothing")
    assert (ask(browser, path=nothing).status, ask(browser, path=nothing).response.data) == (200, b"")
    assert ask(browser, path=nothing, Range="bytes=0-").status == 416


def test_what_has_not_changed_is_not_sent_again(
    browser: Browser, public: None, app: Flask, clock: MovableClock
) -> None:
    changed = clock()
    whole = ask(browser)
    assert whole.response.headers["ETag"] == ETAG
    assert whole.response.headers["Last-Modified"] == http_date(changed)
    for headers, status in (
        ({"If_None_Match": ETAG}, 304),
        ({"If_None_Match": f'"other", {ETAG}'}, 304),
        ({"If_None_Match": f"W/{ETAG}"}, 304),
        ({"If_None_Match": "*"}, 304),
        ({"If_None_Match": '"other"'}, 200),
        ({"If_Modified_Since": http_date(changed)}, 304),
        ({"If_Modified_Since": http_date(changed - timedelta(seconds=1))}, 200),
        ({"If_Modified_Since": "yesterday"}, 200),
        ({"If_None_Match": '"other"', "If_Modified_Since": http_date(changed)}, 200),
        ({"If_None_Match": ETAG, "Range": "bytes=0-1"}, 304),
        ({"If_Match": '"other"'}, 412),
        ({"If_Match": ETAG}, 200),
    ):
        page = ask(browser, **headers)
        assert page.status == status, headers
        assert page.response.data == (TREES if status == 200 else b"")
        assert page.response.headers["ETag"] == ETAG


def test_a_part_is_only_sent_of_the_version_that_somebody_has(
    browser: Browser, public: None, clock: MovableClock
) -> None:
    for if_range, status in (
        (ETAG, 206),
        ('"other"', 200),
        (f"W/{ETAG}", 200),
        (http_date(clock()), 206),
        (http_date(clock() + timedelta(seconds=1)), 200),
        ("nonsense", 200),
    ):
        page = ask(browser, Range="bytes=0-3", If_Range=if_range)
        assert (page.status, page.response.data) == (status, TREES[:4] if status == 206 else TREES), if_range


def test_head_says_what_get_would_and_sends_nothing(browser: Browser, public: None) -> None:
    whole, head = ask(browser), ask(browser, "HEAD", Range="bytes=0-1")
    assert (head.status, head.response.data) == (200, b"")
    assert list(head.response.headers) == list(whole.response.headers)


NAMES = [
    'a"b.csv',
    "a\r\nX-Evil: 1.csv",
    "../../secret_key",
    "\u202ecsv.exe",
    "\U0001f333 \u00fcber.csv",
    "a" * 300 + ".csv",
    "con.txt",
    "; filename=x.html",
    "page.html",
    "picture.svg",
    "%2e%2e%2fx",
    ".htaccess",
]


def test_no_name_makes_the_download_anything_but_a_download(
    browser: Browser, people: Cast, app: Flask, clock: MovableClock, instance: Path
) -> None:
    content = b"<html><script>alert(1)</script><svg onload=alert(1)>"
    with app.app_context():
        slugs = [add(clock, f"Dataset {number}", content, name) for number, name in enumerate(NAMES)]
    browser.log_in(people.reader)
    for row, slug in zip(every(app), slugs, strict=True):
        page = ask(browser, path=f"/portals/city-data/datasets/{slug}/file")
        said, stored = page.response.headers, row.file_name or ""
        assert (page.status, page.response.data) == (200, content)
        assert said.getlist("Content-Type") == ["application/octet-stream"]
        assert said.getlist("Content-Security-Policy") == ["sandbox; default-src 'none'"]
        assert said.getlist("X-Content-Type-Options") == ["nosniff"]
        assert "X-Evil" not in said
        assert parse_options_header(said["Content-Disposition"]) == ("attachment", {"filename": stored})
        assert not set('\r\n/\\"\u202e') & set(stored)
        assert 0 < len(stored.encode()) <= 255
    assert list(files(instance).values()) == [content]


def test_only_what_is_for_everybody_may_be_kept_by_anybody(
    browser: Browser, new_browser: Callable[[], Browser], people: Cast, app: Flask, public: None, clock: MovableClock
) -> None:
    with app.app_context():
        add(clock, "Plans", b"secret", "plans.csv", visibility=MEMBERS)
    member = new_browser()
    member.log_in(people.reader)
    for who in (browser, member):
        assert ask(who).response.headers["Cache-Control"] == "no-cache"
        assert ask(who, If_None_Match=ETAG).response.headers["Cache-Control"] == "no-cache"
    plans = FILE.replace("trees", "plans")
    assert ask(member, path=plans).response.headers["Cache-Control"] == "no-store"
    rows.put(app, update(Portal).values(visibility="private"))
    assert ask(member).response.headers["Cache-Control"] == "no-store"
    assert ask(browser, If_None_Match=ETAG).location == f"/log-in?next={FILE}"


def test_a_file_that_is_missing_or_cut_off_on_the_disk_is_not_found_and_noted(
    browser: Browser, public: None, instance: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = instance / "files" / DIGEST[:2] / DIGEST
    for spoil in (lambda: path.write_bytes(TREES[:-1]), path.unlink):
        spoil()
        caplog.clear()
        with caplog.at_level(logging.ERROR, "mfaportal.files"):
            assert ask(browser).status == 404
            page = browser.get(FILE.removesuffix("/file"))
        assert page.status == 200
        assert "The file of this dataset is missing or damaged." in page.text
        assert "Download" not in page.text
        assert caplog.text.count("is missing or cut off") == 2


def test_a_file_that_is_being_read_can_be_deleted_meanwhile(
    browser: Browser, people: Cast, app: Flask, clock: MovableClock, new_browser: Callable[[], Browser]
) -> None:
    content = b"x" * 1_000_000
    with app.app_context():
        add(clock, "Trees", content)
    browser.log_in(people.reader)
    editor = new_browser()
    editor.log_in(people.editor)
    answer = browser.client.get(FILE, base_url="http://127.0.0.1:8000")
    pieces = answer.iter_encoded()
    first = next(pieces)
    editor.submit("/portals/city-data/backoffice/datasets/trees/delete")
    assert first + b"".join(pieces) == content
    answer.close()
    assert ask(browser).status == 404


def test_a_browser_sends_a_file_and_gets_it_back(browser: Browser, people: Cast, instance: Path) -> None:
    browser.log_in(people.editor)
    sent = {"csrf_token": browser.csrf(NEW), "title": "Trees", "visibility": "public"}
    content = b"\x00\xff\r\n" * 30_000
    answer = browser.open("POST", NEW, data={**sent, "file": (io.BytesIO(content), "../data/trees.csv")})
    assert answer.location == "/portals/city-data/backoffice/datasets/trees"
    page = ask(browser)
    assert page.response.data == content
    assert page.response.headers["Content-Disposition"] == 'attachment; filename="trees.csv"'
