"""The signing key and the key ring: files in the instance folder, made once, readable by the owner alone.

Key ring: one key a line, newest first, `KIND ID KEY`. `seal` keys (Fernet) seal secrets; `digest` keys are for
recovery codes. The ring is as precious as the database: without it no app of anybody opens.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .config import SettingError, Settings
from .digesting import Digester
from .sealing import KEY_BYTES, Sealer, is_key, new_key

MIN_SECRET = 32
_MIN_DIFFERENT = 8
"""A key of fewer different characters was typed, not drawn."""
_WORDS_A_LINE = 3
_SAMPLES = frozenset({"dev", "secret", "changeme", "change-me", "your-secret-key", "development"})


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one installation, opened."""

    signing: str
    signing_fallbacks: tuple[str, ...]
    sealer: Sealer
    digester: Digester

    @property
    def welcome_token(self) -> str:
        """Opens /welcome while there is no account. Derived, so that all workers and restarts agree on it."""
        mac = hmac.new(self.signing.encode(), b"welcome", hashlib.sha256)
        return mac.hexdigest()[:40]


def open_keys(settings: Settings, *, first_start: bool) -> Keys:
    """Read the keys; a first start makes those that it lacks.

    A lost key ring is never replaced under an existing database: the apps sealed with it would all stop working.

    Raises:
        SettingError: a key is short, a sample, or a file that others may read.
    """
    text = settings.secret_key or _read_or_make(settings.instance / "secret_key", lambda: secrets.token_urlsafe(48))
    signing, *fallbacks = [key.strip() for key in text.split(",")]
    for key in (signing, *fallbacks):
        if len(key) < MIN_SECRET or key.lower() in _SAMPLES or len(set(key)) < _MIN_DIFFERENT:
            raise SettingError(
                f"MFAPORTAL_SECRET_KEY must hold random keys of at least {MIN_SECRET} characters;"
                " leave it out to have one made."
            )
    if not first_start and not settings.keyring.exists():
        raise SettingError(f"MFAPORTAL_KEYRING: {settings.keyring} is missing, and the database was made with it.")
    ring = _read_or_make(settings.keyring, _new_ring)
    digester = Digester(_digest_keys(ring, settings.keyring))
    return Keys(signing, tuple(fallbacks), Sealer(_seal_keys(ring, settings.keyring)), digester)


def _new_ring() -> str:
    return f"seal 1 {new_key()}\ndigest 1 {secrets.token_hex(32)}"


def _seal_keys(ring: str, path: Path) -> list[bytes]:
    lines = [line.split() for line in ring.splitlines() if line.strip() and not line.startswith("#")]
    keys = [words[2] for words in lines if len(words) == _WORDS_A_LINE and words[0] == "seal"]
    if any(len(words) != _WORDS_A_LINE for words in lines) or not all(is_key(key) for key in keys):
        raise SettingError(f"MFAPORTAL_KEYRING: {path} is no key ring.")
    if not keys:
        raise SettingError(f"MFAPORTAL_KEYRING: {path} holds no key to seal with.")
    return [key.encode() for key in keys]


def _digest_keys(ring: str, path: Path) -> dict[str, bytes]:
    lines = [line.split() for line in ring.splitlines() if line.startswith("digest ")]
    try:
        keys = {words[1]: bytes.fromhex(words[2]) for words in lines}
    except ValueError as error:
        raise SettingError(f"MFAPORTAL_KEYRING: {path} is no key ring.") from error
    if not keys or any(len(key) < KEY_BYTES for key in keys.values()):
        raise SettingError(f"MFAPORTAL_KEYRING: {path} holds no key for digests.")
    return keys


def _read_or_make(path: Path, make: Callable[[], str]) -> str:
    """The file's text; made with mode 0600 if missing. Two starts at once agree: the first to link wins."""
    try:
        if not path.exists():
            _make(path, make())
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077 and path.is_file():
            raise SettingError(f"{path} can be read by others (mode {mode:04o}); run: chmod 600 {path}")
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise SettingError(f"The key file {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SettingError(f"The key file {path} holds no text.") from error


def _make(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
