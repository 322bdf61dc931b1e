"""Keyed digests: of recovery codes, and of what is sealed in the log of events. Whoever has the database alone can
neither try codes out nor make a seal.
"""

import hashlib
import hmac

from .key_ring import RingFile


class UnknownKey(Exception):
    """The ring does not hold the digest key that a row names."""


class Digester:
    """HMAC-SHA-256 under a digest key of the ring. New ones go under the newest, whose id is kept with them."""

    def __init__(self, ring: RingFile) -> None:
        self._ring = ring

    @property
    def newest(self) -> str:
        """The id of the key that new digests are made with."""
        return next(iter(self._ring.keys().digest))

    def digest(self, purpose: str, text: bytes, *, key: str) -> bytes:
        """The digest of `text`, for one purpose only, under the key with this id.

        Raises:
            UnknownKey: the ring has no such key.
        """
        found = self._ring.keys().digest.get(key)
        if found is None:
            raise UnknownKey(key)
        return hmac.new(found.secret, purpose.encode() + b"\x00" + text, hashlib.sha256).digest()
