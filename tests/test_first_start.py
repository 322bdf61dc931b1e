"""First starts, in processes of their own: several at once make one installation, for its owner alone."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from mfaportal.plumbing import migrations
from mfaportal.plumbing.config import ROOT
from tests import databases
from tests.faults.length import either
from tests.migrating import Look
from tests.server import Server
from tests.visitor import Visitor

PROCESSES = 4
ROUNDS = either(1, 8)
SettingsOf = Callable[[Path], dict[str, str]]
_START = """
import sys
import flask_migrate
from mfaportal import __main__ as start, cli, models, web
from mfaportal.plumbing import migrations

really = migrations.migrate

def migrate(settings):
    done = really(settings)
    print("migrated" if done else "nothing to do")
    return done

migrations.migrate = migrate
print("ready", flush=True)
sys.stdin.readline()
sys.exit(start.main())
"""
"""What a start does, told step by step; all are held until the last one has loaded everything."""


@pytest.fixture
def usual_umask() -> Iterator[None]:
    """With which others may read what a careless program makes."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def _start_together(settings: dict[str, str]) -> list[str]:
    """What each of the processes said; all must have succeeded."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MFAPORTAL_")}
    command, environment = [sys.executable, "-c", _START], {**kept, **settings}
    pipe = subprocess.PIPE
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdin=pipe, stdout=pipe)
            )
            for _ in range(PROCESSES)
        ]
        for process in processes:
            stack.callback(process.kill)
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * PROCESSES, said
    return said


@pytest.mark.parametrize("number", range(ROUNDS))
def test_starts_at_the_same_moment_make_one_installation(
    settings_of: SettingsOf, tmp_path: Path, usual_umask: None, number: int
) -> None:
    said = _start_together(settings_of(tmp_path / "instance"))
    assert [line for output in said for line in output.splitlines()].count("migrated") == 1, said
    assert len({tuple(re.findall(r"/welcome\?token=\w+", output)) for output in said}) == 1, "one signing key"
    look = Look(databases.url_of(tmp_path / "instance"))
    assert look.value("SELECT count(*) FROM portals") == 1
    assert look.value("SELECT count(*) FROM alembic_version") == 1
    assert look.value("SELECT version_num FROM alembic_version") == migrations.HEAD


def _files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if not path.is_dir()}


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_first_start_writes_into_its_own_folder_only(
    settings_of: SettingsOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, usual_umask: None
) -> None:
    """The checkout is a copy, so that every file in it can be accounted for."""
    checkout, home, scratch = tmp_path / "checkout", tmp_path / "home", tmp_path / "scratch"
    for folder in (checkout, home, scratch):
        folder.mkdir()
    for name in ("mfaportal", "static", "templates"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("wsgi.py", "gunicorn.conf.py"):
        shutil.copy(ROOT / name, checkout)
    monkeypatch.setattr("tests.server.ROOT", checkout)
    server = Server(instance := tmp_path / "deep" / "instance", tmp_path)
    server.environment = {name: str(home) for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME")}
    server.environment |= {"TMPDIR": str(scratch), "PYTHONDONTWRITEBYTECODE": "1"}
    before = _files(checkout)
    try:
        server.start(workers=2)
        Visitor(server).submit("/log-in", email="nobody@example.org", password="wrong " * 40)
        assert _files(checkout) == before
        assert not _files(home) | _files(scratch)
        assert _mode(instance) == 0o700
        modes = {path.name: _mode(path) for path in _files(instance)}
    finally:
        server.stop()
    of_sqlite = set() if databases.on_postgresql() else {"mfaportal.sqlite3", "mfaportal.sqlite3-wal"}
    assert {"secret_key", "keyring", *of_sqlite} <= set(modes), modes
    assert set(modes.values()) == {0o600}, {name: oct(mode) for name, mode in modes.items()}


@pytest.mark.skipif(not Path("/proc/net/unix").exists(), reason="asks Linux which sockets there are")
def test_no_socket_with_a_name_is_opened(server: Server) -> None:
    """The server would otherwise listen for commands at one, in the home folder."""
    server.start(workers=2)
    group = [path for path in Path("/proc").glob("[0-9]*") if _is_of(path, server.pid)]
    assert len(group) >= 3, "the server and its workers"
    theirs = {target for path in group for target in _open_files(path)}
    named = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    assert not [fields[7] for fields in named if len(fields) > 7 and f"socket:[{fields[6]}]" in theirs]


def _open_files(process: Path) -> Iterator[str]:
    for file in (process / "fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since
            yield str(file.readlink())


def _is_of(process: Path, group: int) -> bool:
    try:
        return os.getpgid(int(process.name)) == group
    except ProcessLookupError:
        return False
