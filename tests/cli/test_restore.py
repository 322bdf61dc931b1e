"""`restore`: what comes back and what must not, what is refused before anything is touched, and where it works."""

import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import downgrade
from sqlalchemy import select, update

from mfaportal.domain import invitations, notices, one_time_links, recovery_rows
from mfaportal.domain.outcomes import LinkMade
from mfaportal.models import (
    AccessRequest,
    Account,
    Authenticator,
    Event,
    Invitation,
    Login,
    Mail,
    MailJob,
    MailJobKind,
    MailKind,
    OneTimeLink,
    Portal,
    RecoveryCode,
)
from mfaportal.plumbing import migrations
from mfaportal.plumbing.db import db, transaction
from mfaportal.plumbing.runtime import runtime
from mfaportal.rules.roles import MemberRole
from tests import databases
from tests.archives import Entries, entries, entry, rewritten, write
from tests.browser_client import Browser
from tests.cli.terminal import Terminal
from tests.clock import MovableClock
from tests.datasets import add as add_dataset
from tests.people import PORTAL, Cast, apps_of, give_app, on_the_command_line
from tests.stored import stored

MakeApp = Callable[..., Flask]
PASSPHRASE = "eleven quiet lamps"


@pytest.fixture
def backup(terminal: Terminal, app: Flask, people: Cast, clock: MovableClock, tmp_path: Path) -> Path:
    """Of an installation with a dataset, and an editor who has an app."""
    with app.app_context():
        add_dataset(clock, "Trees")
        give_app(people.editor, clock)
    terminal.do("backup", str(tmp_path / "b.tar"))
    return tmp_path / "b.tar"


def _everything(instance: Path) -> dict[str, bytes]:
    """What an installation consists of, as it lies on the disk; what SQLite has not yet written back left out."""
    wanted = ("mfaportal.sqlite3", "keyring", "secret_key")
    files = [instance / name for name in wanted if (instance / name).exists()]
    files += sorted((instance / "files").glob("??/*"))
    return {str(path.relative_to(instance)): path.read_bytes() for path in files}


def test_on_another_machine_it_is_the_same_installation(
    make_app: MakeApp, backup: Path, instance: Path, tmp_path: Path, people: Cast, clock: MovableClock
) -> None:
    elsewhere = tmp_path / "elsewhere"
    ran = Terminal(make_app(MFAPORTAL_INSTANCE=str(elsewhere))).do("restore", str(backup))
    assert ran.lines[0].endswith("4 accounts.")
    assert "recovery codes used since work once more" in ran.out
    app = make_app(MFAPORTAL_INSTANCE=str(elsewhere))
    restored, old = _everything(elsewhere), _everything(instance)
    assert restored.keys() == old.keys()
    assert {name: restored[name] for name in restored if "sqlite" not in name} == {
        name: old[name] for name in old if "sqlite" not in name
    }
    assert {path.stat().st_mode & 0o077 for path in elsewhere.rglob("*")} == {0}
    browser = Browser(app, clock)
    clock.advance(seconds=30)
    assert browser.log_in(people.editor).status == 303
    assert Terminal(app).do("doctor").code == 0


def test_nothing_is_replaced_unless_it_is_forced_and_then_it_is_kept(
    terminal: Terminal, make_app: MakeApp, backup: Path, instance: Path, people: Cast
) -> None:
    terminal.do("accounts", "suspend", "reader@example.org")
    assert "--force moves it aside" in terminal.refused("restore", str(backup))
    assert not (instance / "restoring").exists()
    ran = terminal.run("restore", str(backup), "--force")
    assert (ran.code, ran.err) == (0, "")
    (old,) = instance.glob("before-restore-*")
    assert str(old) in ran.out
    assert sorted(path.name for path in old.iterdir()) == ["files", "keyring", "mfaportal.sqlite3", "secret_key"]
    with closing(sqlite3.connect(old / "mfaportal.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM accounts WHERE suspended_at IS NOT NULL").fetchone() == (1,)
    app = make_app()
    assert stored(app, Account, email="reader@example.org")[0].suspended_at is None
    event = stored(app, Event)[-1]
    assert (event.kind, event.source, event.details["codes_void"]) == ("backup:restored", "cli", False)


def _leave_open(app: Flask, people: Cast, clock: MovableClock) -> Browser:
    """A whole login, a half one with a set-up begun, links of each kind, mails that wait, a recovery code used."""
    browser = Browser(app, clock)
    browser.log_in(people.editor)
    with app.app_context():
        caller = on_the_command_line(clock)
        assert isinstance(one_time_links.make_reset_link(caller, people.reader.id), LinkMade)
        assert isinstance(invitations.invite(caller, PORTAL, ["new@example.org"], MemberRole.READER), list)
        with transaction() as session:
            session.execute(update(Login).values(pending_secret=b"s", pending_at=clock(), shown_codes=b"c"))
            portal_id = session.scalars(select(Portal.id)).one()
            session.add(
                AccessRequest(
                    portal_id=portal_id, email="q@example.org", made_at=clock(), confirm_digest=b"q" * 32, state="x"
                )
            )
            notices.tell(session, caller, MailKind.APP_ADDED, people.editor.id, app="Phone")
            notices.queue(session, caller, MailJobKind.RESET_ASKED, email="q@example.org")
            recovery_rows.keep(session, people.editor.id, ("a" * 16, "b" * 16), clock())
            session.execute(update(Authenticator).values(burned_step=7))
    return browser


@pytest.mark.parametrize("void_codes", [False, True])
def test_what_was_open_at_the_backup_is_void_afterwards(
    terminal: Terminal, app: Flask, people: Cast, clock: MovableClock, tmp_path: Path, void_codes: bool
) -> None:
    with app.app_context():
        phone = give_app(people.editor, clock)
    browser = _leave_open(app, people, clock)
    assert browser.get("/account").status == 200
    invited = stored(app, Invitation)[0].token_digest
    links = [link for link in stored(app, OneTimeLink) if link.used_at is None]
    terminal.do("backup", str(tmp_path / "b.tar"))
    clock.advance(minutes=1)
    taken = phone.code(clock())
    assert Browser(app, clock).log_in(people.editor).status == 303
    ran = terminal.do(
        "restore", str(tmp_path / "b.tar"), "--force", *(["--void-recovery-codes"] if void_codes else [])
    )
    assert f"Ended 1 login, made {len(links) + 2} links void, dropped" in ran.out
    assert (stored(app, MailJob), stored(app, Mail)) == ([], [])
    assert browser.get("/account").location.startswith("/log-in")
    thief = Browser(app, clock)
    thief.give_password(people.editor)
    assert thief.submit("/log-in/code", code=taken).status == 422
    clock.advance(seconds=30)
    assert thief.submit("/log-in/code", code=phone.code(clock())).status == 303
    (old,) = [login for login in stored(app, Login) if login.pending_at is None and login.ended_at]
    assert (old.pending_secret, old.shown_codes) == (None, None)
    assert {link.used_at is None for link in stored(app, OneTimeLink)} == {False}
    assert stored(app, AccessRequest)[0].confirm_digest not in (None, b"q" * 32), "nobody has its link"
    assert len(stored(app, RecoveryCode)) == (0 if void_codes else 2)
    assert stored(app, Authenticator)[0].burned_step == 7
    (invitation,) = stored(app, Invitation)
    assert invitation.used_at is None, "it stays, to be sent again"
    assert invitation.token_digest != invited, "by another link"


def _database(path: Path) -> bytes:
    with closing(sqlite3.connect(path)) as database:
        return database.serialize()


NO_FILE, NO_MEMBER, NO_PLACE = "which is no plain file", "which no backup of this portal does", "where nothing may be"
BAD: dict[str, tuple[str, Callable[[Entries], Entries]]] = {
    "a path out of the folder": (NO_MEMBER, lambda found: [entry("../evil", b"x"), *found]),
    "an absolute path": (NO_MEMBER, lambda found: [entry("/tmp/evil", b"x"), *found]),  # noqa: S108
    "a path below a file": (NO_MEMBER, lambda found: [entry("files/../keyring", b"x"), *found]),
    "a symbolic link": (NO_FILE, lambda found: [entry("keyring", b"", tarfile.SYMTYPE, "/etc/passwd"), *found]),
    "a hard link": (NO_FILE, lambda found: [found[0], entry("secret_key", b"", tarfile.LNKTYPE, "keyring"), *found]),
    "a pipe": (NO_FILE, lambda found: [entry("keyring", kind=tarfile.FIFOTYPE), *found]),
    "a folder": (NO_FILE, lambda found: [entry("files", kind=tarfile.DIRTYPE), *found]),
    "the same name twice": (NO_PLACE, lambda found: [found[0], *found]),
    "something after the manifest": (NO_PLACE, lambda found: [*found, entry(f"files/{'0' * 64}")]),
    "something that is not listed": ("what its manifest lists", lambda found: [entry(f"files/{'0' * 64}"), *found]),
    "no manifest": ("or was cut off", lambda found: found[:-1]),
    "no database": ("what its manifest lists", lambda found: found[1:]),
    "other bytes": (
        "its digest is another",
        lambda found: [entry(found[0][0].name, found[0][1][:-1] + b"!"), *found[1:]],
    ),
    "a manifest that is none": ("a manifest that cannot", lambda found: [*found[:-1], entry("manifest.json", b"[]")]),
    "a newer format": ("a newer version", lambda found: [*found[:-1], entry("manifest.json", b'{"format": 2}')]),
    "nothing": ("or was cut off", lambda _found: []),
}


def _harmed(backup: Path, target: Path) -> dict[Path, str]:
    """Archives that must all be refused, and what is said of them."""
    found, content = entries(backup.read_bytes()), backup.read_bytes()
    files = {write(target / f"{name}.tar", harm(found)): said for name, (said, harm) in BAD.items()}
    for part in (1, 3, 7, 9):
        cut = target / f"cut at {part} tenths"
        cut.write_bytes(content[: len(content) * part // 10])
        files[cut] = "or was cut off"
    for name, text in {"empty": b"", "text": b"no backup " * 1000}.items():
        (target / name).write_bytes(text)
        files[target / name] = "is no backup of this portal"
    ring = dict(found_pair(found))["keyring"]
    other = b"seal 1 " + b"A" * 43 + b"=\n" + ring.splitlines()[1]
    files[rewritten(backup, target / "another ring", {"keyring": other})] = "a key ring that is not its database's"
    files[rewritten(backup, target / "no ring", {"keyring": b"nonsense"})] = "is no key ring"
    files[rewritten(backup, target / "no database", {"database.sqlite3": b"nonsense" * 1000})] = "is not sound"
    files[target / "nowhere"] = "is not there"
    return files


def found_pair(found: Entries) -> list[tuple[str, bytes]]:
    return [(info.name, content) for info, content in found]


def test_what_is_no_sound_backup_is_refused_and_nothing_is_touched(
    terminal: Terminal, app: Flask, backup: Path, instance: Path, tmp_path: Path
) -> None:
    with app.app_context():
        db.engine.dispose()
    before, rows = _everything(instance), databases.contents_of(instance).dump()
    (tmp_path / "bad").mkdir()
    for path, said in _harmed(backup, tmp_path / "bad").items():
        sentence = terminal.refused("restore", str(path), "--force")
        with app.app_context():
            db.engine.dispose()
        assert sentence.startswith(f"{path} "), sentence
        assert said in sentence, sentence
        assert _everything(instance) == before, path
        assert not (instance / "restoring").exists()
        assert list(instance.glob("before-restore-*")) == []
        assert not list(tmp_path.rglob("evil"))
    assert databases.contents_of(instance).dump() == rows


def _changed_database(backup: Path, target: Path, statement: str, *, foreign_keys: bool = True) -> Path:
    """The archive with a database to which something was done."""
    copy = target.with_suffix(".sqlite3")
    copy.write_bytes(dict(found_pair(entries(backup.read_bytes())))["database.sqlite3"])
    with closing(sqlite3.connect(copy, isolation_level=None)) as database:
        database.execute(statement)
    return rewritten(backup, target, {"database.sqlite3": copy.read_bytes()})


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE memberships SET account_id = 999 WHERE account_id = 1", "not sound: rows refer to nothing"),
        ("UPDATE alembic_version SET version_num = '0999'", "made by a newer version"),
        ("DROP TABLE alembic_version", "none of this portal"),
        ("UPDATE datasets SET file_digest = replace(hex(zeroblob(32)), '0', 'a')", "lacks a file"),
    ],
)
def test_a_database_that_this_version_cannot_stand_on_is_refused(
    terminal: Terminal, backup: Path, tmp_path: Path, statement: str, sentence: str
) -> None:
    assert sentence in terminal.refused(
        "restore", str(_changed_database(backup, tmp_path / "c.tar", statement)), "--force"
    )


def test_one_of_an_earlier_version_is_migrated(
    terminal: Terminal,
    make_app: MakeApp,
    backup: Path,
    instance: Path,
    tmp_path: Path,
    people: Cast,
    clock: MovableClock,
) -> None:
    """Without fingerprints of keys, and with texts that name no key."""
    file = f"sqlite:///{tmp_path / 'older' / 'mfaportal.sqlite3'}"
    older = make_app(MFAPORTAL_INSTANCE=str(tmp_path / "older"), MFAPORTAL_DATABASE_URL=file)
    with older.app_context():
        db.engine.dispose()
    (tmp_path / "older" / "mfaportal.sqlite3").write_bytes(
        dict(found_pair(entries(backup.read_bytes())))["database.sqlite3"]
    )
    with older.app_context():
        db.engine.dispose()
        migrations.register(older)
        with transaction() as session:
            session.execute(update(Authenticator).values(sealed_secret=apps_of(people.editor)[0].sealed_secret[2:]))
        downgrade(directory=str(migrations.FOLDER), revision="0002")
        db.engine.dispose()
    with closing(sqlite3.connect(tmp_path / "older" / "mfaportal.sqlite3", isolation_level=None)) as database:
        database.execute("DELETE FROM settings")
    content = _database(tmp_path / "older" / "mfaportal.sqlite3")
    archive = rewritten(backup, tmp_path / "c.tar", {"database.sqlite3": content}, revision="0002")
    terminal.do("restore", str(archive), "--force")
    app = make_app()
    clock.advance(seconds=30)
    assert Browser(app, clock).log_in(people.editor).status == 303


def test_key_ring_and_database_may_lie_elsewhere(
    make_app: MakeApp, backup: Path, instance: Path, tmp_path: Path
) -> None:
    settings = {
        "MFAPORTAL_INSTANCE": str(tmp_path / "i"),
        "MFAPORTAL_KEYRING": str(tmp_path / "keys" / "ring"),
        "MFAPORTAL_DATABASE_URL": f"sqlite:///{tmp_path / 'data' / 'portal.db'}",
        "MFAPORTAL_SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz",
    }
    ran = Terminal(make_app(**settings)).do("restore", str(backup))
    assert "stays" in ran.out
    assert (tmp_path / "keys" / "ring").read_bytes() == (instance / "keyring").read_bytes()
    assert len(stored(make_app(**settings), Account)) == 4
    assert len(list((tmp_path / "data").glob("portal.db.before-restore-*"))) == 1
    assert not (tmp_path / "i" / "secret_key").exists()


def test_a_passphrase_opens_it_and_nothing_else_does(
    terminal: Terminal, app: Flask, people: Cast, tmp_path: Path
) -> None:
    file = tmp_path / "b.tar"
    terminal.do("backup", str(file), "--passphrase-stdin", stdin=PASSPHRASE)
    content = file.read_bytes()
    restore = ("restore", str(file), "--force")
    assert "with its passphrase only" in terminal.refused(*restore)
    assert "does not open with this passphrase" in terminal.refused(
        *restore, "--passphrase-stdin", stdin=PASSPHRASE + "s"
    )
    for harmed in (content[:-3000], content[: len(content) // 2] + b"!" + content[len(content) // 2 + 1 :]):
        file.write_bytes(harmed)
        assert str(file) in terminal.refused(*restore, "--passphrase-stdin", stdin=PASSPHRASE)
    file.write_bytes(content)
    terminal.do(*restore, "--passphrase-stdin", stdin=PASSPHRASE)


@pytest.mark.sqlite_only("for a server see test_restore_on_server")
def test_nothing_is_restored_into_a_database_that_somebody_has_open(
    terminal: Terminal, backup: Path, instance: Path
) -> None:
    with closing(sqlite3.connect(instance / "mfaportal.sqlite3")) as other:
        other.execute("SELECT count(*) FROM accounts").fetchone()
        assert "Another process has" in terminal.refused("restore", str(backup), "--force")


def test_what_is_decided_is_done_by_whoever_comes_next(
    terminal: Terminal, make_app: MakeApp, backup: Path, instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine stops after the decision and before the first move; a start makes the moves."""
    terminal.do("accounts", "suspend", "reader@example.org")
    with monkeypatch.context() as patched:
        patched.setattr("mfaportal.plumbing.staging.finish", lambda _instance: False)
        terminal.do("restore", str(backup), "--force")
    assert (instance / "restoring" / "moves.json").exists()
    app = make_app()
    assert not (instance / "restoring").exists()
    assert stored(app, Account, email="reader@example.org")[0].suspended_at is None
    with app.app_context():
        assert runtime().keys.ring.keys().seal
