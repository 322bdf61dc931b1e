"""Keyed digests: of recovery codes, and of what is sealed in the log of events. Whoever has the database alone can
neither try codes out nor make a seal.
"""

import hashlib
import hmac
from collections.abc import Mapping


class UnknownKey(Exception):
    """The ring does not hold the digest key that a row names."""


class Digester:
    """HMAC-SHA-256 under a digest key of the ring. New ones go under the newest, whose id is kept with them."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(keys)

    @property
    def newest(self) -> str:
        """The id of the key that new digests are made with."""
        return next(iter(self._keys))

    def digest(self, purpose: str, text: bytes, *, key: str) -> bytes:
        """The digest of `text`, for one purpose only, under the key with this id.

        Raises:
            UnknownKey: the ring has no such key.
        """
        if key not in self._keys:
            raise UnknownKey(key)
        return hmac.new(self._keys[key], purpose.encode() + b"\x00" + text, hashlib.sha256).digest()
