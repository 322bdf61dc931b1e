"""Restoring a backup: checked as a whole, made ready beside the old installation, and put in its place in one step.

It works where the portal itself would not start: it stands on the settings alone.
"""

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select

from ..models import Dataset
from ..plumbing import archive, config, keys, migrations, running, sqlite_file, staging
from ..plumbing.archive import DATABASE, FILES, KEYRING, SIGNING_KEY
from ..plumbing.assembly import bare_app
from ..plumbing.config import SettingError, Settings
from ..plumbing.db import db, reading
from ..plumbing.file_store import FileStore, sync_folder
from ..plumbing.sealed_tar import BadArchive
from ..plumbing.staging import Move
from . import cleansing, key_canary
from .caller import Caller
from .cleansing import Cleansed


class CannotRestore(Exception):
    """Nothing was changed; the message is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Restored:
    """`old` is where the installation went that was here before."""

    made_at: str
    accounts: int
    missing: tuple[str, ...]
    cleansed: Cleansed
    old: Path
    signing_key: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be restored, and how. Without `force` nothing that holds accounts is replaced."""

    path: Path
    passphrase: str | None = None
    force: bool = False
    void_recovery_codes: bool = False


def restore(settings: Settings, caller: Caller, wish: Wish) -> Restored:
    """Put a backup in the place of this installation; the old one is moved aside, never deleted (command line).

    Raises:
        CannotRestore: a portal runs or is here already, or the archive is not sound.
        OSError: the disk is full, or a folder cannot be written.
    """
    target = sqlite_file.path_of(settings.database_url)
    if target is None:
        raise CannotRestore("Restoring works for SQLite only so far; MFAPORTAL_DATABASE_URL names another database.")
    config.make_instance_folder(settings)
    with running.alone(settings.instance) as nobody:
        if not nobody:
            raise CannotRestore("The portal is running; stop it first.")
        if not wish.force and _is_used(target):
            raise CannotRestore(
                f"There is an installation in {settings.instance} already;"
                " --force moves it aside and puts the backup in its place."
            )
        try:
            return _restore(settings, caller, wish, target)
        except BadArchive as error:
            raise CannotRestore(f"{wish.path} {error}.") from error


def _is_used(database: Path) -> bool:
    """Whether there is somebody in it. What cannot be read may be somebody's, too."""
    return database.exists() and (sqlite_file.fault(database) is not None or _accounts(database) > 0)


def _accounts(database: Path) -> int:
    return sqlite_file.counts(database).get("accounts", 0)


def _restore(settings: Settings, caller: Caller, wish: Wish, target: Path) -> Restored:
    folder = staging.clear(settings.instance)
    try:
        manifest = archive.unpack(wish.path, wish.passphrase, folder)
        cleansed = _make_ready(settings, caller, wish, folder, manifest)
        accounts = _accounts(folder / DATABASE)
        _check_nobody_has_it_open(target)
        old = settings.instance / f"before-restore-{caller.now:%Y%m%dT%H%M%SZ}"
        signing = settings.secret_key is None and (folder / SIGNING_KEY).exists()
        staging.decide(settings.instance, list(_moves(settings, folder, target, old, signing=signing)))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    staging.finish(settings.instance)
    return Restored(manifest["made_at"], accounts, tuple(manifest["missing"]), cleansed, old, signing)


def _check_nobody_has_it_open(database: Path) -> None:
    if database.exists() and not sqlite_file.make_whole(database):
        raise CannotRestore(f"Another process has {database} open; stop it first.")


def _make_ready(settings: Settings, caller: Caller, wish: Wish, folder: Path, manifest: dict[str, Any]) -> Cleansed:
    """Check what was unpacked against itself, migrate it, and take out of it what must not come back."""
    database = folder / DATABASE
    fault = sqlite_file.fault(database)
    if fault is not None:
        raise CannotRestore(f"{wish.path} holds a database that is not sound: {fault}.")
    own = replace(
        settings,
        instance=folder,
        database_url=f"sqlite:///{database}",
        keyring=folder / KEYRING,
        secret_key=settings.secret_key or secrets.token_urlsafe(48),
    )
    try:
        app = bare_app(own, keys.open_keys(own, first_start=False), threads=1)
        with app.app_context(), _closed_afterwards():
            _check_revision(wish.path, migrations.current(db.engine))
            migrations.migrate(own)
            trouble = key_canary.settle(caller)
            if trouble is not None:
                raise CannotRestore(f"{wish.path} holds a key ring that is not its database's.")
            _check_files(wish.path, folder, set(manifest["missing"]))
            cleansed = cleansing.after_restore(
                caller, manifest["made_at"], void_recovery_codes=wish.void_recovery_codes
            )
    except SettingError as error:
        raise CannotRestore(f"{wish.path} cannot be used: {error}") from error
    if not sqlite_file.make_whole(database):
        raise CannotRestore("The restored database is open in another process; nothing was changed.")
    (folder / "migration.lock").unlink(missing_ok=True)
    for each in [folder, *(path for path in (folder / FILES).rglob("*") if path.is_dir()), folder / FILES]:
        sync_folder(each)
    return cleansed


@contextlib.contextmanager
def _closed_afterwards() -> Iterator[None]:
    try:
        yield
    finally:
        db.session.remove()
        db.engine.dispose()


def _check_revision(path: Path, revision: str | None) -> None:
    if revision is None or not re.fullmatch(r"\d{4}", revision):
        raise CannotRestore(f"{path} holds a database that is none of this portal.")
    if revision > migrations.HEAD:
        raise CannotRestore(
            f"{path} was made by a newer version of the portal ({revision}); restore it with that one."
        )


def _check_files(path: Path, folder: Path, missing: set[str]) -> None:
    files = FileStore(folder)
    with reading() as session:
        named = session.execute(select(Dataset.file_digest, Dataset.file_size).distinct()).all()
    for digest, size in named:
        if digest and digest not in missing and not files.has(digest, size or 0):
            raise CannotRestore(f"{path} lacks a file that its database names ({digest}).")


def _moves(settings: Settings, folder: Path, target: Path, old: Path, *, signing: bool) -> Iterator[Move]:
    """The old goes first, all of it; what stands beside a database belongs to it."""
    for path in sqlite_file.beside(target):
        yield Move(path, _aside(settings, path, old))
    places = [
        (folder / DATABASE, target),
        (folder / KEYRING, settings.keyring),
        (folder / FILES, settings.instance / FILES),
    ]
    if signing:
        places.append((folder / SIGNING_KEY, keys.signing_file(settings)))
    for made, place in places:
        yield Move(place, _aside(settings, place, old), _near(settings, made, place))


def _near(settings: Settings, made: Path, place: Path) -> Path:
    """Where it can be moved from in one step: a folder of its own may be another disk."""
    if place.parent == settings.instance:
        return made
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    near = place.with_name(f"{place.name}.restoring")
    near.unlink(missing_ok=True)
    shutil.copyfile(made, near)
    near.chmod(0o600)
    with near.open("rb") as file:
        os.fsync(file.fileno())
    return near


def _aside(settings: Settings, place: Path, old: Path) -> Path:
    return old / place.name if place.parent == settings.instance else place.with_name(f"{place.name}.{old.name}")
