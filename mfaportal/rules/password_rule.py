"""Which passwords are allowed: long ones that nobody else has. No composition rules (NIST 800-63B-4 §3.1.1.2)."""

import re
from enum import Enum

MIN_LENGTH = 12
MAX_LENGTH = 256


class PasswordRefusal(Enum):
    TOO_SHORT = f"Use at least {MIN_LENGTH} characters."
    TOO_LONG = f"Use at most {MAX_LENGTH} characters."
    COMMON = "This password is too easy to guess. Choose one that nobody else has."


def length_refusal(password: str) -> PasswordRefusal | None:
    """Each code point counts as one character. Asked before anything else is done with a password."""
    if len(password) < MIN_LENGTH:
        return PasswordRefusal.TOO_SHORT
    if len(password) > MAX_LENGTH:
        return PasswordRefusal.TOO_LONG
    return None


def context_words(*texts: str) -> tuple[str, ...]:
    """What a password must not be: names of the installation, the portal and the person, whole and in parts.

    Of an e-mail address, what stands before and behind the @ are parts, too.
    """
    words = {"mfaportal"}
    for text in texts:
        lower = text.lower()[:200]
        parts = (lower, *lower.split("@"))
        words.update((*parts, *(re.sub(r"\W", "", part) for part in parts), *re.findall(r"\w{4,}", lower)))
    return tuple(sorted(words - {""}))


def is_made_of(password: str, words: tuple[str, ...]) -> bool:
    """Whether nothing but these words, digits and signs stand in it, as in `HarbourData2026!`."""
    letters = rest = _letters(password.lower())
    for word in sorted(map(_letters, words), key=len, reverse=True):
        rest = rest.replace(word, "")
    return not rest and bool(letters)


def _letters(text: str) -> str:
    return re.sub(r"[\W\d_]", "", text)
