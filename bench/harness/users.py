"""The users every system is seeded with, and the TOTP codes they type.

Standard library only: the seed scripts import this module inside each system's
own virtual environment.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import threading
import time
from dataclasses import dataclass

PASSWORD = "correct-horse-42-battery"  # noqa: S105
ISSUER = "Bench"
STEP = 30

#: Users seeded on top of the asked-for number, with a password but no TOTP
#: yet: they open the set-up page.
FRESH = 20

#: Only this many users get a TOTP secret of their own. In databases larger
#: than that the others are there to fill the tables and never sign in, which
#: keeps seeding fast for systems that encrypt each secret.
ACTIVE = 2000


@dataclass(slots=True)
class User:
    """User number `index` (from 1), signing in from a loopback address of its own."""

    index: int
    last_step: int = -1

    @property
    def name(self) -> str:
        return f"user{self.index:07d}"

    @property
    def email(self) -> str:
        return f"{self.name}@example.com"

    @property
    def key(self) -> bytes:
        """The 20-byte TOTP secret."""
        return hashlib.sha1(f"bench:{self.index}".encode()).digest()  # noqa: S324  # any 20 bytes will do

    @property
    def base32(self) -> str:
        return base64.b32encode(self.key).decode()

    @property
    def address(self) -> str:
        """127.1.0.1 and up, so that limits per client address stay at their defaults."""
        return f"127.{1 + (self.index >> 16)}.{self.index >> 8 & 255}.{self.index & 255}"

    def code(self) -> str:
        """The code valid now; remembers its time step, so the pool won't repeat it."""
        self.last_step = int(time.time()) // STEP
        digest = hmac.digest(self.key, struct.pack(">Q", self.last_step), "sha1")
        offset = digest[-1] & 15
        number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
        return f"{number % 1_000_000:06d}"


def enrolled(count: int) -> range:
    """Indexes of the users with TOTP in a database of `count` users."""
    return range(1, count + 1)


def fresh(count: int) -> range:
    """Indexes of the users without TOTP in a database of `count` users."""
    return range(count + 1, count + FRESH + 1)


class PoolExhausted(Exception):
    """Every user has already spent a code in this time step."""


class UserPool:
    """Hands out users in turn; where they type codes, each at most once per time step."""

    def __init__(self, count: int, codes: bool = True) -> None:
        self._users = [User(index) for index in enrolled(min(count, ACTIVE))]
        self._codes = codes
        self._next = 0
        self._lock = threading.Lock()

    def take(self) -> User:
        with self._lock:
            user = self._users[self._next % len(self._users)]
            step = int(time.time()) // STEP
            if self._codes and user.last_step >= step:
                raise PoolExhausted
            user.last_step = step
            self._next += 1
            return user
