"""`doctor`: a line for each check, ok or what to do; and that it runs where the portal itself does not start."""

import json
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from mfaportal.domain import doctor
from mfaportal.domain.stored_files import store
from mfaportal.models import Dataset
from mfaportal.plumbing import running
from mfaportal.plumbing.db import db
from mfaportal.plumbing.runtime import runtime
from tests.cli.terminal import Terminal
from tests.clock import MovableClock
from tests.datasets import add as add_dataset
from tests.domain.proxy import Setup, proxy
from tests.guarded import guard
from tests.people import Cast, give_app
from tests.rows import put
from tests.server import Server

CHECKS = [
    "settings",
    "file rights",
    "key ring",
    "database",
    "migrations",
    "public URL",
    "mail",
    "server",
    "key ring and database",
    "signing key",
    "clock",
    "proxy headers",
    "dataset files",
]


def _bad(terminal: Terminal) -> dict[str, str]:
    """What is not well, by check."""
    ran = terminal.run("doctor", "--json")
    found = {each["check"]: each["say"] for each in ran.json if not each["ok"]}
    assert (ran.code, ran.err) == (1 if found else 0, "")
    return found


def test_all_is_well_at_first(terminal: Terminal, app: Flask, people: Cast, clock: MovableClock) -> None:
    with app.app_context():
        add_dataset(clock, "Trees")
    ran = terminal.do("doctor", "--json")
    assert [each["check"] for each in ran.json] == CHECKS
    assert all(set(each) == {"check", "ok", "say"} and each["ok"] is True and each["say"] for each in ran.json)
    lines = terminal.do("doctor").lines
    assert lines[0].split() == ["CHECK", "WHAT"]
    assert len(lines) == len(CHECKS) + 1
    assert all("  ok  " in line for line in lines[1:])


def test_what_a_clone_brings_into_the_folder_is_no_matter(terminal: Terminal, instance: Path) -> None:
    (instance / ".gitignore").write_text("*\n")
    (instance / ".gitignore").chmod(0o644)
    assert _bad(terminal) == {}


@pytest.mark.parametrize("name", ["mfaportal.sqlite3", "files", "spool/left"])
def test_what_others_can_read_is_said(terminal: Terminal, instance: Path, name: str) -> None:
    path = instance / name
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600) if "." in name or "/" in name else path.mkdir(mode=0o700, exist_ok=True)
    path.chmod(0o755)
    assert _bad(terminal) == {"file rights": f"Others can read {path}; run: chmod -R go= {path}"}


NOWHERE = "postgresql+psycopg://nobody@127.0.0.1:1/none"


def _damage(database: Path) -> None:
    with database.open("r+b") as file:
        file.seek(3 * 4096)
        file.write(b"\xff" * 8192)


def _leave_wal(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


@pytest.mark.sqlite_only("a server looks after its files itself")
@pytest.mark.parametrize(("harm", "said"), [(_damage, "is damaged"), (_leave_wal, "is in delete mode")])
def test_a_database_that_is_not_well_is_said(
    terminal: Terminal, app: Flask, instance: Path, harm: Callable[[Path], None], said: str
) -> None:
    with app.app_context():
        db.engine.dispose()
    harm(instance / "mfaportal.sqlite3")
    assert said in _bad(terminal)["database"]


@pytest.mark.sqlite_only("a server's disk is not seen from here")
def test_the_machine_may_lack_room(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mfaportal.domain.doctor._FREE", 1 << 60)
    assert "make room" in _bad(terminal)["database"]


def test_a_file_that_the_database_names_is_missing(
    terminal: Terminal, app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        add_dataset(clock, "Trees")
        (digest,) = store().digests()
        store().remove(digest)
    assert _bad(terminal)["dataset files"].startswith(f"1 of 1 are missing or cut off ({digest}")
    put(app, update(Dataset).values(file_digest=None))
    assert _bad(terminal) == {}


def test_a_mail_server_that_does_not_answer_is_said(make_app: Callable[..., Flask]) -> None:
    terminal = Terminal(make_app(MFAPORTAL_MAIL_URL="smtp://127.0.0.1:1"))
    assert set(_bad(terminal)) == {"mail"}


def test_whether_the_portal_is_served(terminal: Terminal, instance: Path) -> None:
    assert {each["say"] for each in terminal.do("doctor", "--json").json} >= {"not running"}
    with running.alone(instance) as nobody:
        assert nobody
        assert {each["say"] for each in terminal.do("doctor", "--json").json} >= {"running"}


def test_an_address_that_is_not_encrypted_is_said(make_app: Callable[..., Flask]) -> None:
    terminal = Terminal(make_app(MFAPORTAL_LISTEN="0.0.0.0:8000", MFAPORTAL_PUBLIC_URL="http://127.0.0.1:8000"))
    assert "is not encrypted" in _bad(terminal)["public URL"]


def test_each_guarded_address_has_a_line_of_its_own(terminal: Terminal, app: Flask, people: Cast) -> None:
    guard(app, "http://localhost:1", "http://localhost:1/app")
    named = [f"guarded address http://localhost:1{prefix}" for prefix in ("", "/app")]
    said = "It cannot be opened from here: nothing listens on port 1 of localhost."
    assert _bad(terminal) == dict.fromkeys(named, said)
    checks = [each["check"] for each in terminal.run("doctor", "--json").json]
    assert checks == [*CHECKS, *named]
    lines = terminal.run("doctor").lines
    assert [line.split("  ")[0] for line in lines if "NOT OK" in line] == named


def test_a_guarded_address_behind_a_good_proxy_is_well(make_app: Callable[..., Flask], clock: MovableClock) -> None:
    app = make_app(MFAPORTAL_TRUSTED_PROXIES="127.0.0.1")
    with proxy(app, Setup()) as host:
        guard(app, f"http://{host}", slug="portal")
        found = Terminal(app).do("doctor", "--json").json[-1]
    assert found["check"] == f"guarded address http://{host}"
    assert found["ok"] is True
    assert "the proxy asks the portal" in found["say"]


def test_what_a_broken_off_restore_left_is_said(terminal: Terminal, instance: Path) -> None:
    (instance / "restoring").mkdir(mode=0o700)
    assert "broken off before it changed anything" in _bad(terminal)["restore"]


def test_it_runs_where_the_portal_refuses_to_start(
    server: Server, app: Flask, people: Cast, clock: MovableClock, instance: Path
) -> None:
    """With another key ring, which the start refuses; every other command says so, and `restore` may help."""
    with app.app_context():
        give_app(people.editor, clock)
        db.engine.dispose()
    ring = instance / "keyring"
    ring.write_text("seal 1 " + "A" * 43 + "=\n" + ring.read_text().splitlines()[1] + "\n")
    done = server.flask("doctor", "--json", check=False)
    assert (done.returncode, done.stderr) == (1, "")
    found = {each["check"]: each for each in json.loads(done.stdout)}
    assert [check for check, each in found.items() if not each["ok"]] == ["key ring and database"]
    refused = server.flask("accounts", "list", check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"mfaportal: {found['key ring and database']['say']}\n"
    assert "is no backup" in server.flask("restore", str(ring), "--force", check=False).stderr


def test_a_driver_that_is_not_installed_is_said(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with app.app_context():
        settings = replace(runtime().settings, database_url=NOWHERE)
        bad = {finding.check: finding.say for finding in doctor.of_machine(settings) if not finding.ok}
    assert "requirements-postgresql.txt" in bad["database"]


@pytest.mark.parametrize(
    ("harm", "check"),
    [
        (lambda server, _instance: server.settings.update(MFAPORTAL_WORKERS="many"), "settings"),
        (lambda _server, instance: (instance / "keyring").unlink(), "key ring"),
        pytest.param(
            lambda _server, instance: (instance / "mfaportal.sqlite3").write_bytes(b"text" * 1000),
            "database",
            marks=pytest.mark.sqlite_only("a server has no file that could be none"),
        ),
        (lambda server, _instance: server.settings.update(MFAPORTAL_DATABASE_URL=NOWHERE), "database"),
    ],
    ids=["setting", "ring", "database", "server"],
)
def test_it_says_which_setting_or_file_stops_the_start(
    server: Server, instance: Path, harm: Callable[[Server, Path], object], check: str
) -> None:
    harm(server, instance)
    done = server.flask("doctor", "--json", check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert check in [each["check"] for each in json.loads(done.stdout) if not each["ok"]]
