"""Random tokens for logins, links and devices, and what is kept of them: only a digest."""

import hashlib
import re
import secrets

TOKEN_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def new_token() -> str:
    """256 bits from the operating system, URL-safe (OWASP ASVS 5.0 §11.5.1 asks for 128)."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def well_formed(token: str) -> bool:
    """Whether this may be a token of ours: what cannot be one is kept nowhere."""
    return _TOKEN.fullmatch(token) is not None


def digest(token: str) -> bytes:
    """SHA-256: a random token of 256 bits needs no salt and no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
