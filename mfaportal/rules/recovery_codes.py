"""Recovery codes: what one looks like, and which typed text is one. Whether it was used is not decided here."""

import base64
import re

A_SET = 10
LOW = 3
"""From here on people are told to make new ones."""
CODE_BYTES = 10
"""80 bits; NIST SP 800-63B-4 §4.2.1.1 asks for 64 at least, OWASP ASVS 5.0 §6.5.4 for 20."""
_GROUP = 4
_TYPED_MAX = 64
_CODE = re.compile(r"[A-Z2-7]{16}", re.ASCII)


def code_of(drawn: bytes) -> str:
    """`CODE_BYTES` from a good source as they are shown: 16 Base32 characters, `ABCD-EFGH-IJKL-MNOP`."""
    code = base64.b32encode(drawn).decode()
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def clean(typed: str) -> str | None:
    """The 16 characters that somebody typed, without case, spaces and dashes; None when it is anything else.

    Length first, and ASCII only, as with one-time codes.
    """
    if len(typed) > _TYPED_MAX or not typed.isascii():
        return None
    code = re.sub(r"[ -]", "", typed).upper()
    return code if _CODE.fullmatch(code) else None
