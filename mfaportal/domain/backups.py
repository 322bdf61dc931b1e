"""Backups: database, datasets' files, key ring and signing key as they were at one moment, while people work.

Under the files' lock the database is copied and each file is given a second name; the archive is written afterwards.
"""

import contextlib
import fcntl
import io
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Dataset, EventKind
from ..plumbing import archive, keys, migrations, sqlite_file
from ..plumbing.archive import DATABASE, FILES, KEYRING, SIGNING_KEY, Writer
from ..plumbing.db import db, reading, transaction
from ..plumbing.file_store import FileStore, sync_folder
from ..plumbing.runtime import runtime
from ..rules.access import Audience
from ..rules.lifetimes import STEP_UP, STEP_UP_GRACE
from . import audit, copy_target
from .authority import require
from .caller import Caller
from .copied_rows import CopyFault
from .stored_files import store

_LOCK = ".lock"
_WITHIN = STEP_UP + STEP_UP_GRACE


class BackupRefusal(Enum):
    EXISTS = "exists"


@dataclass(frozen=True, slots=True)
class BackupMade:
    """`missing`: digests of files that the database names and the disk has not, or not whole."""

    size: int
    files: int
    missing: tuple[str, ...]
    signing_key: bool


def make(caller: Caller, path: Path, passphrase: str | None) -> BackupMade | BackupRefusal:
    """Write a backup into a new file, readable by its owner alone: all of it or none (command line).

    Raises:
        OSError: the file cannot be written.
    """
    if os.path.lexists(path):
        return BackupRefusal.EXISTS
    with reading() as session:
        require(session, caller, Audience.OPERATORS, confirmed_within=_WITHIN)
    with _snapshot() as folder, _new_file(path) as file:
        missing = _freeze(folder)
        files = len(list((folder / FILES).iterdir()))
        with archive.writing(file, passphrase) as writer:
            _write(caller, writer, folder, missing)
        size = file.tell()
    made = BackupMade(size, files, tuple(missing), runtime().settings.secret_key is None)
    with transaction() as session:
        require(session, caller, Audience.OPERATORS, confirmed_within=_WITHIN)
        audit.record(
            session, caller, EventKind.BACKUP_MADE, size=made.size, files=made.files, sealed=passphrase is not None
        )
    return made


@contextlib.contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that gets its name once it is whole and on the disk; never one that is there already."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    number = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(number, "w+b") as file:  # noqa: PTH123  # opened with its mode
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        draft.unlink()
    sync_folder(path.parent)


def sweep() -> None:
    """Remove what backups that were killed have left behind: copies of the database."""
    for folder in (runtime().settings.instance / "spool").glob("backup-*"):
        with contextlib.suppress(OSError):
            number = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(number)


@contextlib.contextmanager
def _snapshot() -> Iterator[Path]:
    """A folder for the moment that is being kept, on the disk where the files are. A lock says that it is in use."""
    sweep()
    spool = runtime().settings.instance / "spool"
    spool.mkdir(mode=0o700, exist_ok=True)
    folder = spool / f"backup-{secrets.token_hex(6)}"
    folder.mkdir(mode=0o700)
    number = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(number, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        os.close(number)
        shutil.rmtree(folder, ignore_errors=True)


def _freeze(folder: Path) -> list[str]:
    """Keep the moment; the digests of files that are missing. Nobody places or removes a file meanwhile.

    SQLite's file is copied under the files' lock. Of a server's database this only takes a look that stays as it is,
    which is copied afterwards, however long that takes.
    """
    database = sqlite_file.path_of(runtime().settings.database_url)
    files = store()
    (folder / FILES).mkdir(mode=0o700)
    with reading(patient=True) as session:
        with files.locked():
            missing = _link_files(session, files, folder)
            if database is not None:
                sqlite_file.copy(database, folder / DATABASE)
        if database is None:
            try:
                copy_target.into_file(session.connection(), folder / DATABASE, runtime().settings, runtime().keys)
            except CopyFault as fault:
                raise OSError(str(fault)) from fault
    return missing


def _link_files(session: Session, files: FileStore, folder: Path) -> list[str]:
    named = session.execute(select(Dataset.file_digest, Dataset.file_size).distinct())
    wanted = {digest: size for digest, size in named if digest}
    return [
        digest
        for digest, size in sorted(wanted.items())
        if not files.link(digest, size or 0, folder / FILES / digest)
    ]


def _write(caller: Caller, writer: Writer, folder: Path, missing: list[str]) -> None:
    """The ring is read after the database was copied, so it holds every key that the copy needs."""
    settings = runtime().settings
    ring = runtime().keys.ring.text.encode() + b"\n"
    for name in [DATABASE, *(f"{FILES}/{path.name}" for path in sorted((folder / FILES).iterdir()))]:
        with (folder / name).open("rb") as file:
            member = writer.add(name, file, os.fstat(file.fileno()).st_size)
        if name.startswith(FILES) and member.sha256 != Path(name).name:
            missing.append(Path(name).name)
    writer.add(KEYRING, io.BytesIO(ring), len(ring))
    if settings.secret_key is None:
        signing = keys.signing_file(settings).read_bytes()
        writer.add(SIGNING_KEY, io.BytesIO(signing), len(signing))
    writer.finish(_facts(caller, folder / DATABASE, missing))


def _facts(caller: Caller, database: Path, missing: list[str]) -> dict[str, Any]:
    return {
        "made_at": caller.now.isoformat(timespec="seconds"),
        "revision": migrations.current(db.engine),
        "missing": missing,
        "rows": sqlite_file.counts(database),
    }
