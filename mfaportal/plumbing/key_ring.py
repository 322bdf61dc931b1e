"""The key ring as a file: one key a line, newest first, `KIND ID KEY`; and the file watched: it may change.

`seal` keys (Fernet) seal secrets, `digest` keys make digests. A rotation puts a new line in front and removes none:
what is sealed under an old key, a backup of last year among it, opens as long as the ring holds that key.
"""

import base64
import binascii
import contextlib
import fcntl
import hashlib
import hmac
import logging
import os
import re
import secrets
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .config import SettingError

KEY_BYTES = 32
_WORDS_A_LINE = 3
_ID = re.compile(r"[A-Za-z0-9._-]{1,20}")
_MADE = "%Y%m%dT%H%M%SZ"
"""A key's id is the instant at which it was made; the first one's is `1`."""
_FINGERPRINT = b"mfaportal key ring"
_log = logging.getLogger("mfaportal.keys")


@dataclass(frozen=True, slots=True)
class Key:
    """`text` is the key as the ring holds it: Base64 for `seal`, hex for `digest`."""

    kind: str
    id: str
    text: str

    @property
    def secret(self) -> bytes:
        return base64.urlsafe_b64decode(self.text) if self.kind == "seal" else bytes.fromhex(self.text)

    @property
    def made_at(self) -> datetime | None:
        """When it was made, where its id says so."""
        try:
            return datetime.strptime(self.id[:16], _MADE).replace(tzinfo=UTC)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of each kind by their ids, newest first; there is at least one."""

    seal: Mapping[str, Key]
    digest: Mapping[str, Key]

    def fingerprints(self) -> dict[str, str]:
        """What tells each key from any other, and nothing about it: a digest that the key itself makes."""
        keys = [*self.seal.values(), *self.digest.values()]
        return {
            fingerprint_name(key.kind, key.id): hmac.new(key.secret, _FINGERPRINT, hashlib.sha256).hexdigest()
            for key in keys
        }


def fingerprint_name(kind: str, key_id: str) -> str:
    return f"{kind} {key_id}"


def parse(text: str, path: Path) -> KeyRing:
    """Read a ring.

    Raises:
        SettingError: a line is no key, an id stands twice, or a kind is missing.
    """
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if any(len(words) != _WORDS_A_LINE or not _is_key(*words) for words in lines):
        raise SettingError(f"MFAPORTAL_KEYRING: {path} is no key ring.")
    keys = [Key(*words) for words in lines]
    if len({(key.kind, key.id) for key in keys}) != len(keys):
        raise SettingError(f"MFAPORTAL_KEYRING: {path} holds two keys of the same kind and id.")
    ring = KeyRing(*({key.id: key for key in keys if key.kind == kind} for kind in ("seal", "digest")))
    if not ring.seal:
        raise SettingError(f"MFAPORTAL_KEYRING: {path} holds no key to seal with.")
    if not ring.digest:
        raise SettingError(f"MFAPORTAL_KEYRING: {path} holds no key for digests.")
    return ring


def _is_key(kind: str, key_id: str, text: str) -> bool:
    try:
        secret = Key(kind, key_id, text).secret
    except (binascii.Error, ValueError):
        return False
    long_enough = len(secret) == KEY_BYTES if kind == "seal" else len(secret) >= KEY_BYTES
    return kind in ("seal", "digest") and bool(_ID.fullmatch(key_id)) and long_enough


def new_ring() -> str:
    """The text of a first ring, from the operating system's randomness."""
    return f"seal 1 {_new_seal_key()}\ndigest 1 {secrets.token_hex(KEY_BYTES)}"


def _new_seal_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def read(path: Path) -> str:
    """The text of a file with keys.

    Raises:
        SettingError: it cannot be read, or others can read it.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077 and path.is_file():
            raise SettingError(f"{path} can be read by others (mode {mode:04o}); run: chmod 600 {path}")
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise SettingError(f"The key file {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SettingError(f"The key file {path} holds no text.") from error


def make(path: Path, text: str, publish: Callable[[Path], object], owner: os.stat_result | None = None) -> None:
    """Write a key file beside its place, with mode 0600 and on the disk, and let `publish` put it there."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            if owner is not None and owner.st_uid != os.geteuid():
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)  # root rotates, the server's user must read
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        publish(draft)
    finally:
        draft.unlink(missing_ok=True)


class RingFile:
    """The ring in its file. `keys` is the ring as it is now: another process may have put a key into it.

    Looking costs one stat. A ring that cannot be read any more, or is none, leaves the one that was read last.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._seen = self._signature()
        self._text = read(path)
        self._ring = parse(self._text, path)

    @property
    def text(self) -> str:
        self.keys()
        return self._text

    def keys(self) -> KeyRing:
        signature = self._signature()
        if signature is not None and signature != self._seen:
            with self._lock:
                if signature != self._seen:
                    self._read_again()
                    self._seen = signature  # only now: whoever finds it there takes the ring that belongs to it
        return self._ring

    def add_seal_key(self, now: datetime) -> str:
        """Make a key and put it in front of the ring's file, in one step; its id. The others stay.

        Raises:
            SettingError: the ring is no file that this process may replace.
        """
        path = self.path.resolve()
        if not path.is_file():
            raise SettingError(f"MFAPORTAL_KEYRING: {path} is no file, so no key can be put into it.")
        try:
            with _alone_in(path.parent):
                text = read(path)  # as it is now: what is lost here, nothing that it sealed opens again
                before, key_id = parse(text, path), now.strftime(_MADE)
                while key_id in before.seal:
                    key_id += "-"
                ring = f"seal {key_id} {_new_seal_key()}\n{text}"
                make(path, ring, lambda draft: draft.replace(path), path.stat())
        except OSError as error:
            raise SettingError(
                f"MFAPORTAL_KEYRING: no key can be put into {path} by this user: {error.strerror}."
            ) from error
        return key_id

    def _signature(self) -> tuple[int, int, int] | None:
        """What changes when the file does; None for what is no file, and can be read once only."""
        with contextlib.suppress(OSError):
            found = self.path.stat()
            if stat.S_ISREG(found.st_mode):
                return found.st_ino, found.st_mtime_ns, found.st_size
        return None

    def _read_again(self) -> None:
        try:
            text = read(self.path)
            self._ring, self._text = parse(text, self.path), text
        except SettingError as error:
            _log.error("the key ring has changed and cannot be used, so the old one stays: %s", error)


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """While nobody else puts a key into a ring of this folder; what was put there is on the disk afterwards."""
    number = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield
        os.fsync(number)
    finally:
        os.close(number)
