"""Backups as files: a tar of the members and, last, of a manifest that holds the digest of each.

With a passphrase the tar is sealed (`sealed_tar`). Either way it is a stream: a backup may be larger than the memory.
"""

import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from .pipes import CHUNK
from .sealed_tar import BadArchive, header, opened, sealed

FORMAT = 1
DATABASE, KEYRING, SIGNING_KEY, FILES = "database.sqlite3", "keyring", "secret_key", "files"
_MANIFEST = "manifest.json"
_NAME = re.compile(rf"{re.escape(DATABASE)}|{KEYRING}|{SIGNING_KEY}|{FILES}/[0-9a-f]{{64}}", re.ASCII)
_MANIFEST_MAX = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Member:
    """What the manifest knows about a file of the archive."""

    name: str
    size: int
    sha256: str


class Writer:
    """Takes the members one by one; `finish` writes the manifest."""

    def __init__(self, out: IO[bytes]) -> None:
        self._tar = tarfile.open(fileobj=out, mode="w|", format=tarfile.GNU_FORMAT)  # noqa: SIM115  # see finish
        self._members: list[Member] = []

    def add(self, name: str, file: IO[bytes], size: int) -> Member:
        reader = _Hashing(file)
        self._tar.addfile(header(name, size), reader)
        member = Member(name, size, reader.digest)
        self._members.append(member)
        return member

    def finish(self, facts: dict[str, Any]) -> None:
        members = [asdict(member) for member in self._members]
        text = json.dumps({"format": FORMAT, **facts, "members": members}, indent=1).encode()
        self._tar.addfile(header(_MANIFEST, len(text)), io.BytesIO(text))
        self._tar.close()


class _Hashing(io.RawIOBase):
    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._sum = file, hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._file.read(size)
        self._sum.update(chunk)
        return chunk

    @property
    def digest(self) -> str:
        return self._sum.hexdigest()


@contextmanager
def writing(file: IO[bytes], passphrase: str | None) -> Iterator[Writer]:
    """Write an archive into a file that can be wound back."""
    if passphrase is None:
        yield Writer(file)
    else:
        with sealed(file, passphrase) as sink:
            yield Writer(sink)


def unpack(path: Path, passphrase: str | None, folder: Path) -> dict[str, Any]:
    """Unpack a whole archive into an empty folder, checking everything; the manifest.

    Files of datasets lie as in the instance folder, below their first two digits.

    Raises:
        BadArchive: it is no backup, or not whole, or not as it was written.
    """
    try:
        with (
            path.open("rb") as file,
            opened(file, passphrase) as stream,
            tarfile.open(fileobj=stream, mode="r|") as tar,
        ):
            return _unpack(tar, folder)
    except (tarfile.TarError, EOFError) as error:
        raise BadArchive("is no backup of this portal, or was cut off") from error
    except FileNotFoundError as error:
        raise BadArchive("is not there") from error


def _unpack(tar: tarfile.TarFile, folder: Path) -> dict[str, Any]:
    (folder / FILES).mkdir(mode=0o700)
    unpacked: dict[str, Member] = {}
    manifest: dict[str, Any] | None = None
    for info in tar:
        if not info.isreg() or info.issparse():
            raise BadArchive(f"holds {info.name!r}, which is no plain file")
        source = tar.extractfile(info)
        if source is None or manifest is not None or info.name in unpacked:
            raise BadArchive(f"holds {info.name!r} where nothing may be")
        if info.name == _MANIFEST:
            manifest = _read_manifest(source, info.size)
        elif _NAME.fullmatch(info.name):
            unpacked[info.name] = _take_out(source, info, folder)
        else:
            raise BadArchive(f"holds {info.name!r}, which no backup of this portal does")
    if manifest is None:
        raise BadArchive("is no backup of this portal, or was cut off")
    _compare(manifest, unpacked)
    for digest in manifest["missing"]:  # one that was damaged when the backup was made is there, and no good
        (folder / FILES / digest[:2] / digest).unlink(missing_ok=True)
    return manifest


def _read_manifest(source: IO[bytes], size: int) -> dict[str, Any]:
    try:
        found = json.loads(source.read(size)) if size <= _MANIFEST_MAX else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("format"), int):
        raise BadArchive("has a manifest that cannot be read")
    if found["format"] > FORMAT:
        raise BadArchive("was written by a newer version of the portal")
    return found


def _take_out(source: IO[bytes], info: tarfile.TarInfo, folder: Path) -> Member:
    head, _, digest = info.name.partition("/")
    target = folder / FILES / digest[:2] / digest if digest else folder / head
    target.parent.mkdir(mode=0o700, exist_ok=True)
    total = hashlib.sha256()
    with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
        while chunk := source.read(CHUNK):
            total.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return Member(info.name, info.size, total.hexdigest())


def _compare(manifest: dict[str, Any], unpacked: dict[str, Member]) -> None:
    try:
        listed = {each["name"]: Member(**each) for each in manifest["members"]}
        damaged = {f"{FILES}/{digest}" for digest in manifest["missing"]}
        datetime.fromisoformat(manifest["made_at"]), manifest["revision"]
    except (KeyError, TypeError, ValueError) as error:
        raise BadArchive("has a manifest that cannot be read") from error
    well_named = all(_NAME.fullmatch(name) for name in damaged)
    if not well_named or not {DATABASE, KEYRING} <= set(listed) or set(listed) != set(unpacked):
        raise BadArchive("does not hold what its manifest lists")
    for name, member in unpacked.items():
        named_for_content = not name.startswith(FILES) or name in damaged or Path(name).name == member.sha256
        if member != listed[name] or not named_for_content:
            raise BadArchive(f"holds {name!r}, which is not what was written: its digest is another")
