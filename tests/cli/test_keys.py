"""`keys list`, `keys rotate`, and a start with a key ring that is not the database's."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import LargeBinary, select, update

from mfaportal import create_app
from mfaportal.cli.terminal import caller
from mfaportal.domain import key_rotation
from mfaportal.domain import set_up as domain_set_up
from mfaportal.models import Authenticator, EventKind, Setting
from mfaportal.models.base import Model
from mfaportal.models.setting import KEY_CANARY
from mfaportal.plumbing.config import SettingError
from mfaportal.plumbing.db import transaction
from mfaportal.plumbing.key_ring import RingFile
from mfaportal.plumbing.runtime import runtime
from mfaportal.plumbing.sealing import SealBroken
from mfaportal.rules.mfa_rule import MfaRule
from mfaportal.rules.totp import check
from tests import offer
from tests.browser_client import Browser
from tests.cli.terminal import Terminal
from tests.clock import MovableClock
from tests.databases import settings_of
from tests.people import Cast, Person, give_app, set_rule
from tests.stored import stored

MakeApp = Callable[..., Flask]


@pytest.fixture
def person(app: Flask, people: Cast, clock: MovableClock) -> Person:
    with app.app_context():
        give_app(people.reader, clock)
        give_app(people.editor, clock)
    return people.reader


def _under(app: Flask) -> list[bytes]:
    return [row.sealed_secret.partition(b":")[0] for row in stored(app, Authenticator)]


def _log_in(app: Flask, person: Person, clock: MovableClock) -> int:
    assert person.phone is not None
    clock.advance(minutes=1)
    browser = Browser(app, clock)
    browser.give_password(person)
    return browser.submit("/log-in/code", code=person.phone.code(clock())).status


def test_everything_is_sealed_again_and_everybody_still_gets_in(
    terminal: Terminal, app: Flask, person: Person, clock: MovableClock, instance: Path
) -> None:
    assert _under(app) == [b"1", b"1"]
    rotated_at = clock()
    ran = terminal.do("keys", "rotate")
    new = f"{clock():%Y%m%dT%H%M%SZ}"
    assert ran.lines[0] == f"Made the key {new}. From now on it seals."
    assert ran.lines[1] == "Sealed 2 again, 0 to go."
    assert ran.kinds == [EventKind.KEYS_ROTATED] * 2
    assert ran.events[1].details == {"key": new, "step": "finished", "sealed": 2, "broken": 0}
    assert _under(app) == [new.encode()] * 2
    assert _log_in(app, person, clock) == 303
    assert [line.split()[:2] for line in (instance / "keyring").read_text().splitlines()] == [
        ["seal", new],
        ["seal", "1"],
        ["digest", "1"],
    ]
    assert (instance / "keyring").stat().st_mode & 0o777 == 0o600
    listed, made = terminal.do("keys", "list", "--json").json, rotated_at.replace(microsecond=0).isoformat()
    assert listed == [
        {"id": new, "kind": "seal", "made_at": made, "uses": 2, "newest": True},
        {"id": "1", "kind": "seal", "made_at": None, "uses": 0, "newest": False},
        {"id": "1", "kind": "digest", "made_at": None, "uses": 0, "newest": True},
    ]
    assert "older backups open with them" in terminal.do("keys", "list").out


def test_workers_that_run_already_seal_and_open_under_the_new_key(
    terminal: Terminal, make_app: MakeApp, person: Person, clock: MovableClock
) -> None:
    worker = make_app()
    assert _log_in(worker, person, clock) == 303
    terminal.do("keys", "rotate")
    assert _log_in(worker, person, clock) == 303
    with worker.app_context():
        assert runtime().keys.sealer.seal("somebody", "secret").startswith(f"{clock():%Y%m%d}T".encode())


def test_one_that_was_broken_off_is_finished_without_another_key(
    terminal: Terminal, app: Flask, person: Person, clock: MovableClock
) -> None:
    with app.app_context():
        key = key_rotation.begin(caller())
    assert _under(app) == [b"1", b"1"], "killed right after the new key was there"
    assert _log_in(app, person, clock) == 303
    assert "not finished" in terminal.do("keys", "rotate").lines[-1]
    assert _under(app) == [key.encode(), key.encode()]
    assert terminal.do("keys", "rotate").lines[0].startswith("Made the key")


def test_what_no_key_opens_is_left_and_said_and_keeps_nothing_from_going_on(
    terminal: Terminal, app: Flask, person: Person
) -> None:
    with app.app_context(), transaction() as session:
        session.execute(update(Authenticator).where(Authenticator.id == 1).values(sealed_secret=b"1:damaged"))
    ran = terminal.run("keys", "rotate")
    assert (ran.code, "No key of the ring opens 1 secret" in ran.err) == (1, True)
    assert _under(app)[0] == b"1"
    made = {ran.lines[0], terminal.run("keys", "rotate").lines[0]}
    assert len(made) == 2, "it does not count as a rotation that was broken off"
    assert "1" in {each["id"] for each in terminal.do("keys", "list", "--json").json if each["uses"] == 1}


def test_what_was_sealed_before_keys_had_ids_opens_and_is_sealed_again(
    terminal: Terminal, app: Flask, person: Person, clock: MovableClock
) -> None:
    with app.app_context(), transaction() as session:
        for row in session.scalars(select(Authenticator)):
            row.sealed_secret = row.sealed_secret.partition(b":")[2]
    assert _log_in(app, person, clock) == 303
    assert terminal.do("keys", "rotate").lines[0].startswith("Made the key")
    assert {mark[:4] for mark in _under(app)} == {f"{clock():%Y}".encode()}


def test_a_change_made_meanwhile_wins(app: Flask, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody's new secret is not overwritten by the renewed old one."""
    with app.app_context():
        key_rotation.begin(caller())
        new = runtime().keys.sealer.seal("account:1", "NEW")
        renew = runtime().keys.sealer.renew

        def change_first(sealed: bytes) -> bytes:
            monkeypatch.undo()
            with transaction() as session:
                session.execute(update(Authenticator).where(Authenticator.id == 1).values(sealed_secret=new))
            return renew(sealed)

        monkeypatch.setattr(runtime().keys.sealer, "renew", change_first)
        list(key_rotation.seal_again(caller()))
    assert stored(app, Authenticator)[0].sealed_secret == new


def test_a_ring_that_cannot_be_written_changes_nothing(
    terminal: Terminal, app: Flask, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path, _target: Path) -> Path:
        raise PermissionError(1, "not allowed")

    monkeypatch.setattr(Path, "replace", refuse)
    assert terminal.refused("keys", "rotate").endswith("by this user: not allowed. Nothing was changed.")
    assert _under(app) == [b"1", b"1"]


def test_the_list_of_what_is_sealed_leaves_nothing_out() -> None:
    """Digests and seals of events aside, every column of bytes."""
    known = {("authenticators", "sealed_secret"), ("logins", "pending_secret"), ("logins", "shown_codes")}
    known |= {("mails", "sealed"), ("mail_jobs", "sealed")}
    assert {(model.__tablename__, column.key) for model, column in key_rotation._SEALED} == known
    bytes_in = {
        (table.name, column.name)
        for table in Model.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary) and "digest" not in column.name and table.name != "event_seals"
    }
    assert bytes_in == known


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda lines: [f"seal 1 {Fernet.generate_key().decode()}", lines[1]], "is not the one"),
        (lambda lines: [lines[0], f"digest 1 {'ab' * 32}"], "is not the one"),
        (lambda lines: [lines[0].replace("seal 1", "seal 7"), lines[1]], "lacks the key “seal 1”"),
    ],
    ids=["another key to seal with", "another key for digests", "a key that is gone"],
)
def test_a_start_with_another_ring_is_refused_in_one_sentence(
    app: Flask, person: Person, instance: Path, change: Callable[[list[str]], list[str]], says: str
) -> None:
    ring = instance / "keyring"
    kept = ring.read_text()
    ring.write_text("\n".join(change(kept.splitlines())) + "\n")
    with pytest.raises(SettingError) as refusal:
        create_app(settings_of(instance))
    assert str(refusal.value).startswith("MFAPORTAL_KEYRING: ")
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)
    ring.write_text(kept)
    create_app(settings_of(instance))


def test_where_no_fingerprint_was_kept_yet_the_apps_tell(app: Flask, person: Person, instance: Path) -> None:
    with app.app_context(), transaction() as session:
        session.delete(session.get_one(Setting, KEY_CANARY))
    ring = instance / "keyring"
    kept = ring.read_text()
    ring.write_text(f"seal 1 {Fernet.generate_key().decode()}\n{kept.splitlines()[1]}\n")
    with pytest.raises(SettingError, match="does not open what this database holds"):
        create_app(settings_of(instance))
    ring.write_text(kept)
    create_app(settings_of(instance))
    assert {row.name for row in stored(app, Setting)} >= {KEY_CANARY}


def test_a_ring_that_becomes_unreadable_at_work_leaves_the_keys_of_before(
    app: Flask, person: Person, clock: MovableClock, instance: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (instance / "keyring").write_text("nonsense")
    assert _log_in(app, person, clock) == 303
    assert "the key ring has changed and cannot be used" in caplog.text


def test_many_threads_may_ask_for_the_keys_at_once(app: Flask, person: Person, clock: MovableClock) -> None:
    with app.app_context():
        sealer, ring = runtime().keys.sealer, runtime().keys.ring
        sealed = sealer.seal("somebody", "secret")
        failed: list[BaseException] = []

        def work() -> None:
            try:
                for _ in range(200):
                    assert sealer.open("somebody", sealed) == "secret"
                    sealer.seal("somebody", "secret")
            except BaseException as error:  # noqa: BLE001
                failed.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        added = [ring.add_seal_key(clock()) for _ in range(3)]
        for thread in threads:
            thread.join()
        assert not failed
        assert (sealer.newest, len(set(added))) == (added[-1], 3)


def test_whoever_looks_while_another_thread_reads_the_ring_waits_for_it(
    app: Flask, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the second one would seal under the key of before, or not open what the newest key has sealed."""
    with app.app_context():
        path, now = runtime().keys.ring.path, clock()
        looking, read_again = RingFile(path), RingFile._read_again
        seen: list[str] = []
        second = threading.Thread(target=lambda: seen.append(next(iter(looking.keys().seal))))

        def read_slowly(self: RingFile) -> None:
            second.start()
            second.join(0.2)
            read_again(self)

        monkeypatch.setattr(RingFile, "_read_again", read_slowly)
        made = RingFile(path).add_seal_key(now)
        looking.keys()
        second.join()
    assert seen == [made]


def test_no_key_is_lost_when_several_are_made_at_once(app: Flask, clock: MovableClock) -> None:
    """Each thread has looked at the ring before, as another process has that rotates now."""
    with app.app_context():
        path, now = runtime().keys.ring.path, clock()
        rings = [RingFile(path) for _ in range(4)]
        start = threading.Barrier(len(rings))
        made: list[str] = []

        def work(ring: RingFile) -> None:
            start.wait()
            made.append(ring.add_seal_key(now))

        threads = [threading.Thread(target=work, args=(ring,)) for ring in rings]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(made)) == len(made) == len(rings)
        assert set(made) < set(runtime().keys.ring.keys().seal)


def test_a_set_up_goes_on_though_its_key_is_sealed_again_while_its_code_is_judged(
    app: Flask, people: Cast, clock: MovableClock, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock)
    browser.give_password(people.admin)

    def rotate_meanwhile(*arguments: Any) -> Any:
        key_rotation.begin(caller())
        list(key_rotation.seal_again(caller()))
        return check(*arguments)

    monkeypatch.setattr(domain_set_up, "check", rotate_meanwhile)
    offer.set_up(browser, clock)
    assert _under(app) != [b"1"]
    assert len(_under(app)) == 1


@pytest.mark.parametrize("length", [1, 10, 23], ids=["padded by two", "padded by one", "not padded"])
def test_no_bit_of_a_sealed_text_can_be_altered(app: Flask, length: int) -> None:
    with app.app_context():
        sealer = runtime().keys.sealer
        sealed = sealer.seal("account:1", "s" * length)
        for number in range(len(sealed) * 8):
            altered = bytearray(sealed)
            altered[number // 8] ^= 1 << number % 8
            with pytest.raises(SealBroken):
                sealer.open("account:1", bytes(altered))
        assert sealer.open("account:1", sealed)
        with pytest.raises(SealBroken):
            sealer.open("account:2", sealed)


@pytest.mark.parametrize("harm", ["somebody else's", "altered", "under a key that is gone"])
def test_what_does_not_open_lets_nobody_in_and_is_no_fault_of_the_page(
    app: Flask, person: Person, clock: MovableClock, harm: str
) -> None:
    own, other = (row.sealed_secret for row in stored(app, Authenticator))
    sealed = {"altered": own[:-9] + bytes([own[-9] ^ 1]) + own[-8:], "somebody else's": other}.get(harm, b"9" + own)
    with app.app_context(), transaction() as session:
        session.execute(update(Authenticator).where(Authenticator.id == 1).values(sealed_secret=sealed))
    assert _log_in(app, person, clock) == 422
