"""`backup`: what is in the file, who may read it, and when there is none."""

import io
import json
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from flask import Flask
from pyrage import decrypt_io, x25519
from pyrage import passphrase as by_passphrase

from mfaportal.domain.stored_files import store
from mfaportal.plumbing.runtime import runtime
from tests.archives import members
from tests.cli.terminal import Terminal
from tests.clock import MovableClock
from tests.datasets import add as add_dataset
from tests.people import Cast
from tests.server import Server

PASSPHRASE = "eleven quiet lamps"
WITH_PASSPHRASE = "--passphrase-stdin"


@pytest.fixture
def dataset(app: Flask, people: Cast, clock: MovableClock) -> Path:
    """A dataset's file, as it lies on the disk."""
    with app.app_context():
        add_dataset(clock, "Trees")
        (digest,) = store().digests()
        return runtime().settings.instance / "files" / digest[:2] / digest


def test_everything_is_in_it_with_its_digest(
    terminal: Terminal, app: Flask, dataset: Path, instance: Path, tmp_path: Path
) -> None:
    file = tmp_path / "b.tar"
    ran = terminal.do("backup", str(file))
    assert ran.kinds == ["backup:made"]
    assert ran.events[0].details == {"size": file.stat().st_size, "files": 1, "sealed": False}
    assert len(ran.lines) == 2
    assert ran.lines[1].startswith("Whoever reads this file can log in as anybody")
    assert file.stat().st_mode & 0o777 == 0o600
    found = members(file.read_bytes())
    name = f"files/{dataset.name}"
    assert list(found) == ["database.sqlite3", name, "keyring", "secret_key", "manifest.json"]
    assert found[name] == dataset.read_bytes()
    assert found["keyring"] == (instance / "keyring").read_bytes()
    assert found["secret_key"] == (instance / "secret_key").read_bytes()
    manifest = json.loads(found.pop("manifest.json"))
    assert {each["name"]: (each["size"], each["sha256"]) for each in manifest["members"]} == {
        name: (len(content), sha256(content).hexdigest()) for name, content in found.items()
    }
    assert (manifest["format"], manifest["missing"], manifest["rows"]["accounts"]) == (1, [], 4)
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(found["database.sqlite3"])
        assert database.execute("SELECT count(*) FROM accounts").fetchone() == (4,)
    assert [path.name for path in tmp_path.iterdir() if ".part" in path.name] == []
    assert list((instance / "spool").iterdir()) == []


def test_with_a_passphrase_the_age_format_holds_it(terminal: Terminal, people: Cast, tmp_path: Path) -> None:
    """What any other program for this format does with the two files, done here by the library's own hands."""
    file = tmp_path / "b.tar"
    assert len(terminal.do("backup", str(file), WITH_PASSPHRASE, stdin=PASSPHRASE).lines) == 1
    outer = members(file.read_bytes())
    assert list(outer) == ["identity.age", "content.tar.age"]
    assert b"editor@example.org" not in file.read_bytes()
    key = by_passphrase.decrypt(outer["identity.age"], PASSPHRASE).decode().strip()
    content = io.BytesIO()
    decrypt_io(io.BytesIO(outer["content.tar.age"]), content, [x25519.Identity.from_str(key)])
    assert list(members(content.getvalue()))[-1] == "manifest.json"
    assert subprocess.run(["tar", "tf", str(file)], check=True, capture_output=True).stderr == b""


def test_a_file_that_is_there_stays(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "b.tar").write_text("precious")
    assert "is there already" in terminal.refused("backup", str(tmp_path / "b.tar"))
    assert (tmp_path / "b.tar").read_text() == "precious"
    assert "could not be written" in terminal.refused("backup", str(tmp_path / "nowhere" / "b.tar"))
    file = str(tmp_path / "c.tar")
    assert (
        terminal.refused("backup", file, WITH_PASSPHRASE, stdin="short") == "A passphrase has at least 12 characters."
    )
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["b.tar"]


def test_a_signing_key_of_the_environment_stays_there(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    key = "0123456789abcdefghijklmnopqrstuvwxyz"
    ran = Terminal(make_app(MFAPORTAL_SECRET_KEY=key)).do("backup", str(tmp_path / "b.tar"))
    assert "not the signing key, which MFAPORTAL_SECRET_KEY holds" in ran.lines[0]
    assert "secret_key" not in members((tmp_path / "b.tar").read_bytes())
    assert key.encode() not in (tmp_path / "b.tar").read_bytes()


@pytest.mark.parametrize("harm", ["missing", "cut off", "altered"])
def test_a_file_that_is_no_good_is_said_and_the_rest_is_kept(
    terminal: Terminal, dataset: Path, tmp_path: Path, harm: str
) -> None:
    content = dataset.read_bytes()
    dataset.unlink()
    if harm != "missing":
        dataset.write_bytes(content[:-1] if harm == "cut off" else content[:-1] + b"!")
    ran = terminal.run("backup", str(tmp_path / "b.tar"))
    assert (ran.code, ran.kinds) == (1, ["backup:made"])
    assert "lacks 1 file of datasets" in ran.err
    assert dataset.name in ran.err
    assert json.loads(members((tmp_path / "b.tar").read_bytes())["manifest.json"])["missing"] == [dataset.name]
    restored = terminal.do("restore", str(tmp_path / "b.tar"), "--force")
    assert dataset.name in restored.out
    assert not dataset.exists()


def test_what_a_killed_backup_left_behind_goes_with_the_next(
    terminal: Terminal, instance: Path, tmp_path: Path
) -> None:
    left = instance / "spool" / "backup-0123"
    left.mkdir(parents=True)
    (left / "database.sqlite3").write_text("a copy")
    terminal.do("backup", str(tmp_path / "b.tar"))
    assert not left.exists()


def test_a_server_that_is_away_is_said_before_anything_is_opened(server: Server, tmp_path: Path) -> None:
    server.settings["MFAPORTAL_DATABASE_URL"] = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    for command in (("backup", str(tmp_path / "b.tar")), ("restore", str(tmp_path / "b.tar"), "--force")):
        done = server.flask(*command, check=False)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "the database none does not answer: connection" in done.stderr
