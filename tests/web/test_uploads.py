"""Who may send how much, and when: nothing is spooled before the gate has passed, and nothing is left behind."""

import errno
import io
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest
from flask import Flask

from mfaportal.plumbing.file_store import FileStore, SpooledFile
from mfaportal.web import uploads
from tests.browser_client import ORIGIN, Browser, Page
from tests.datasets import every, files, spooled
from tests.input.multipart import BOUNDARY, MULTIPART, multipart, text_part
from tests.people import Cast

NEW = "/portals/city-data/backoffice/datasets/new"
MB = 1024 * 1024


class Endless:
    """A body that is made while it is read: its head, and then zeros. `taken` counts what somebody read of it."""

    def __init__(self, head: bytes, length: int, *, breaks_off: bool = False) -> None:
        self._head = head
        self.length = length
        self.taken = 0
        self._breaks_off = breaks_off

    def read(self, size: int = -1) -> bytes:
        size = min(size if size >= 0 else self.length, self.length - self.taken)
        if self._breaks_off and self.taken > self.length // 2:
            raise OSError(errno.ECONNRESET, "the client is gone")
        piece = self._head[self.taken : self.taken + size].ljust(size, b"\0")
        self.taken += size
        return piece


def body(csrf: str, length: int, *, breaks_off: bool = False) -> Endless:
    fields = [text_part("csrf_token", csrf), text_part("title", "Trees"), text_part("visibility", "public")]
    head = multipart(*fields).removesuffix(f"--{BOUNDARY}--\r\n".encode())
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="trees.csv"\r\n\r\n'.encode()
    return Endless(head + part, length, breaks_off=breaks_off)


def post(browser: Browser, sent: Endless, path: str = NEW, **environ: str) -> Page:
    """As gunicorn hands a body over."""
    of_body = {"CONTENT_TYPE": MULTIPART, "CONTENT_LENGTH": str(sent.length), "wsgi.input_terminated": True}
    return browser.open("POST", path, environ_overrides={"wsgi.input": sent, **of_body, **environ})


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[SpooledFile]]:
    """Every file that is spooled."""
    seen: list[SpooledFile] = []
    spool = FileStore.spool

    def noting(self: FileStore) -> SpooledFile:
        seen.append(spool(self))
        return seen[-1]

    monkeypatch.setattr(FileStore, "spool", noting)
    yield seen
    assert all(file.closed for file in seen)


@pytest.mark.parametrize(("who", "status"), [("stranger", 303), ("reader", 403)])
def test_200_mb_of_somebody_who_may_not_send_them_are_refused_without_being_kept(
    browser: Browser, people: Cast, instance: Path, made: list[SpooledFile], who: str, status: int
) -> None:
    if who == "reader":
        browser.log_in(people.reader)
    sent = body(browser.csrf("/account" if who == "reader" else "/log-in"), 200 * MB)
    started = time.thread_time()
    page = post(browser, sent)
    assert page.status == status
    assert page.location == ("/log-in" if who == "stranger" else "")
    assert time.thread_time() - started < 0.5
    assert sent.taken <= 32 * MB
    assert made == []
    assert spooled(instance) == []


@pytest.mark.parametrize("path", ["/log-in", "/account", "/nowhere", "/portals/city-data/backoffice/datasets"])
def test_no_other_address_takes_more_than_a_form(
    browser: Browser, people: Cast, made: list[SpooledFile], path: str
) -> None:
    browser.log_in(people.editor)
    assert post(browser, body(browser.csrf("/account"), MB), path).status == 413
    assert made == []


def test_more_than_a_file_may_have_is_refused_in_words_before_anything_is_read(
    browser: Browser, people: Cast, made: list[SpooledFile], app: Flask
) -> None:
    browser.log_in(people.editor)
    sent = body(browser.csrf(NEW), 200 * MB + 64 * 1024 + 1)
    page = post(browser, sent)
    assert page.status == 413
    assert "A file may have at most 200 MB." in page.text
    assert made == []
    assert every(app) == []


def test_a_form_without_a_file_may_not_be_that_long(browser: Browser, people: Cast, made: list[SpooledFile]) -> None:
    browser.log_in(people.editor)
    page = browser.open("POST", NEW, data={"csrf_token": browser.csrf(NEW), "title": "a" * 70_000})
    assert page.status == 413
    long = multipart(text_part("csrf_token", browser.csrf(NEW)), text_part("title", "a" * 300_000))
    assert browser.open("POST", NEW, data=long, content_type=MULTIPART).status == 413
    parts = multipart(*[text_part("a", "b")] * 51)
    assert browser.open("POST", NEW, data=parts, content_type=MULTIPART).status == 413


def test_a_file_needs_its_length(browser: Browser, people: Cast, made: list[SpooledFile]) -> None:
    browser.log_in(people.editor)
    page = post(browser, body(browser.csrf(NEW), MB), HTTP_TRANSFER_ENCODING="chunked")
    assert page.status == 411
    assert "with its length" in page.text
    assert made == []


def test_an_upload_that_breaks_off_leaves_nothing(
    browser: Browser, people: Cast, app: Flask, instance: Path, made: list[SpooledFile]
) -> None:
    browser.log_in(people.editor)
    csrf = browser.csrf(NEW)
    page = post(browser, body(csrf, 2 * MB, breaks_off=True))
    assert page.status == 400
    page = post(browser, body(csrf, MB))  # no closing boundary: the server saw the end of it too early
    assert page.status == 400
    assert len(made) == 2
    assert (every(app), files(instance), spooled(instance)) == ([], {}, [])


def test_an_upload_with_a_stale_form_leaves_nothing(browser: Browser, people: Cast, instance: Path) -> None:
    browser.log_in(people.editor)
    sent = {"csrf_token": "stale", "title": "Trees", "file": (io.BytesIO(bytes(100_000)), "trees.csv")}
    assert browser.open("POST", NEW, data=sent).status == 400
    assert (files(instance), spooled(instance)) == ({}, [])


def test_a_full_disk_is_nobodys_fault_and_leaves_nothing(
    browser: Browser, people: Cast, app: Flask, instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_self: SpooledFile, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    browser.log_in(people.editor)
    sent = {"csrf_token": browser.csrf(NEW), "title": "Trees", "visibility": "public"}
    monkeypatch.setattr(SpooledFile, "write", full, raising=False)
    page = browser.open("POST", NEW, data={**sent, "file": (io.BytesIO(bytes(100_000)), "trees.csv")})
    assert page.status == 503
    assert page.response.headers["Retry-After"] == "5"
    assert (every(app), files(instance), spooled(instance)) == ([], {}, [])


def test_no_file_takes_the_room_that_log_ins_need(
    browser: Browser, people: Cast, app: Flask, monkeypatch: pytest.MonkeyPatch, made: list[SpooledFile]
) -> None:
    browser.log_in(people.editor)
    sent = multipart_of(browser.csrf(NEW), 100_000)
    monkeypatch.setattr(uploads, "_room", lambda: uploads.SPARE + len(sent) - 1)
    page = browser.open("POST", NEW, data=sent, content_type=MULTIPART)
    assert (page.status, page.response.headers["Retry-After"]) == (503, "30")
    assert "There is no room for this file at present." in page.text
    assert (every(app), made) == ([], [])
    monkeypatch.setattr(uploads, "_room", lambda: uploads.SPARE + len(sent))
    assert browser.open("POST", NEW, data=sent, content_type=MULTIPART).status == 303


def test_a_worker_takes_two_large_files_at_once_and_asks_the_third_to_come_back(
    browser: Browser, new_browser: Callable[[], Browser], people: Cast, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.log_in(people.editor)
    csrf, cookies = browser.csrf(NEW), browser.client._cookies
    inside, go_on = threading.Barrier(uploads.AT_ONCE + 1), threading.Event()
    statuses: list[int] = []
    spool = FileStore.spool

    def waiting(self: FileStore) -> IO[bytes]:
        inside.wait(10)
        go_on.wait(10)
        return spool(self)

    def upload() -> None:
        other = new_browser()
        other.client._cookies = cookies
        sent = multipart_of(csrf, 100_000)
        statuses.append(other.open("POST", NEW, data=sent, content_type=MULTIPART).status)

    monkeypatch.setattr(FileStore, "spool", waiting)
    threads = [threading.Thread(target=upload) for _ in range(uploads.AT_ONCE)]
    for thread in threads:
        thread.start()
    inside.wait(10)
    page = browser.open("POST", NEW, data=multipart_of(csrf, 100_000), content_type=MULTIPART)
    assert page.status == 503
    assert page.response.headers["Retry-After"] == "30"
    assert "Other files are being sent at the moment." in page.text
    assert browser.get("/account").status == 200
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert statuses == [303, 303]
    monkeypatch.setattr(FileStore, "spool", spool)
    assert browser.open("POST", NEW, data=multipart_of(csrf, 100_000), content_type=MULTIPART).status == 303
    assert len(every(app)) == 3


def multipart_of(csrf: str, length: int) -> bytes:
    head = body(csrf, 0)._head
    return head + b"x" * length + f"\r\n--{BOUNDARY}--\r\n".encode()


def test_every_body_of_another_endpoint_stays_in_memory(app: Flask, instance: Path) -> None:
    """A form with a file in it that nobody asked for makes no file either."""
    client = app.test_client()
    data = {"email": "a@example.org", "extra": (io.BytesIO(b"x" * 30_000), "x.txt")}
    assert client.post("/log-in", base_url=ORIGIN, data=data).status_code == 400
    assert not (instance / "spool").exists()
