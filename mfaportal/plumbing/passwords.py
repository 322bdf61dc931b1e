"""Password digests: Argon2id with OWASP's parameters, and the list of common passwords.

Which passwords are allowed is `rules.password_rule`; how often one may try is `rules.throttling`.
"""

import unicodedata
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

MAX_LENGTH = 256
"""Checked before anything else touches a password: normalising long text is a denial of service."""

_NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$qJlGZMG6JoPscb0D2Gt+rQ$/oWUtl3y8zEmi6akP633snWhBWQdL9GjDDc6FV8AgN8"
"""The digest of a random password that was thrown away: judged for unknown addresses, so that they take as long."""
_M_MMAP_THRESHOLD = -3
_MEGABYTE = 1024 * 1024
_WORD_MIN = 4
_ZXCVBN_MAX = 72
"""Longer than any word of the list, and what zxcvbn itself refuses to look at beyond."""

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""OWASP password storage cheat sheet: Argon2id, 19 MiB, two passes, one lane."""


def hash_password(password: str) -> str:
    return _hasher.hash(_normalised(password))


def verify_password(password: str, digest: str | None) -> bool:
    """Whether `password` belongs to `digest`; without one the same work is done, and the answer is no."""
    if len(password) > MAX_LENGTH:
        password = ""  # still judged, so that a long guess takes as long as a short one
    try:
        _hasher.verify(digest or _NOBODYS, _normalised(password))
    except (Argon2Error, InvalidHashError):
        return False
    return digest is not None


def is_outdated(digest: str) -> bool:
    """Whether the digest was made with other parameters than today's."""
    return _hasher.check_needs_rehash(digest)


def keep_memory_small() -> None:
    """Have glibc give a hash's 19 MiB back at once.

    By itself it learns from the first free that such blocks come often, and keeps one for good: 19 MiB a worker.
    Elsewhere than on glibc there is nothing to do.
    """
    import ctypes  # noqa: PLC0415  # this line alone needs it

    try:
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, _MEGABYTE)
        libc.malloc_trim(0)  # what importing needed for a moment
    except (AttributeError, OSError, TypeError):
        return


def _normalised(password: str) -> bytes:
    """NFKC, so that a composed and a decomposed é are one (NIST SP 800-63B-4 §3.1.1.2)."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def is_common(password: str, context: tuple[str, ...] = ()) -> bool:
    """Whether the whole password is one well-known word, or one of `context`, give or take case and look-alikes.

    The list is zxcvbn's: 30,000 passwords and the commonest names and words. Imported on first use: it is large.
    """
    from zxcvbn import zxcvbn  # noqa: PLC0415

    if len(password) > _ZXCVBN_MAX:
        return False
    parts = zxcvbn(password, user_inputs=[word for word in context if word])["sequence"]
    return len(parts) == 1 and _is_word(parts[0])


def _is_word(part: Any) -> bool:
    """One word of the lists, or one said several times. Letters in a row are no word: nothing forbids them."""
    if part["pattern"] == "repeat":
        return len(part["base_token"]) >= _WORD_MIN and _is_word(part["base_matches"][0])
    return bool(part["pattern"] == "dictionary")
