"""D9: keys are rotated while people log in, by a run that is killed; and keys that are exchanged, lost or old."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, select

from mfaportal import create_app
from mfaportal.models import Authenticator
from mfaportal.models.authenticator import owner_of
from mfaportal.plumbing.config import ROOT, SettingError
from mfaportal.plumbing.db import db, transaction
from mfaportal.plumbing.runtime import runtime
from mfaportal.rules.totp import new_secret
from tests.browser_client import Browser
from tests.cli.terminal import Terminal
from tests.clock import MovableClock
from tests.databases import contents_of, settings_of
from tests.faults.length import either
from tests.faults.place import standing, unsound
from tests.people import Cast, Person, give_app
from tests.plugins.figures import Figure
from tests.races.arena import Arena
from tests.stored import cookie_of, plant_cookie
from tests.visitor import Visitor

ROUNDS = either(1, 10)
SECRETS = either(1000, 6000)
VISITORS, LOG_INS = 8, either(6, 30)
MakeApp = Callable[..., Flask]
OLD, NEW = "an old key of at least 32 characters", "a new key of at least 32 characters"


def _fill(place: Arena) -> None:
    """So many apps of one person that sealing them again takes a while."""
    person, clock, sealer = _with_app(place), place.clock(), runtime().keys.sealer
    rows = [
        {
            "account_id": person.id,
            "name": f"App {number}",
            "name_key": f"app {number}",
            "sealed_secret": sealer.seal(owner_of(person.id), new_secret()),
            "added_at": clock(),
        }
        for number in range(SECRETS)
    ]
    with transaction() as session:
        session.execute(insert(Authenticator), rows)


def _with_app(place: Arena) -> Person:
    person = place.person()
    give_app(person, place.clock(), codes=True)
    return person


def _log_in_all(place: Arena, people: list[Person], number: int, stop: threading.Event, answers: list[str]) -> None:
    """One after the other, each once."""
    for person in people:
        if stop.is_set():
            return
        visitor = Visitor(place.server, address=f"10.8.{number}.1")
        visitor.give_password(person)
        assert person.phone is not None
        if visitor.location == "/log-in/code":
            visitor.submit("/log-in/code", code=person.phone.code(place.now()))
        answers.append(f"{visitor.status} {visitor.location}")


def _rotate_and_kill(place: Arena) -> None:
    """Until the first hundred are sealed again."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "flask", "--app", "wsgi", "keys", "rotate"],
        cwd=ROOT,
        env=place.server.environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    while not process.stdout.readline().startswith("Sealed"):
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)


def _under(place: Arena) -> dict[bytes, int]:
    """How many secrets are sealed under each key."""
    marks = [row.partition(b":")[0] for row in place.rows(select(Authenticator.sealed_secret))]
    return {mark: marks.count(mark) for mark in set(marks)}


def test_keys_are_rotated_while_people_log_in_and_the_run_is_killed(
    instance: Path, tmp_path: Path, owasp_hashes: None, figure: Figure
) -> None:
    wrong: list[str] = []
    answers: list[str] = []
    with standing(instance, tmp_path, workers=2) as place:
        _fill(place)
        for _ in range(ROUNDS):
            people = [[_with_app(place) for _ in range(LOG_INS)] for _ in range(VISITORS)]
            stop, before = threading.Event(), _under(place)
            threads = [
                threading.Thread(target=_log_in_all, args=(place, theirs, number, stop, answers))
                for number, theirs in enumerate(people)
            ]
            for thread in threads:
                thread.start()
            _rotate_and_kill(place)
            between = _under(place)
            wrong += [] if len(between) == 2 else [f"killed too early or too late: {between}"]
            said = place.server.flask("keys", "rotate").stdout.splitlines()[-1]
            wrong += [] if said.startswith("An earlier rotation was not finished; it is now.") else [said]
            stop.set()
            for thread in threads:
                thread.join()
            after = _under(place)
            wrong += [] if len(after) == 1 and not set(after) & set(before) else [f"left under an old key: {after}"]
            wrong += unsound(place)
        refused = [answer for answer in answers if answer != "303 /"]
        locked = place.times_locked
    figure("D9 keys", rotations_killed=ROUNDS, log_ins_meanwhile=len(answers), log_ins_refused=len(refused))
    assert (wrong, refused, locked) == ([], [], 0)
    assert len(answers) >= VISITORS * ROUNDS


def _logged_in(app: Flask, person: Person, clock: MovableClock) -> Browser:
    browser = Browser(app, clock)
    browser.log_in(person)
    assert browser.get("/account").status == 200
    return browser


def test_logins_live_on_under_a_new_signing_key_as_long_as_the_old_one_verifies(
    make_app: MakeApp, people: Cast, clock: MovableClock
) -> None:
    browser = _logged_in(make_app(MFAPORTAL_SECRET_KEY=OLD), people.reader, clock)
    both, new = (make_app(MFAPORTAL_SECRET_KEY=keys) for keys in (f"{NEW},{OLD}", NEW))
    for app, status, location in ((both, 200, ""), (new, 303, "/log-in?next=/account")):
        later = Browser(app, clock)
        plant_cookie(later, cookie_of(browser))
        page = later.get("/account")
        assert (page.status, page.location) == (status, location)
    later = Browser(new, clock)
    plant_cookie(later, cookie_of(browser))
    assert later.log_in(people.reader).status == 303, "nobody is in the way of logging in again"


def _put_aside(app: Flask, instance: Path) -> tuple[Any, bytes]:
    """The database and the ring as they are now."""
    with app.app_context():
        db.engine.dispose()
    return contents_of(instance).keep(), (instance / "keyring").read_bytes()


def test_an_older_database_goes_with_todays_ring_and_not_the_other_way_round(
    app: Flask, make_app: MakeApp, people: Cast, clock: MovableClock, instance: Path
) -> None:
    """Put in place by hand. What `restore` does beyond that is tested with it."""
    with app.app_context():
        give_app(people.editor, clock)
    yesterday, old_ring = _put_aside(app, instance)
    Terminal(app).do("keys", "rotate")
    today, _ = _put_aside(app, instance)
    contents_of(instance).put_back(yesterday)
    older = make_app()
    _logged_in(older, people.editor, clock)
    assert Terminal(older).do("keys", "rotate").lines[-1].startswith("An earlier rotation was not finished")
    _put_aside(older, instance)
    contents_of(instance).put_back(today)
    (instance / "keyring").write_bytes(old_ring)
    with pytest.raises(SettingError, match="lacks the key"):
        create_app(settings_of(instance))
    start = [sys.executable, "-m", "mfaportal"]
    environment = {**settings_of(instance), "PATH": ""}
    done = subprocess.run(start, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "lacks the key" in done.stderr
