"""Recovery codes: what one looks like, and which typed text is one. Whether it was used is not decided here."""

import base64
import re
import secrets

A_SET = 10
LOW = 3
"""From here on people are told to make new ones."""
_BYTES = 10
"""80 bits; NIST SP 800-63B-4 §4.2.1.1 asks for 64 at least, OWASP ASVS 5.0 §6.5.4 for 20."""
_GROUP = 4
_TYPED_MAX = 64
_CODE = re.compile(r"[A-Z2-7]{16}", re.ASCII)


def new_set() -> tuple[str, ...]:
    """Ten codes of 80 bits from the operating system: 16 Base32 characters each, in groups of four with dashes."""
    codes: set[str] = set()
    while len(codes) < A_SET:
        codes.add(base64.b32encode(secrets.token_bytes(_BYTES)).decode())
    return tuple(grouped(code) for code in codes)


def grouped(code: str) -> str:
    """As it is shown: `ABCD-EFGH-IJKL-MNOP`."""
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def clean(typed: str) -> str | None:
    """The 16 characters that somebody typed, without case, spaces and dashes; None when it is anything else.

    Length first, and ASCII only, as with one-time codes.
    """
    if len(typed) > _TYPED_MAX or not typed.isascii():
        return None
    code = re.sub(r"[ -]", "", typed).upper()
    return code if _CODE.fullmatch(code) else None
