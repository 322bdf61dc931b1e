"""`copy-database`: what is printed, what is refused before anything is touched, and what is never shown."""

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from mfaportal.models import Account, Event
from mfaportal.plumbing import running
from mfaportal.plumbing.db import db
from tests import databases
from tests.cli.dying import dies_at
from tests.cli.terminal import Terminal
from tests.cli.test_database_shape import set_revision
from tests.people import Cast
from tests.server import Server
from tests.stored import stored

MakeApp = Callable[..., Flask]
DIGEST_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.fixture
def other(tmp_path: Path) -> str:
    """The address of an empty database, of the kind that the tests run on."""
    return databases.url_of(tmp_path / "other")


def _let_go(app: Flask) -> None:
    """Else it would be seen as a portal that has the database open."""
    with app.app_context():
        db.engine.dispose()


def test_it_prints_what_it_has_compared_and_what_is_to_be_done_now(
    terminal: Terminal, people: Cast, instance: Path, other: str
) -> None:
    ran = terminal.do("copy-database", other)
    assert ran.kinds == ["database:copied"]
    assert set(ran.events[0].details) == {"here", "there"}
    rows = dict(re.findall(r"^(\w+) +(\d+) +[0-9a-f]{64}$", ran.out, re.MULTILINE))
    assert (rows["accounts"], rows["memberships"], rows["logins"]) == ("4", "3", "0")
    assert re.search(rf"^logins +0 +{DIGEST_OF_NOTHING}$", ran.out, re.MULTILINE)
    assert "Now set MFAPORTAL_DATABASE_URL to it. Until then keep the portal stopped" in ran.out
    assert ran.lines[-1].endswith(f"they stay in {instance}.")
    assert ("Stop it on every host" in ran.out) == databases.on_postgresql()


def test_the_same_command_once_more_is_refused_and_so_is_the_portals_own_database(
    terminal: Terminal, app: Flask, people: Cast, database_url: str, other: str, make_app: MakeApp
) -> None:
    assert terminal.refused("copy-database", database_url) == "The portal uses this database already."
    terminal.do("copy-database", other)
    assert terminal.refused("copy-database", other).endswith(": it is not empty.")
    there = make_app(MFAPORTAL_DATABASE_URL=other)
    assert len(stored(there, Account)) == 4
    assert stored(there, Event) == stored(app, Event)


def test_one_that_somebody_else_uses_or_another_version_is_refused(
    terminal: Terminal, people: Cast, other: str, make_app: MakeApp, tmp_path: Path
) -> None:
    contents = databases.contents_of(tmp_path / "other")
    (tmp_path / "other").mkdir()
    contents.execute("CREATE TABLE theirs (id integer PRIMARY KEY)")
    assert terminal.refused("copy-database", other).endswith(": there are tables of something else in it.")
    contents.execute("DROP TABLE theirs")
    app = make_app(MFAPORTAL_DATABASE_URL=other)
    for revision in ("0001", "9999"):
        set_revision(app, revision)
        _let_go(app)
        said = terminal.refused("copy-database", other)
        assert said.endswith(f": it is of another version of the portal ({revision}, not 0005).")


def test_it_waits_for_nobody_who_serves_the_portal(
    terminal: Terminal, people: Cast, instance: Path, other: str
) -> None:
    with running.alone(instance):
        assert terminal.refused("copy-database", other) == "The portal is running; stop it first."


SECRET = "s3cret-0"
NO_DATABASES = {
    f"mysql://portal:{SECRET}@localhost/portal": "The URL must begin with sqlite:/// or postgresql+psycopg://.",
    f"postgresql+psycopg://portal:{SECRET}@{SECRET}@localhost/portal": "there it is written %40.",
    f"postgresql+psycopg://portal@localhost:{SECRET}/portal": "The URL is no address of a database.",
    "sqlite:////proc/nowhere/portal.sqlite3": "cannot be used as a database",
    "sqlite:///": "The URL must name a file",
}


@pytest.mark.parametrize("url", NO_DATABASES)
def test_what_is_no_database_is_said_and_no_password_with_it(terminal: Terminal, people: Cast, url: str) -> None:
    said = terminal.refused("copy-database", url)
    assert NO_DATABASES[url] in said
    assert SECRET not in said
    assert "MFAPORTAL" not in said


def test_without_the_driver_it_says_how_to_install_it(
    terminal: Terminal, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    said = terminal.refused("copy-database", f"postgresql+psycopg://portal:{SECRET}@localhost/portal")
    assert "requirements-postgresql.txt" in said
    assert SECRET not in said


def test_a_file_that_came_to_nothing_is_not_left_behind(
    terminal: Terminal, people: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mfaportal.plumbing.table_rows.portions", lambda *_: iter([[("no", "row")]]))
    assert "could not be copied" in terminal.refused("copy-database", f"sqlite:///{tmp_path / 'c.sqlite3'}")
    assert list(tmp_path.glob("c.sqlite3*")) == []


@pytest.mark.postgresql_only("SQLite's server is a file")
def test_a_server_that_is_away_or_does_not_let_in_is_said_without_the_password(
    terminal: Terminal, people: Cast, other: str
) -> None:
    for url, words in {
        f"postgresql+psycopg://portal:{SECRET}@127.0.0.1:1/portal": "does not answer",
        other.replace("mfaportal@", f"nobody-here:{SECRET}@"): "nobody-here",
    }.items():
        said = terminal.refused("copy-database", url)
        assert words in said
        assert SECRET not in said


@pytest.mark.postgresql_only("of a file the lock in the folder says it")
def test_a_portal_on_another_host_is_seen(
    terminal: Terminal, people: Cast, other: str, make_app: MakeApp, instance: Path, tmp_path: Path, database_url: str
) -> None:
    """Another folder with the same keys, the same database, and a connection that waits for the next request."""
    shutil.copytree(instance, tmp_path / "abroad")
    abroad = make_app(MFAPORTAL_INSTANCE=str(tmp_path / "abroad"), MFAPORTAL_DATABASE_URL=database_url)
    assert stored(abroad, Account)
    said = terminal.refused("copy-database", other)
    assert said == "The portal, or a command of it, runs on this machine; stop it there first."


def test_killed_in_the_middle_it_leaves_an_installation_that_works_and_can_be_run_again(
    server: Server, app: Flask, people: Cast, other: str
) -> None:
    _let_go(app)
    assert dies_at(server, "mfaportal.plumbing.table_rows.prove", "copy-database", other)
    assert "every table there is as it is here." in server.flask("copy-database", other).stdout
    assert server.flask("audit", "verify").returncode == 0
