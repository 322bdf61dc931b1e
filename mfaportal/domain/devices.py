"""Whether a browser completed a log-in to an account before. Its mark is bound to the password, and dies with it."""

from hmac import compare_digest

from ..plumbing.tokens import digest

_LENGTH = 32


def mark_of(password_digest: str | None) -> str:
    """What the browser keeps after a whole log-in. The digest's own random salt makes it as good as random."""
    return digest(f"device\0{password_digest or ''}").hex()[:_LENGTH]


def is_known(mark: str | None, password_digest: str | None) -> bool:
    """Whether this mark was made for the account since its password was set."""
    if mark is None or password_digest is None:
        return False
    return compare_digest(mark.encode("utf-8", "surrogatepass"), mark_of(password_digest).encode())
