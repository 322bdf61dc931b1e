"""The thread beside the requests: one at a time, never ended by what goes wrong, gone when it is told to."""

import fcntl
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from secrets import token_hex

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from mfaportal import background
from mfaportal.background import worker_thread
from mfaportal.background.worker_thread import Background, Chore
from mfaportal.plumbing.config import ROOT
from mfaportal.plumbing.turns import LOCK
from tests.mail_server import mail_server

Begin = Callable[..., Background]


@pytest.fixture
def begin(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Start threads over the test's installation that look often; all of them end with the test."""
    monkeypatch.setattr(worker_thread, "_TICK", 0.02)
    begun: list[Background] = []

    def begin(*chores: Chore) -> Background:
        begun.append(Background(app, list(chores)))
        begun[-1].start()
        return begun[-1]

    yield begin
    for each in begun:
        each.stop()
        assert not each.is_alive()


def until(happened: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def counting(counts: list[int], number: int) -> Chore:
    return Chore("counting", 0, lambda: counts.append(number), 0)


def test_one_of_them_works_and_the_next_takes_over_when_it_is_gone(begin: Begin) -> None:
    counts: list[int] = []
    first = begin(counting(counts, 1))
    until(lambda: counts == [1])
    begin(counting(counts, 2))
    until(lambda: len(counts) > 10)
    assert set(counts) == {1}
    first.stop()
    until(lambda: 2 in counts)
    assert counts == sorted(counts)


@pytest.mark.sqlite_only("its lock is a file; the server's is in test_turns.py")
def test_a_worker_that_is_killed_leaves_the_lock_to_the_others(app: Flask, begin: Begin) -> None:
    path = os.path.join(app.instance_path, LOCK)  # noqa: PTH118
    number = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(number, fcntl.LOCK_EX)
    counts: list[int] = []
    begin(counting(counts, 1))
    time.sleep(0.2)
    assert counts == []
    os.close(number)
    until(lambda: counts != [])
    assert os.stat(path).st_mode & 0o777 == 0o600  # noqa: PTH116


def test_what_goes_wrong_stops_neither_the_thread_nor_the_others_and_is_said_once(
    begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    counts: list[int] = []
    typed = f"typed {token_hex(8)}"

    def fail() -> None:
        counts.append(0)
        raise OperationalError(typed, {}, Exception(typed))

    with caplog.at_level(logging.ERROR, "mfaportal.background"):
        begin(Chore("failing", 0, fail, 0), counting(counts, 1))
        until(lambda: counts.count(0) > 1 and counts.count(1) > 1)
    (record,) = caplog.records
    assert record.getMessage().startswith("failing went wrong: OperationalError\n")
    assert "in fail" in record.getMessage()
    assert typed not in record.getMessage()


def test_it_ends_within_a_second_though_a_mail_server_hangs(begin: Begin) -> None:
    hanging, release = threading.Event(), threading.Event()

    def hang() -> None:
        hanging.set()
        release.wait()

    thread = begin(Chore("hanging", 0, hang, 0))
    assert hanging.wait(5)
    begun = time.monotonic()
    thread.stop()
    assert time.monotonic() - begun < 2
    assert thread.daemon
    release.set()
    thread.join(2)


@pytest.mark.parametrize("mail", [True, False])
def test_upkeep_comes_a_minute_later_and_mail_only_with_a_server(
    make_app: Callable[..., Flask], *, mail: bool
) -> None:
    with mail_server() as server:
        app = make_app(**({"MFAPORTAL_MAIL_URL": server.url} if mail else {}))
        thread = background.start(app)
        try:
            chores = {chore.name: (chore.every, chore.due - time.monotonic()) for chore in thread._chores}
            assert set(chores) == {"upkeep", "sending mail"} if mail else {"upkeep"}
            assert chores["upkeep"][0] == 3600
            assert 55 < chores["upkeep"][1] <= 60
        finally:
            thread.stop()


def test_a_worker_at_rest_loads_nothing_that_only_mails_need() -> None:
    """Started in a process of its own: this one has loaded everything long ago."""
    code = (
        "import sys; import mfaportal.background; from mfaportal import create_app, cli, web;"
        "print([name for name in ('smtplib', 'ua_parser', 'email.headerregistry') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
