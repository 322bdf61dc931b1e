"""Password digests: Argon2id with OWASP's parameters.

Which passwords are allowed is `rules.password_rule`; how often one may try is `rules.throttling`.
"""

import unicodedata
from contextlib import AbstractContextManager

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from flask import current_app, has_app_context

from . import machine, runtime
from .hash_memory import MEMORY
from .hash_slots import HashSlots

MAX_LENGTH = 256
"""Checked before anything else touches a password: normalising long text is a denial of service."""

_NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$qJlGZMG6JoPscb0D2Gt+rQ$/oWUtl3y8zEmi6akP633snWhBWQdL9GjDDc6FV8AgN8"
"""The digest of a random password that was thrown away: judged for unknown addresses, so that they take as long."""

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""OWASP password storage cheat sheet: Argon2id, 19 MiB, two passes, one lane."""


_alone = HashSlots(machine.Plan(at_once=2))
"""For programs that have no portal around them."""


def place(source: str = "", *, known: bool = False) -> AbstractContextManager[None]:
    """A place for what takes long about a password: everything below takes one, unless its caller has.

    Whoever counts a try before it is judged takes the place first, so that nothing is counted of who gets none.
    `source` and `known`: see `hash_slots`.

    Raises:
        Busy: none is free.
    """
    at_home = has_app_context() and runtime.is_installed(current_app)
    return (runtime.runtime().hash_slots if at_home else _alone).place(source, known=known)


def hash_password(password: str) -> str:
    with place(), MEMORY.use():
        return _hasher.hash(_normalised(password))


def verify_password(password: str, digest: str | None) -> bool:
    """Whether `password` belongs to `digest`; without one the same work is done, and the answer is no."""
    if len(password) > MAX_LENGTH:
        password = ""  # still judged, so that a long guess takes as long as a short one
    with place(), MEMORY.use():
        try:
            _hasher.verify(digest or _NOBODYS, _normalised(password))
        except (Argon2Error, InvalidHashError):
            return False
    return digest is not None


def is_outdated(digest: str) -> bool:
    """Whether the digest was made with other parameters than today's."""
    return _hasher.check_needs_rehash(digest)


def _normalised(password: str) -> bytes:
    """NFKC, so that a composed and a decomposed é are one (NIST SP 800-63B-4 §3.1.1.2)."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
