"""By what `doctor` knows this portal behind a proxy: a probe on the way there, a mark on the way back.

A probe takes the place of a pass, so that the gateway tells what it saw of the request. It names a guarded host, is
signed with the signing key, and opens nothing. What is answered to it is signed, too: an application that nobody
guards might answer anything. The mark stands in every answer of the route `/.mfaportal/`.
"""

import hashlib
from datetime import datetime, timedelta

from itsdangerous import BadData, Signer, URLSafeSerializer

from .clock import from_microseconds, to_microseconds
from .keys import Keys

LIFETIME = timedelta(seconds=60)
BEGINNING = "probe."
"""How a probe begins. No pass holds a dot, so nobody else's request costs the check of a signature."""
MARK_HEADER = "X-Mfaportal"
_SALT = "probe"
_SALT_OF_ANSWER = "answer to a probe"
_LONGEST = 1000


def new_probe(keys: Keys, host: str, now: datetime) -> str:
    return BEGINNING + _serializer(keys).dumps([host, to_microseconds(now)])


def host_of(keys: Keys, value: str, now: datetime) -> str | None:
    """The host that a probe names; None where it is none of ours, or too old."""
    if not value.startswith(BEGINNING) or len(value) > _LONGEST:
        return None
    try:
        host, made_at = _serializer(keys).loads(value.removeprefix(BEGINNING))
    except BadData:
        return None
    return str(host) if abs(now - from_microseconds(made_at)) <= LIFETIME else None


def signature_of(keys: Keys, probe: str, answer: str) -> str:
    """What shows that this portal gave the answer, and to this probe."""
    return _signer(keys).get_signature(f"{probe}\n{answer}").decode()


def is_ours(keys: Keys, probe: str, answer: str, signature: str) -> bool:
    return _signer(keys).verify_signature(f"{probe}\n{answer}", signature)


def mark_of(public_url: str) -> str:
    """Which portal answers: another one on the same machine has another address."""
    return hashlib.sha256(public_url.encode()).hexdigest()[:16]


def _serializer(keys: Keys) -> URLSafeSerializer:
    return URLSafeSerializer([*keys.signing_fallbacks, keys.signing], salt=_SALT)


def _signer(keys: Keys) -> Signer:
    return Signer([*keys.signing_fallbacks, keys.signing], salt=_SALT_OF_ANSWER)
