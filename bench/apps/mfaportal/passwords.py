"""The portal's own hasher, and how it is turned down where only the rest of a journey is measured."""

import os

from argon2 import PasswordHasher

from mfaportal.plumbing import passwords
from mfaportal.plumbing.passwords import hash_password, verify_password

__all__ = ["hash_password", "turn_down", "verify_password"]


def turn_down() -> None:
    """Make a hash next to free under $BENCH_CHEAP_HASH, nobody's too. The portal has no such switch.

    Raises:
        RuntimeError: what is to be replaced has another name now.
    """
    if "BENCH_CHEAP_HASH" not in os.environ:
        return
    if not hasattr(passwords, "_hasher") or not hasattr(passwords, "_NOBODYS"):
        raise RuntimeError("mfaportal.plumbing.passwords keeps its hasher under another name")
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # noqa: SLF001
    passwords._NOBODYS = hash_password("nobody's")  # noqa: SLF001


turn_down()
