"""An archive behind a passphrase, as a tar of two files of the age format, so that other programs open it, too.

`identity.age` is a fresh key, sealed with the passphrase; `content.tar.age` is sealed for that key, as a stream:
`age -d -i identity.age content.tar.age`. Working the passphrase out takes a second, and half a gigabyte of memory.
"""

import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from .pipes import worked_on, worked_out

_IDENTITY, _CONTENT = "identity.age", "content.tar.age"
_IDENTITY_MAX = 64 * 1024
_BLOCK = tarfile.BLOCKSIZE


class BadArchive(Exception):
    """The file is no backup, or not a whole one. The message goes on from the file's name."""


def header(name: str, size: int) -> tarfile.TarInfo:
    """What stands before a file in a tar: nothing about who made it, and when."""
    found = tarfile.TarInfo(name)
    found.size, found.mode = size, 0o600
    return found


@contextmanager
def sealed(file: IO[bytes], passphrase: str) -> Iterator[IO[bytes]]:
    """What is written ends up sealed in `file`, which can be wound back: the length is known at the end only."""
    from pyrage import encrypt_io, x25519  # noqa: PLC0415  # only who needs it loads it
    from pyrage import passphrase as by_passphrase  # noqa: PLC0415

    identity = x25519.Identity.generate()
    key = by_passphrase.encrypt(f"{identity}\n".encode(), passphrase)
    file.write(_block(_IDENTITY, len(key)) + key + bytes(-len(key) % _BLOCK))
    place = file.tell()
    file.write(_block(_CONTENT, 0))
    with worked_on(lambda source: encrypt_io(source, file, [identity.to_public()])) as sink:
        yield sink
    size = file.tell() - place - _BLOCK
    file.write(bytes(-size % _BLOCK + 2 * _BLOCK))
    file.seek(place)
    file.write(_block(_CONTENT, size))
    file.seek(0, os.SEEK_END)


def _block(name: str, size: int) -> bytes:
    return header(name, size).tobuf(tarfile.GNU_FORMAT)


@contextmanager
def opened(file: IO[bytes], passphrase: str | None) -> Iterator[IO[bytes]]:
    """What is in the archive, as a stream; a file that is not sealed is the archive itself.

    Raises:
        BadArchive: it was altered or cut off, or this is not its passphrase.
    """
    with tarfile.open(fileobj=file, mode="r:") as outer:
        first = outer.next()
        if first is None or first.name != _IDENTITY:
            file.seek(0)
            yield file
            return
        second = outer.next()
        if second is None or second.name != _CONTENT or not (first.isreg() and second.isreg()) or outer.next():
            raise BadArchive("is no backup of this portal")
        with _unsealed(outer, (first, second), passphrase) as source:
            yield source


@contextmanager
def _unsealed(
    outer: tarfile.TarFile, members: tuple[tarfile.TarInfo, tarfile.TarInfo], passphrase: str | None
) -> Iterator[IO[bytes]]:
    from pyrage import DecryptError, decrypt_io  # noqa: PLC0415

    if passphrase is None:
        raise BadArchive("opens with its passphrase only (--passphrase-stdin)")
    identity, content = _identity(outer, members[0], passphrase), outer.extractfile(members[1])
    if content is None:
        raise BadArchive("is no backup of this portal")
    try:
        with worked_out(lambda sink: decrypt_io(content, sink, [identity])) as source:
            yield source
    except DecryptError as error:
        raise BadArchive("has been altered, or was cut off") from error
    except OSError as error:
        if error.errno is None:  # the library's own, not the disk's
            raise BadArchive("has been altered, or was cut off") from error
        raise


def _identity(outer: tarfile.TarFile, member: tarfile.TarInfo, passphrase: str) -> Any:
    from pyrage import DecryptError, x25519  # noqa: PLC0415
    from pyrage import passphrase as by_passphrase  # noqa: PLC0415

    key = outer.extractfile(member)
    if key is None or member.size > _IDENTITY_MAX:
        raise BadArchive("is no backup of this portal")
    try:
        return x25519.Identity.from_str(by_passphrase.decrypt(key.read(), passphrase).decode().strip())
    except DecryptError as error:
        raise BadArchive("does not open with this passphrase") from error
