"""D10, the upgrade: from every older version with data, killed at one step after the other, and by two at once.

Whatever died, the database is the old one to the row or the new one; run again, it is what an upgrade makes that
nobody disturbed. That a migration fails by itself is in `tests.test_migrations`, first starts are in
`tests.test_first_start`.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade

from mfaportal.domain import one_time_links
from mfaportal.models.setting import LATEST_INSTANT
from mfaportal.plumbing import migrations
from mfaportal.plumbing.config import ROOT
from mfaportal.plumbing.db import db
from tests import databases
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.contents import contents
from tests.datasets import add as add_dataset
from tests.faults import upgrade_and_die
from tests.faults.length import either
from tests.invitations import invited
from tests.migrating import Content, Look
from tests.people import Cast, give_app, on_the_command_line
from tests.plugins.figures import Figure

OLDER = [revision.revision for revision in ScriptDirectory(str(migrations.FOLDER)).walk_revisions()][:0:-1]
"""All that there was before the newest, the oldest first."""
KILLS = either(2, 20)
UPGRADE, START = "db upgrade", "start"
"""Both are documented: the start migrates by itself."""
TOGETHER = either([(UPGRADE, START)], [(UPGRADE, UPGRADE), (START, START), (UPGRADE, START)])
ROUNDS = either(1, 5)
SUBJECT = "D10 upgrades"
Ended = list[dict[str, Any]]


class Old:
    """A filled installation that an older version has left. `again` brings it back to that, whatever was done."""

    def __init__(self, app: Flask, instance: Path, commands: subprocess.Popen[str]) -> None:
        self.url = databases.url_of(instance)
        self.look = Look(self.url)
        self._app, self._commands, self._settings = app, commands, databases.settings_of(instance)

    def again(self, revision: str) -> Content:
        with self._app.app_context():
            migrations.register(self._app)
            downgrade(directory=str(migrations.FOLDER), revision=revision)
            db.session.remove()
            db.engine.dispose()
        return self.look.content()

    def run(self, *run: str, die_at: int = 0) -> Ended:
        """Each in a process of its own, all at once; what became of them."""
        assert self._commands.stdin is not None
        assert self._commands.stdout is not None
        wish = {"run": run, "die_at": die_at, "settings": self._settings}
        print(json.dumps(wish), file=self._commands.stdin, flush=True)
        ended: Ended = json.loads(self._commands.stdout.readline())
        return ended

    @property
    def revision(self) -> object:
        return self.look.value("SELECT version_num FROM alembic_version")

    def unsound(self) -> list[str]:
        """What is wrong with it, once it is of this version."""
        (doctor,) = self.run("doctor")
        faults = contents(self.url).unsound()
        faults += [] if self.revision == migrations.HEAD else [f"it is at {self.revision}"]
        return faults + ([] if doctor["status"] == 0 else [doctor["said"]])


def _fill(app: Flask, people: Cast, browser: Browser, clock: MovableClock) -> None:
    """Something of whatever an installation holds, by the portal's own operations."""
    with app.app_context():
        for person in people.everybody:
            give_app(person, clock, codes=True)
        add_dataset(clock, "Trees")
        one_time_links.make_reset_link(on_the_command_line(clock), people.reader.id)
    invited(app, clock)
    browser.give_password(people.editor, password="a wrong one")
    browser.log_in(people.admin)


@pytest.fixture(scope="module")
def commands() -> Iterator[subprocess.Popen[str]]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MFAPORTAL_")}
    command, pipe = [sys.executable, "-m", upgrade_and_die.__name__], subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=kept, text=True, stdin=pipe, stdout=pipe) as running:
        yield running
        assert running.stdin is not None
        running.stdin.close()  # it ends by itself


@pytest.fixture
def old(
    app: Flask,
    people: Cast,
    browser: Browser,
    clock: MovableClock,
    instance: Path,
    commands: subprocess.Popen[str],
) -> Old:
    _fill(app, people, browser, clock)
    return Old(app, instance, commands)


def _lost(before: Content, now: Content) -> list[str]:
    """Rows of the old database that are no longer there, in the columns that there were. A start notes its time."""
    return [
        f"{table}: {row} is lost"
        for table, rows in before.items()
        for row in rows
        if row.get("name") != LATEST_INSTANT
        if not any(row.items() <= other.items() for other in now.get(table, []))
    ]


def _undisturbed(old: Old, revision: str) -> tuple[Content, Content, int]:
    """The old database, what an upgrade makes of it, and in how many steps."""
    before = old.again(revision)
    (done,) = old.run(UPGRADE)
    assert done["status"] == 0, done["said"]
    after = old.look.content()
    assert (_lost(before, after), old.unsound()) == ([], [])
    assert sum(map(len, before.values())) > 20, "there is something to lose"
    return before, after, int(done["said"].rpartition(upgrade_and_die.STEPS)[2])


@pytest.mark.parametrize("revision", either(OLDER[:1], OLDER))
def test_an_upgrade_that_is_killed_is_the_old_installation_or_the_new_one(
    old: Old, figure: Figure, revision: str
) -> None:
    before, after, steps = _undisturbed(old, revision)
    wrong: list[str] = []
    stayed = 0
    for number in range(1, KILLS + 1):
        die_at = max(1, round(number * (steps + 1) / KILLS))  # the last one dies when all is done
        wrong += [] if old.again(revision) == before else ["a downgrade has lost something"]
        (killed,) = old.run(UPGRADE, die_at=die_at)
        wrong += [] if killed["status"] == -signal.SIGKILL else [f"not killed at {die_at}: {killed}"]
        is_old = old.revision == revision
        stayed += is_old
        wrong += [] if old.look.content() == (before if is_old else after) else [f"half done at {die_at}"]
        (again,) = old.run(UPGRADE)
        wrong += [] if again["status"] == 0 else [again["said"]]
        wrong += [] if old.look.content() == after else [f"not whole after it died at {die_at} of {steps}"]
        wrong += old.unsound()
    figure(SUBJECT, killed=KILLS, rolled_back=stayed, half_done_or_lost=len(wrong))
    assert not wrong, "\n".join(wrong)
    assert 0 < stayed < KILLS, "the kills lie before the commit and behind it"


@pytest.mark.parametrize("pair", TOGETHER, ids=" + ".join)
def test_two_that_upgrade_at_once_migrate_once(old: Old, figure: Figure, pair: tuple[str, str]) -> None:
    wrong: list[str] = []
    for revision in either(OLDER[-1:], OLDER) * ROUNDS:
        before = old.again(revision)
        ended = old.run(*pair)
        wrong += [each["said"] for each in ended if each["status"]]
        wrong += _lost(before, old.look.content()) + old.unsound()
        wrote = [each for each in ended if upgrade_and_die.MADE_TABLES in each["said"]]
        wrong += [] if len(wrote) == 1 else [f"{len(wrote)} have migrated: {ended}"]
    rounds = len(either(OLDER[-1:], OLDER)) * ROUNDS
    figure(f"{SUBJECT} by two at once", rounds=rounds, went_wrong=len(wrong))
    assert not wrong, "\n".join(wrong)
