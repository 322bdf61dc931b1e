"""Whether a password that somebody chooses is taken: one answer for the pages and for the command line."""

from ..plumbing.passwords import is_common
from ..rules.password_rule import PasswordRefusal, context_words, is_made_of, length_refusal


def refusal_of(password: str, *names: str) -> PasswordRefusal | None:
    """Why this password is not taken; `names`: the installation's and the person's own, which it must not be."""
    refusal = length_refusal(password)
    if refusal is not None:
        return refusal
    words = context_words(*names)
    return PasswordRefusal.COMMON if is_made_of(password, words) or is_common(password, words) else None
