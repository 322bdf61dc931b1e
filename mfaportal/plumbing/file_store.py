"""Files of datasets: each once, under its digest, in the instance folder; and the folder where uploads arrive.

Which files are still wanted is not known here. Whoever places or removes one holds the lock, and takes it before any
transaction, never inside one.
"""

import fcntl
import hashlib
import io
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from .clock import from_microseconds

_CHUNK = 256 * 1024
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LEFT_BEHIND = timedelta(hours=1)
"""An upload older than this is nobody's any more: its worker died."""


class SpooledFile(io.BufferedRandom):
    """A file on its way in, readable by the owner alone. It is gone once it is closed, unless it was placed."""

    def __init__(self, folder: Path) -> None:
        number, name = tempfile.mkstemp(prefix="upload-", dir=folder)
        self.path = Path(name)
        super().__init__(io.FileIO(number, "r+b"))

    def close(self) -> None:
        if not self.closed:
            try:
                super().close()
            finally:
                self.path.unlink(missing_ok=True)

    @property
    def size(self) -> int:
        """In bytes, those not yet written to the disk included."""
        self.flush()
        return os.fstat(self.fileno()).st_size


@dataclass(frozen=True, slots=True)
class Measured:
    """A spooled file that is whole and on the disk: its SHA-256 in hex, and its bytes."""

    file: SpooledFile
    digest: str
    size: int


class FileStore:
    """The files below an instance folder. Folders are made when they are needed."""

    def __init__(self, instance: Path) -> None:
        self._files = instance / "files"
        self._spool = instance / "spool"
        self._orphans = self._files / "orphans"

    def spool(self) -> SpooledFile:
        """An empty file for an upload, never in the machine's own temporary folder."""
        self._spool.mkdir(mode=0o700, exist_ok=True)
        return SpooledFile(self._spool)

    @staticmethod
    def measure(file: SpooledFile) -> Measured:
        """Read a spooled file through once and see that it is on the disk. Takes long; needs no lock."""
        file.seek(0)
        digest, size = hashlib.sha256(), 0
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
        os.fsync(file.fileno())
        return Measured(file, digest.hexdigest(), size)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else, in any process, places or removes a file meanwhile."""
        self._files.mkdir(mode=0o700, exist_ok=True)
        number = os.open(self._files / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(number, fcntl.LOCK_EX)
            yield
        finally:
            os.close(number)

    def place(self, measured: Measured) -> None:
        """Move a spooled file to its place; one of the same content that is there already stays. Under the lock."""
        target = self._path(measured.digest)
        if target.exists() and target.stat().st_size == measured.size:
            return
        target.parent.mkdir(mode=0o700, exist_ok=True)
        os.replace(measured.file.path, target)  # noqa: PTH105  # one step, whatever stands there
        for folder in (target.parent, self._files):
            sync_folder(folder)

    def link(self, digest: str, size: int, name: Path) -> bool:
        """Give the file a second name, which stays when it is removed; False if it is missing or cut off."""
        file = self.open(digest, size)
        if file is None:
            return False
        with file:
            try:
                os.link(self._path(digest), name)
            except OSError:  # this disk has one name a file
                with name.open("xb") as target:
                    shutil.copyfileobj(file, target, _CHUNK)
        return True

    def remove(self, digest: str) -> None:
        """Remove a file that nobody wants any more. Under the lock."""
        self._path(digest).unlink(missing_ok=True)

    def open(self, digest: str, size: int) -> IO[bytes] | None:
        """The file with this digest, None when it is missing or cut off.

        Once open it can be read to its end, whoever removes it meanwhile.
        """
        try:
            file = self._path(digest).open("rb")
        except FileNotFoundError:
            return None
        if os.fstat(file.fileno()).st_size == size:
            return file
        file.close()
        return None

    def has(self, digest: str, size: int) -> bool:
        """Whether the file is there, and as long as it should be."""
        file = self.open(digest, size)
        if file is not None:
            file.close()
        return file is not None

    def digests(self) -> list[str]:
        """Of every file that is there."""
        return [path.name for path in self._files.glob("??/*") if _DIGEST.fullmatch(path.name)]

    def sweep(self, wanted: Collection[str], now: datetime) -> int:
        """Remove uploads that were left behind, and set files aside that nobody wants. How many. Under the lock.

        Nobody wants them by the word of a database that may be an older copy: so one that is wanted again comes back.
        """
        swept = 0
        for path in self._spool.glob("upload-*"):
            try:
                modified = from_microseconds(int(path.stat().st_mtime * 1_000_000))
            except FileNotFoundError:
                continue  # its worker has just finished
            if now - modified > _LEFT_BEHIND:
                path.unlink(missing_ok=True)
                swept += 1
        there = set(self.digests())
        for digest in set(wanted) - there:
            self._bring_back(digest)
        for digest in there - set(wanted):
            self._set_aside(digest, now)
            swept += 1
        return swept

    def _set_aside(self, digest: str, now: datetime) -> None:
        self._orphans.mkdir(mode=0o700, exist_ok=True)
        aside = self._orphans / digest
        os.replace(self._path(digest), aside)  # noqa: PTH105  # one step, whatever stands there
        os.utime(aside, (now.timestamp(), now.timestamp()))

    def _bring_back(self, digest: str) -> None:
        aside, target = self._orphans / digest, self._path(digest)
        if aside.exists():
            target.parent.mkdir(mode=0o700, exist_ok=True)
            os.replace(aside, target)  # noqa: PTH105

    def remove_orphans(self, before: datetime) -> int:
        """Remove for good what was set aside before then; how many. Under the lock."""
        old = [path for path in self._orphans.glob("*") if path.stat().st_mtime < before.timestamp()]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def _path(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise ValueError("not a digest")
        return self._files / digest[:2] / digest


def sync_folder(folder: Path) -> None:
    """A name is on the disk only once its folder is."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
