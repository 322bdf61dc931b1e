"""D10: backups while people work, restored and looked at; a restore that is killed; a disk that is full."""

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from flask import Flask

from mfaportal.plumbing import running
from mfaportal.plumbing.config import ROOT
from mfaportal.plumbing.db import db
from tests.cli.terminal import Terminal
from tests.clock import MovableClock
from tests.contents import Contents, contents
from tests.datasets import add as add_dataset
from tests.faults.desks import Admin, Editor
from tests.faults.length import either
from tests.faults.lives import Dweller, Life, Newcomer
from tests.faults.place import standing, unsound
from tests.people import Cast
from tests.plugins.figures import Figure
from tests.server import Server

_PEAK = """
import os, sys
pid = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(pid, 0)
print(usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""Runs a command and prints its peak of memory in kB. By a small process: a child inherits the peak of its parent."""
BACKUPS = either(1, 20)
LARGE = either(20, 400)
PEOPLE: tuple[type[Life], ...] = (Newcomer, Dweller, Dweller, Editor, Admin)


def _fault_of(database: Contents) -> list[str]:
    """What no moment may show: half a set-up, rows that refer to nothing, a damaged file."""
    apps, codes = (
        {row[0] for row in database.execute(f"SELECT DISTINCT account_id FROM {table}")}  # noqa: S608
        for table in ("authenticators", "recovery_codes")
    )
    ((live,),) = database.execute("SELECT count(*) FROM logins WHERE ended_at IS NULL")
    return [f"{apps ^ codes} half set up"] * bool(apps ^ codes) + database.unsound() + ["live"] * live


def _events(database: Contents) -> int:
    return int(database.execute("SELECT count(*) FROM events")[0][0])


def test_a_backup_made_while_people_work_is_one_moment(
    instance: Path, tmp_path: Path, owasp_hashes: None, figure: Figure
) -> None:
    """Each is restored, which checks every digest and every file, and looked at."""
    wrong: list[str] = []
    before: list[int] = []
    with standing(instance, tmp_path) as place:
        lives, stop = [kind(place) for kind in PEOPLE], threading.Event()
        threads = [threading.Thread(target=life.until, args=(stop,)) for life in lives]
        for thread in threads:
            thread.start()
        for number in range(BACKUPS):
            time.sleep(0.5)
            before.append(_events(contents(place.server.database_url)))
            place.server.flask("backup", str(tmp_path / f"{number}.tar"))
        stop.set()
        for thread in threads:
            thread.join(60)
        wrong += [bad for life in lives for bad in (*life.bad, *life.wrong())] + unsound(place)
        locked, told = place.times_locked, sum(life.told for life in lives)
    for number in range(BACKUPS):
        elsewhere = Server(tmp_path / f"restored-{number}", tmp_path)
        done = elsewhere.flask("restore", str(tmp_path / f"{number}.tar"), check=False)
        wrong += [done.stderr] if done.returncode else []
        restored = contents(elsewhere.database_url)
        wrong += _fault_of(restored)
        wrong += [] if _events(restored) > before[number] else ["what had happened before is not in it"]
    figure("D10 backups under load", backups=BACKUPS, successes_meanwhile=told, inconsistent=len(wrong))
    assert (wrong, locked) == ([], 0)
    assert told >= BACKUPS


def test_nothing_is_restored_while_the_portal_runs_and_all_is_well_when_it_was_killed(
    server: Server, app: Flask, instance: Path, tmp_path: Path
) -> None:
    with app.app_context():
        db.engine.dispose()
    server.start(workers=2)
    backup = str(tmp_path / "b.tar")
    server.flask("backup", backup)
    refused = server.flask("restore", backup, "--force", check=False)
    assert (refused.returncode, refused.stderr) == (1, "Error: The portal is running; stop it first.\n")
    before, deadline = set(server.workers), time.monotonic() + 40
    os.kill(server.pid, signal.SIGHUP)
    while before & set(server.workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not before & set(server.workers), "it was reloaded"
    assert running.is_served(instance), "a reload keeps the lock"
    server.stop(signal.SIGKILL)
    assert server.flask("restore", backup, "--force").stdout.startswith("Restored the installation")
    with running.alone(instance) as nobody:
        assert nobody
        start = [sys.executable, "-m", "gunicorn", "wsgi:app"]
        done = subprocess.run(start, cwd=ROOT, env=server.environ, capture_output=True, text=True, check=False)
        assert (done.returncode, "A restore is at work" in done.stderr) == (1, True)
    server.start(workers=1)


@pytest.fixture
def old_and_backup(app: Flask, people: Cast, clock: MovableClock, instance: Path, tmp_path: Path) -> Path:
    """A backup; since then somebody was suspended, the keys were rotated, and a dataset was added."""
    terminal = Terminal(app)
    with app.app_context():
        add_dataset(clock, "Trees")
    terminal.do("backup", str(tmp_path / "b.tar"))
    terminal.do("accounts", "suspend", "reader@example.org")
    terminal.do("keys", "rotate")
    with app.app_context():
        add_dataset(clock, "Bridges", b"other content")
        db.engine.dispose()
    return tmp_path / "b.tar"


def _die(instance: Path, archive: Path, scratch: Path, *points: int) -> list[str]:
    """A line for each point."""
    scratch.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.faults.restore_and_die", str(instance), str(archive), str(scratch)]
    done = subprocess.run(
        [*command, *map(str, points)], cwd=ROOT, capture_output=True, text=True, check=True, timeout=600
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.sqlite_only("PostgreSQL restores in one transaction: tests/cli/test_restore_on_server.py")
def test_a_restore_that_is_killed_leaves_the_old_installation_or_the_new_one(
    old_and_backup: Path, instance: Path, tmp_path: Path, figure: Figure
) -> None:
    (whole,) = _die(instance, old_and_backup, tmp_path / "scratch", 10_000)
    steps = int(whole.split()[1])
    assert whole == f"10000: {steps} undecided new"
    last = range(steps - 20, steps + 1)
    points = either([1, *last[::4]], list(range(1, steps + 1)))
    lines = _die(instance, old_and_backup, tmp_path / "scratch", *points)
    seen = [line.partition(": ")[2] for line in lines]
    mixed = [line for line, found in zip(lines, seen, strict=True) if found.split()[-1] not in ("old", "new")]
    figure("D10 restores killed", restores_killed=len(points), neither_old_nor_new=len(mixed))
    assert mixed == []
    assert all(found in ("died undecided old", "died decided new", "died undecided new") for found in seen), lines
    order = [found.split()[-1] for found in seen]
    assert order == sorted(order, reverse=True), "from one step on it is the new one"
    assert {"died decided new", "died undecided old"} <= set(seen), "there were both"


def test_a_backup_that_finds_no_room_leaves_no_file(server: Server, instance: Path, tmp_path: Path) -> None:
    """A process that may write no file of more than so many blocks."""
    file = tmp_path / "backup" / "b.tar"
    file.parent.mkdir()
    command = shlex.join([sys.executable, "-m", "flask", "--app", "wsgi", "backup", str(file)])
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f 100; exec {command}"],
        cwd=ROOT,
        env=server.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "could not be written" in done.stderr or "did not answer" in done.stderr, done.stderr
    assert list(file.parent.iterdir()) == []
    looked = server.flask("doctor", check=False)
    assert looked.returncode == 0, looked.stdout


def test_memory_stays_flat_with_large_files(
    app: Flask, server: Server, people: Cast, clock: MovableClock, tmp_path: Path, figure: Figure
) -> None:
    with app.app_context():
        add_dataset(clock, "Large", os.urandom(1 << 20) * LARGE)
        db.engine.dispose()
    peaks = {}
    for command in (("backup", str(tmp_path / "b.tar")), ("restore", str(tmp_path / "b.tar"), "--force")):
        flask = [sys.executable, "-m", "flask", "--app", "wsgi", *command]
        done = subprocess.run(
            [sys.executable, "-c", _PEAK, *flask], cwd=ROOT, env=server.environ, capture_output=True, check=True
        )
        peaks[command[0]] = int(done.stdout.splitlines()[-1]) / 1024
    figure("D10 memory", most_mib_of_a_file=LARGE, most_mib_of_memory=round(max(peaks.values())))
    assert max(peaks.values()) < 150, peaks
