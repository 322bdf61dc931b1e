"""Starts that are refused: keys, key ring, folders and the database; and how a refusal looks on the terminal."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from mfaportal import create_app
from mfaportal.plumbing.config import ROOT, SettingError
from tests.databases import settings_of
from tests.server import Server, free_port

KEY = "0123456789abcdefghijklmnopqrstuvwxyz"
MakeApp = Callable[..., Flask]


def _refusal(instance: Path, **settings: str) -> str:
    with pytest.raises(SettingError) as refusal:
        create_app({**settings_of(instance), **{f"MFAPORTAL_{name}": text for name, text in settings.items()}})
    sentence = str(refusal.value)
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize(
    "key", ["short", KEY[:31], "a" * 40, "changeme", f"{KEY},short", f"{KEY},", f",{KEY}", "ab" * 30]
)
def test_a_key_that_could_be_guessed_is_refused(instance: Path, key: str) -> None:
    assert _refusal(instance, SECRET_KEY=key).startswith("MFAPORTAL_SECRET_KEY must hold random keys")


def test_a_good_key_of_the_environment_is_taken(make_app: MakeApp, instance: Path) -> None:
    (instance / "secret_key").unlink()
    app = make_app(MFAPORTAL_SECRET_KEY=f"{KEY}, {KEY[::-1]}")
    assert app.config["SECRET_KEY"] == KEY
    assert app.config["SECRET_KEY_FALLBACKS"] == [KEY[::-1]]
    assert not (instance / "secret_key").exists()


@pytest.mark.parametrize("name", ["secret_key", "keyring"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_a_key_file_that_others_can_read_is_refused(instance: Path, name: str, mode: int) -> None:
    path = instance / name
    path.chmod(mode)
    assert _refusal(instance) == f"{path} can be read by others (mode {mode:04o}); run: chmod 600 {path}"


def test_keys_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    create_app({"MFAPORTAL_INSTANCE": str(tmp_path / "new")})
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    made = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()}
    assert {"secret_key", "keyring", "mfaportal.sqlite3"} <= set(made)
    assert set(made.values()) == {0o600}


def test_a_lost_key_ring_is_never_replaced_under_a_database(instance: Path) -> None:
    ring = instance / "keyring"
    ring.unlink()
    assert _refusal(instance) == f"MFAPORTAL_KEYRING: {ring} is missing, and the database was made with it."
    assert not ring.exists()


def test_where_the_key_ring_is_missing_no_signing_key_is_made(instance: Path) -> None:
    """It would be another one than that of the machines which the database is shared with."""
    for name in ("keyring", "secret_key"):
        (instance / name).unlink()
    _refusal(instance)
    assert not (instance / "secret_key").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        b"seal 1",
        b"seal 1 short",
        b"seal 1 a b",
        b"digest 1 00",
        b"\xff\xfe\x00",
        b"# only a comment\n",
    ],
)
def test_what_is_no_key_ring_is_refused(instance: Path, content: bytes) -> None:
    ring = instance / "keyring"
    ring.write_bytes(content)
    assert str(ring) in _refusal(instance)


def test_a_folder_in_place_of_a_key_file_is_refused(instance: Path) -> None:
    (instance / "secret_key").unlink()
    (instance / "secret_key").mkdir()
    assert str(instance / "secret_key") in _refusal(instance)
    (instance / "secret_key").rmdir()
    assert "MFAPORTAL_KEYRING" in _refusal(instance, KEYRING=str(instance / "nowhere" / "keyring"))


@pytest.mark.parametrize("below", ["", "below", "far/below"])
def test_an_instance_folder_that_is_none_is_refused(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("")
    assert _refusal(tmp_path / "file" / below).startswith("MFAPORTAL_INSTANCE: ")


def test_what_is_no_database_is_refused(instance: Path, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("This is no database, and longer than the header of one would be. " * 20)
    for path in (tmp_path, tmp_path / "text", tmp_path / "text" / "below"):
        assert _refusal(instance, DATABASE_URL=f"sqlite:///{path}").startswith("MFAPORTAL_DATABASE_URL: ")
    assert _refusal(instance, DATABASE_URL="postgresql+psycopg://[").startswith("MFAPORTAL_DATABASE_URL: ")


def test_postgresql_without_its_driver_says_what_to_install(instance: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    said = _refusal(instance, DATABASE_URL="postgresql+psycopg://portal:wishbone@db.example.org/portal")
    assert said.startswith("MFAPORTAL_DATABASE_URL: ")
    assert ".venv/bin/pip install --require-hashes -r requirements-postgresql.txt" in said


def test_a_server_that_is_away_is_said_without_the_password(instance: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mfaportal.plumbing.postgresql_connection.PATIENCE", 0.0)
    url = f"postgresql+psycopg://portal:wishbone@127.0.0.1:{free_port()}/portal?sslmode=disable"
    said = _refusal(instance, DATABASE_URL=url)
    assert said.startswith("MFAPORTAL_DATABASE_URL: the database portal does not answer: connection to server at ")
    assert said.endswith("Connection refused.")
    assert "wishbone" not in said


GUNICORN = (sys.executable, "-m", "gunicorn", "wsgi:app")
FLASK = (sys.executable, "-m", "flask", "--app", "wsgi", "accounts", "list")


def _run(server: Server, command: tuple[str, ...], settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environ = {**server.environ, **settings}
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("command", [GUNICORN, FLASK], ids=["gunicorn", "flask"])
@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"MFAPORTAL_WORKERS": "many"}, "MFAPORTAL_WORKERS must be a number from 1 to 64, not 'many'."),
        (
            {"MFAPORTAL_PUBLIC_UR": "x"},
            "MFAPORTAL_PUBLIC_UR is no setting of this portal; the README lists them all.",
        ),
        (
            {"MFAPORTAL_SECRET_KEY": "short"},
            "MFAPORTAL_SECRET_KEY must hold random keys of at least 32 characters; leave it out to have one made.",
        ),
        (
            {"MFAPORTAL_INSTANCE": "/dev/null/a"},
            "MFAPORTAL_INSTANCE: /dev/null/a is no usable folder: Not a directory.",
        ),
    ],
    ids=["value", "name", "key", "folder"],
)
def test_a_refused_start_says_its_one_sentence_and_fails(
    server: Server, command: tuple[str, ...], settings: dict[str, str], sentence: str
) -> None:
    done = _run(server, command, settings)
    assert done.returncode not in (0, None)
    assert done.stdout == ""
    assert done.stderr.splitlines() == [f"mfaportal: {sentence}"]


@pytest.mark.parametrize("command", [GUNICORN, FLASK], ids=["gunicorn", "flask"])
def test_a_start_without_its_key_ring_fails_and_makes_none(
    server: Server, instance: Path, command: tuple[str, ...]
) -> None:
    (instance / "keyring").unlink()
    done = _run(server, command, {})
    assert done.returncode not in (0, None)
    assert done.stderr.splitlines() == [
        f"mfaportal: MFAPORTAL_KEYRING: {instance / 'keyring'} is missing, and the database was made with it."
    ]
    assert not (instance / "keyring").exists()
