"""The password on standard input: its first line, judged like one that is chosen on a page, shown nowhere."""

import os
import pty
import subprocess
import sys
from contextlib import suppress

import pytest
from flask import Flask
from sqlalchemy import select

from mfaportal.models import Account
from mfaportal.plumbing.config import ROOT
from mfaportal.plumbing.passwords import verify_password
from tests import rows
from tests.cli.terminal import Terminal
from tests.server import Server

PASSWORD = "seven lamps on the quiet harbour"
CREATE = ("accounts", "create", "new@example.org", "--name", "Quiet Harbourmaster", "--password-stdin")
EASY = "This password is too easy to guess. Choose one that nobody else has."
SHORT = "Use at least 12 characters."
LONG = "Use at most 256 characters."
NOT_UTF8 = "The password on standard input is not UTF-8."
NONE = "There is no password on the first line of standard input."


@pytest.mark.parametrize(
    ("stdin", "password"),
    [
        (f"{PASSWORD}\n", PASSWORD),
        (f"{PASSWORD}\r\n", PASSWORD),
        (PASSWORD, PASSWORD),
        (f"{PASSWORD}\nmore\n", PASSWORD),
        ("  spaces stay where they are  \n", "  spaces stay where they are  "),
        ("ünïcödë lamps\n", "ünïcödë lamps"),
        ("🏮" * 256 + "\n", "🏮" * 256),
    ],
)
def test_the_first_line_is_the_password(terminal: Terminal, app: Flask, stdin: str, password: str) -> None:
    ran = terminal.do(*CREATE, stdin=stdin.encode())
    (account,) = rows.rows(app, select(Account))
    assert verify_password(password, account.password_digest)
    assert password not in ran.out
    assert all(password not in str(event.details) for event in ran.events)


@pytest.mark.parametrize(
    ("stdin", "sentence"),
    [
        (b"", NONE),
        (b"\n", NONE),
        (b"\r\n", NONE),
        (b"\nsecond line password\n", NONE),
        (b"\xff\xfe not utf-8 at all\n", NOT_UTF8),
        ("ünïcödë lamps".encode("latin-1"), NOT_UTF8),
        (b"eleven char\n", SHORT),
        (b"x" * 257, LONG),
        (b"x" * 100_000, LONG),
        (b"unbelievable\n", EASY),
        (b"quiet harbourmaster\n", EASY),
        (b"new@example.org\n", EASY),
    ],
)
def test_a_password_that_is_none_or_not_allowed_makes_nobody(
    terminal: Terminal, app: Flask, stdin: bytes, sentence: str
) -> None:
    assert terminal.refused(*CREATE, stdin=stdin) == sentence
    assert rows.rows(app, select(Account)) == []


def test_the_name_of_the_portal_is_no_password(terminal: Terminal, people: object) -> None:
    assert terminal.refused(*CREATE, stdin="City data 2026\n") == EASY


def test_a_terminal_asks_and_shows_nothing_of_what_is_typed(server: Server) -> None:
    keyboard, screen = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", *CREATE],
        cwd=ROOT,
        env=server.environ,
        stdin=screen,
        stdout=subprocess.PIPE,
        stderr=screen,
        start_new_session=True,
    )
    os.close(screen)
    seen = b""
    while b"Password: " not in seen:
        seen += os.read(keyboard, 1024)
    os.write(keyboard, PASSWORD.encode() + b"\n")
    out, _ = process.communicate(timeout=60)
    with suppress(OSError):  # the other end is closed, and perhaps nothing is left to read
        seen += os.read(keyboard, 1024)
    os.close(keyboard)
    assert (process.returncode, out.splitlines()[0][:32]) == (0, b"Made the account new@example.org")
    assert PASSWORD.encode() not in seen + out
