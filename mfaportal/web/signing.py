"""Signed cookies in Flask's own format, with what is the same for every request worked out once."""

import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Any

from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode
from itsdangerous.signer import SigningAlgorithm


class _Sha1(SigningAlgorithm):
    """HMAC with SHA-1, as Flask signs, in one call instead of several."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return hmac.digest(key, value, "sha1")


class _Signer(TimestampSigner):
    """Derives each key once: the salt never changes here."""

    def __init__(
        self, keys: list[bytes], salt: bytes, derivation: str | None, clock: Callable[[], datetime] | None
    ) -> None:
        super().__init__(keys, salt=salt, key_derivation=derivation, algorithm=_Sha1())
        self._derived = {key: super(_Signer, self).derive_key(key) for key in self.secret_keys}
        self._clock = clock

    def get_timestamp(self) -> int:
        """When it is signed: in whole seconds, by the portal's clock where one was given."""
        return super().get_timestamp() if self._clock is None else int(self._clock().timestamp())

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        """The key for a secret, the newest if none is named."""
        return self._derived[self.secret_key if secret_key is None else secret_key]  # type: ignore[index]


class Signatures(URLSafeTimedSerializer):
    """As its base, with one signer for all that it reads and writes."""

    def __init__(
        self,
        keys: list[str],
        salt: str,
        *,
        serializer: Any = None,
        derivation: str | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        super().__init__(keys, salt=salt, serializer=serializer)
        self._signer = _Signer(self.secret_keys, salt.encode(), derivation, clock)

    def dump_payload(self, obj: Any) -> bytes:
        """Not compressed, unlike its base's: what we sign is short, and most of it is random."""
        return base64_encode(self.serializer.dumps(obj))

    def make_signer(self, _salt: str | bytes | None = None) -> TimestampSigner:
        return self._signer
