"""Sealing what the database must keep but must not show: TOTP secrets, mails, codes that are shown once.

A sealed text names its key, and inside it whom it belongs to: `ID:` and a Fernet token. Opening compares, for Fernet
has no associated data, and a row copied to another account would open there otherwise.
"""

import base64
import hmac
from typing import TYPE_CHECKING

from .key_ring import Key, RingFile

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_SEPARATOR = b"\x00"


class SealBroken(Exception):
    """A sealed text does not open: another key ring, another owner, or altered."""


class Sealer:
    """Seals under the newest key of the ring, as it is at that moment, and opens under the key that a text names.

    cryptography is loaded when the first secret is sealed or opened: a worker at rest is 7 MiB smaller without it.
    """

    def __init__(self, ring: RingFile) -> None:
        self._ring = ring
        self._opened: dict[str, Fernet] = {}

    @property
    def newest(self) -> str:
        """The id of the key that seals now."""
        return next(iter(self._ring.keys().seal))

    def seal(self, owner: str, secret: str) -> bytes:
        return self._seal(owner.encode() + _SEPARATOR + secret.encode())

    def open(self, owner: str, sealed: bytes) -> str:
        """The secret of `owner`.

        Raises:
            SealBroken: no key of the ring opens it, or it was sealed for somebody else.
        """
        whose, _, secret = self._plain(sealed).partition(_SEPARATOR)
        if not hmac.compare_digest(whose, owner.encode()):
            raise SealBroken("sealed for somebody else")
        return secret.decode()

    def hold_the_same(self, one: bytes, other: bytes) -> bool:
        """Whether two sealed texts hold one secret of one owner."""
        try:
            return one == other or hmac.compare_digest(self._plain(one), self._plain(other))
        except SealBroken:
            return False

    def renew(self, sealed: bytes) -> bytes:
        """The same secret of the same owner, under the newest key.

        Raises:
            SealBroken: no key of the ring opens it.
        """
        return self._seal(self._plain(sealed))

    def _seal(self, plain: bytes) -> bytes:
        key = next(iter(self._ring.keys().seal.values()))
        return sealed_under(key.id) + self._fernet(key).encrypt(plain)

    def _plain(self, sealed: bytes) -> bytes:
        from cryptography.fernet import InvalidToken  # noqa: PLC0415

        keys, token = self._keys_for(sealed)
        for key in keys:
            try:
                plain = self._fernet(key).decrypt(token)
            except InvalidToken:
                continue
            if base64.urlsafe_b64encode(base64.urlsafe_b64decode(token)) != token:
                break  # bits that Base64 leaves over were altered
            return plain
        raise SealBroken("no key of the ring opens this")

    def _keys_for(self, sealed: bytes) -> tuple[tuple[Key, ...], bytes]:
        """The key that a text names; all of them for one that names none, which an earlier version made."""
        ring = self._ring.keys()
        name, mark, token = sealed.partition(b":")
        if not mark:
            return tuple(ring.seal.values()), sealed
        key = ring.seal.get(name.decode("ascii", "replace"))
        return (() if key is None else (key,)), token

    def _fernet(self, key: Key) -> "Fernet":
        from cryptography.fernet import Fernet  # noqa: PLC0415

        found = self._opened.get(key.text)
        if found is None:
            found = self._opened[key.text] = Fernet(key.text)
        return found


def sealed_under(key_id: str) -> bytes:
    """What a text sealed under this key begins with."""
    return key_id.encode() + b":"
