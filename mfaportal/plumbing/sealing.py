"""Sealing what the database must keep but must not show: TOTP secrets.

A sealed text names whom it belongs to, and opening compares: Fernet has no associated data, so a row copied
to another account would open there otherwise.
"""

import base64
import binascii
import hmac
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

KEY_BYTES = 32
_SEPARATOR = b"\x00"


class SealBroken(Exception):
    """A sealed text does not open: another key ring, another owner, or altered."""


class Sealer:
    """Seals under the newest key of the ring and opens under any.

    cryptography is loaded when the first secret is sealed or opened: a worker at rest is 7 MiB smaller without it.
    """

    def __init__(self, keys: list[bytes]) -> None:
        self._keys = keys

    @cached_property
    def _fernet(self) -> "MultiFernet":
        from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415

        return MultiFernet([Fernet(key) for key in self._keys])

    def seal(self, owner: str, secret: str) -> bytes:
        return self._fernet.encrypt(owner.encode() + _SEPARATOR + secret.encode())

    def open(self, owner: str, sealed: bytes) -> str:
        """The secret of `owner`.

        Raises:
            SealBroken: no key of the ring opens it, or it was sealed for somebody else.
        """
        from cryptography.fernet import InvalidToken  # noqa: PLC0415

        try:
            text = self._fernet.decrypt(sealed)
        except InvalidToken as error:
            raise SealBroken("no key of the ring opens this") from error
        whose, _, secret = text.partition(_SEPARATOR)
        if not hmac.compare_digest(whose, owner.encode()):
            raise SealBroken("sealed for somebody else")
        return secret.decode()


def is_key(text: str) -> bool:
    """Whether this is a Fernet key: 32 bytes in URL-safe Base64."""
    try:
        return len(base64.urlsafe_b64decode(text)) == KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def new_key() -> str:
    """A key for the ring, from the operating system."""
    from cryptography.fernet import Fernet  # noqa: PLC0415

    return Fernet.generate_key().decode()
