"""Restoring a backup: checked as a whole, made ready beside the old installation, and put in its place in one step.

It works where the portal itself would not start: it stands on the settings alone.
"""

import contextlib
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from ..models import Dataset
from ..plumbing import archive, config, keys, migrations, running, sqlite_file, staging
from ..plumbing.archive import DATABASE, FILES, KEYRING, SIGNING_KEY
from ..plumbing.assembly import bare_app
from ..plumbing.config import SettingError, Settings
from ..plumbing.db import db, reading
from ..plumbing.engines import is_there
from ..plumbing.file_store import FileStore, sync_folder
from ..plumbing.sealed_tar import BadArchive
from ..plumbing.staging import Move
from . import cleansing, key_canary, restore_place
from .caller import Caller
from .cleansing import Cleansed
from .copied_rows import CopyFault
from .restore_place import Place, aside, near


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
    is_there(settings.database_url)
    config.make_instance_folder(settings)
    place = restore_place.of(settings)
    with running.alone(settings.instance) as nobody:
        if not nobody:
            raise CannotRestore("The portal is running; stop it first.")
        try:
            _check_nobody_is_there(place, wish)
            return _restore(settings, caller, wish, place)
        except BadArchive as error:
            raise CannotRestore(f"{wish.path} {error}.") from error
        except CopyFault as fault:
            raise CannotRestore(f"The database of MFAPORTAL_DATABASE_URL cannot be filled: {fault}.") from fault
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise CannotRestore(f"The database did not answer, and nothing was changed: {reason}") from error


def _check_nobody_is_there(place: Place, wish: Wish) -> None:
    used = None if wish.force else place.used_as()
    if used is not None:
        raise CannotRestore(
            f"There is an installation in {used} already; --force moves it aside and puts the backup in its place."
        )


def _restore(settings: Settings, caller: Caller, wish: Wish, place: Place) -> Restored:
    folder = staging.clear(settings.instance)
    try:
        manifest = archive.unpack(wish.path, wish.passphrase, folder)
        own = _own_settings(settings, folder)
        cleansed = _make_ready(own, caller, wish, folder, manifest)
        accounts = sqlite_file.counts(folder / DATABASE).get("accounts", 0)
        _check_nobody_has_it_open(place)
        old = settings.instance / f"before-restore-{caller.now:%Y%m%dT%H%M%SZ}"
        signing = settings.secret_key is None and (folder / SIGNING_KEY).exists()
        moves = [*place.moves(folder, old), *_moves(settings, folder, old, signing=signing)]
        place.put(folder, old, moves, keys.open_keys(own, first_start=False))
    except BaseException:
        staging.abandon(settings.instance)
        raise
    staging.finish(settings.instance)
    return Restored(manifest["made_at"], accounts, tuple(manifest["missing"]), cleansed, old, signing)


def _check_nobody_has_it_open(place: Place) -> None:
    opened_by = place.opened_by()
    if opened_by is not None:
        raise CannotRestore(f"{opened_by}; stop it first.")


def _own_settings(settings: Settings, folder: Path) -> Settings:
    """Those of an installation that is nothing but what was unpacked."""
    return replace(
        settings,
        instance=folder,
        database_url=f"sqlite:///{folder / DATABASE}",
        keyring=folder / KEYRING,
        secret_key=settings.secret_key or secrets.token_urlsafe(48),
    )


def _make_ready(own: Settings, caller: Caller, wish: Wish, folder: Path, manifest: dict[str, Any]) -> Cleansed:
    """Check what was unpacked against itself, migrate it, and take out of it what must not come back."""
    database = folder / DATABASE
    fault = sqlite_file.fault(database)
    if fault is not None:
        raise CannotRestore(f"{wish.path} holds a database that is not sound: {fault}.")
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


def _moves(settings: Settings, folder: Path, old: Path, *, signing: bool) -> Iterator[Move]:
    """What an installation has beside its database."""
    places = [(folder / KEYRING, settings.keyring), (folder / FILES, settings.instance / FILES)]
    if signing:
        places.append((folder / SIGNING_KEY, keys.signing_file(settings)))
    for made, place in places:
        yield Move(place, aside(settings, place, old), near(settings, made, place))
