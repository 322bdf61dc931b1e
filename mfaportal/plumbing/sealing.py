"""Sealing what the database must keep but must not show: TOTP secrets.

A sealed text names whom it belongs to, and opening compares: Fernet has no associated data, so a row copied
to another account would open there otherwise.
"""

import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

_SEPARATOR = b"\x00"


class SealBroken(Exception):
    """A sealed text does not open: another key ring, another owner, or altered."""


class Sealer:
    """Seals under the newest key of the ring and opens under any."""

    def __init__(self, keys: list[bytes]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, owner: str, secret: str) -> bytes:
        return self._fernet.encrypt(owner.encode() + _SEPARATOR + secret.encode())

    def open(self, owner: str, sealed: bytes) -> str:
        """The secret of `owner`.

        Raises:
            SealBroken: no key of the ring opens it, or it was sealed for somebody else.
        """
        try:
            text = self._fernet.decrypt(sealed)
        except InvalidToken as error:
            raise SealBroken("no key of the ring opens this") from error
        whose, _, secret = text.partition(_SEPARATOR)
        if not hmac.compare_digest(whose, owner.encode()):
            raise SealBroken("sealed for somebody else")
        return secret.decode()
