"""The signing key and the key ring: files in the instance folder, made once, readable by the owner alone.

The ring (`key_ring`) is as precious as the database: without it no app of anybody opens.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import key_ring
from .config import SettingError, Settings
from .digesting import Digester
from .key_ring import RingFile
from .sealing import Sealer

MIN_SECRET = 32
_MIN_DIFFERENT = 8
"""A key of fewer different characters was typed, not drawn."""
_SAMPLES = frozenset({"dev", "secret", "changeme", "change-me", "your-secret-key", "development"})


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one installation, opened."""

    signing: str
    signing_fallbacks: tuple[str, ...]
    ring: RingFile
    sealer: Sealer
    digester: Digester

    @property
    def signing_fingerprints(self) -> tuple[str, ...]:
        """What tells each signing key from any other, and nothing about it; the one in use first."""
        keys = (self.signing, *self.signing_fallbacks)
        return tuple(hmac.new(key.encode(), b"fingerprint", hashlib.sha256).hexdigest() for key in keys)

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
    if not first_start and not settings.keyring.exists():
        raise SettingError(f"MFAPORTAL_KEYRING: {settings.keyring} is missing, and the database was made with it.")
    text = settings.secret_key or _read_or_make(signing_file(settings), lambda: secrets.token_urlsafe(48))
    signing, *fallbacks = [key.strip() for key in text.split(",")]
    for key in (signing, *fallbacks):
        if len(key) < MIN_SECRET or key.lower() in _SAMPLES or len(set(key)) < _MIN_DIFFERENT:
            raise SettingError(
                f"MFAPORTAL_SECRET_KEY must hold random keys of at least {MIN_SECRET} characters;"
                " leave it out to have one made."
            )
    _make_if_missing(settings.keyring, key_ring.new_ring)
    ring = RingFile(settings.keyring)
    return Keys(signing, tuple(fallbacks), ring, Sealer(ring), Digester(ring))


def signing_file(settings: Settings) -> Path:
    """Where the signing key lies while no setting holds it."""
    return settings.instance / "secret_key"


def _read_or_make(path: Path, text: Callable[[], str]) -> str:
    _make_if_missing(path, text)
    return key_ring.read(path)


def _make_if_missing(path: Path, text: Callable[[], str]) -> None:
    """Two starts at once agree: the first to link wins."""

    def publish(draft: Path) -> None:
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)

    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            key_ring.make(path, text(), publish)
    except OSError as error:
        raise SettingError(f"The key file {path} cannot be read: {error.strerror}.") from error
