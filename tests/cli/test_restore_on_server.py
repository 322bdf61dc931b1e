"""Backups and restores of a database on a server: the same archives, all of it or nothing, the old one kept."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from mfaportal.domain import copied_rows, event_proof
from mfaportal.domain.event_proof import Whole
from mfaportal.models import Account, Dataset, Event, Login
from mfaportal.plumbing import table_rows
from mfaportal.plumbing.db import db, transaction
from tests import kept_connections
from tests.browser_client import Browser
from tests.cli.dying import dies_at
from tests.cli.terminal import Terminal
from tests.clock import MovableClock
from tests.datasets import add as add_dataset
from tests.people import Cast, give_app
from tests.rows import put
from tests.server import Server
from tests.stored import stored

pytestmark = pytest.mark.postgresql_only("it is about databases on a server")
MakeApp = Callable[..., Flask]


@pytest.fixture
def backup(terminal: Terminal, app: Flask, people: Cast, clock: MovableClock, tmp_path: Path) -> Path:
    """Of an installation with a dataset, an editor who has an app, and somebody who is logged in."""
    with app.app_context():
        add_dataset(clock, "Trees")
        give_app(people.editor, clock)
    Browser(app, clock).log_in(people.reader)
    terminal.do("backup", str(tmp_path / "b.tar"))
    return tmp_path / "b.tar"


def _file_at(folder: Path) -> dict[str, str]:
    return {"MFAPORTAL_INSTANCE": str(folder), "MFAPORTAL_DATABASE_URL": f"sqlite:///{folder / 'mfaportal.sqlite3'}"}


def _is_the_same(app: Flask, people: Cast, clock: MovableClock) -> None:
    """People come in with what they had, but for logins; the log is whole; numbers go on."""
    assert len(stored(app, Account)) == 4
    assert all(login.ended_at for login in stored(app, Login))
    clock.advance(seconds=30)
    assert Browser(app, clock).log_in(people.editor).status == 303
    with app.app_context():
        assert isinstance(event_proof.verify(), Whole)
    assert Terminal(app).do("doctor").code == 0
    assert stored(app, Event)[-1].kind == "login:completed"


def test_what_was_backed_up_from_a_server_is_restored_into_a_file_and_back(
    make_app: MakeApp, backup: Path, people: Cast, clock: MovableClock, tmp_path: Path
) -> None:
    settings = _file_at(tmp_path / "file")
    Terminal(make_app(**settings)).do("restore", str(backup))
    in_file = make_app(**settings)
    _is_the_same(in_file, people, clock)
    Terminal(in_file).do("backup", str(tmp_path / "c.tar"))
    Terminal(make_app(MFAPORTAL_INSTANCE=str(tmp_path / "back"))).do("restore", str(tmp_path / "c.tar"))
    _is_the_same(make_app(MFAPORTAL_INSTANCE=str(tmp_path / "back")), people, clock)


def test_nothing_is_replaced_unless_it_is_forced_and_then_it_is_kept_as_a_file(
    terminal: Terminal, make_app: MakeApp, app: Flask, backup: Path, instance: Path, database_url: str
) -> None:
    terminal.do("accounts", "suspend", "reader@example.org")
    said = terminal.refused("restore", str(backup))
    assert said.startswith("There is an installation in postgresql+psycopg://")
    assert stored(app, Account, email="reader@example.org")[0].suspended_at is not None
    ran = terminal.run("restore", str(backup), "--force")
    assert (ran.code, ran.err) == (0, "")
    (old,) = instance.glob("before-restore-*")
    assert str(old) in ran.out
    assert sorted(path.name for path in old.iterdir()) == ["files", "keyring", "mfaportal.sqlite3", "secret_key"]
    assert stored(app, Account, email="reader@example.org")[0].suspended_at is None
    assert stored(app, Event)[-1].kind == "backup:restored"
    kept = make_app(**_file_at(old))
    assert stored(kept, Account, email="reader@example.org")[0].suspended_at is not None
    assert len(stored(kept, Dataset)) == 1


def _is_suspended(app: Flask) -> bool:
    return stored(app, Account, email="reader@example.org")[0].suspended_at is not None


@pytest.mark.parametrize(
    ("function", "behind", "is_old"),
    [
        ("mfaportal.plumbing.staging.wait", True, True),
        ("mfaportal.plumbing.staging.decide_waiting", False, False),
        ("mfaportal.domain.restoring.Restored", False, False),
    ],
    ids=["before the commit", "behind it", "at the end"],
)
def test_killed_at_any_moment_the_old_installation_is_there_or_the_new_one(
    terminal: Terminal,
    make_app: MakeApp,
    backup: Path,
    instance: Path,
    server: Server,
    function: str,
    behind: bool,
    is_old: bool,
) -> None:
    """The keys were rotated since: a start finds a database and a key ring that fit together either way."""
    terminal.do("accounts", "suspend", "reader@example.org")
    terminal.do("keys", "rotate")
    with terminal.app.app_context():
        db.engine.dispose()
    assert dies_at(server, function, "restore", str(backup), "--force", behind=behind)
    app = make_app()
    assert _is_suspended(app) == is_old
    assert len((instance / "keyring").read_text().splitlines()) == (3 if is_old else 2)
    assert (instance / "restoring").exists() == is_old
    if is_old:
        assert "before it changed anything" in Terminal(app).run("doctor").out
        with app.app_context():
            db.engine.dispose()
        assert Terminal(app).run("restore", str(backup), "--force").err == ""
        assert not _is_suspended(make_app())


def test_one_that_fails_in_the_middle_leaves_all_as_it_was(
    terminal: Terminal, app: Flask, backup: Path, instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored(app, Event), stored(app, Account), (instance / "keyring").read_bytes()
    monkeypatch.setattr(table_rows, "go_on_from", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        terminal.run("restore", str(backup), "--force")
    assert (stored(app, Event), stored(app, Account), (instance / "keyring").read_bytes()) == before
    assert list(instance.glob("restoring")) == list(instance.glob("before-restore-*")) == []


def test_it_waits_for_nobody_who_has_the_database_open(
    terminal: Terminal, make_app: MakeApp, backup: Path, instance: Path, tmp_path: Path, database_url: str
) -> None:
    shutil.copytree(instance, tmp_path / "abroad")
    abroad = make_app(MFAPORTAL_INSTANCE=str(tmp_path / "abroad"), MFAPORTAL_DATABASE_URL=database_url)
    assert stored(abroad, Account)
    said = terminal.refused("restore", str(backup), "--force")
    assert said == "The portal, or a command of it, runs on this machine; stop it first."


def test_a_backup_is_one_moment_however_long_it_takes(
    terminal: Terminal, app: Flask, people: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody writes behind the look at the files, and before the first row is read."""
    look = copied_rows.holds

    def and_somebody_writes(*arguments: object) -> object:
        put(app, update(Account).values(name="Changed meanwhile"))
        return look(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(copied_rows, "holds", and_somebody_writes)
    terminal.do("backup", str(tmp_path / "b.tar"))
    monkeypatch.undo()
    Terminal(app).do("restore", str(tmp_path / "b.tar"), "--force")
    assert {account.name for account in stored(app, Account)} == {"Reader", "Editor", "Admin", "Operator"}


def _connect_anew(app: Flask) -> None:
    with app.app_context():
        db.engine.dispose()
    kept_connections.forget()


def test_doctor_says_which_server_it_is_and_what_is_wrong_with_it(
    terminal: Terminal, app: Flask, people: Cast
) -> None:
    (line,) = [line for line in terminal.do("doctor").lines if line.startswith("database ")]
    assert "PostgreSQL 1" in line
    assert line.endswith("answers and can be written")
    with app.app_context(), transaction() as session:
        name = session.scalar(select(text("current_database()")))
        session.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    _connect_anew(app)
    ran = terminal.run("doctor")
    with app.app_context(), db.engine.connect().execution_options(mfaportal_writes=True) as connection:
        connection.execute(text(f"ALTER DATABASE {name} RESET default_transaction_read_only"))
        connection.commit()
    _connect_anew(app)
    assert ran.code == 1
    assert "takes no writes; name the server that does" in ran.out
