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
    """What a password must not be: names of the installation, the portal and the person, whole and in parts."""
    words = {"mfaportal"}
    for text in texts:
        lower = text.lower()[:200]
        words.update((lower, re.sub(r"\W", "", lower), *re.findall(r"\w{4,}", lower)))
    return tuple(sorted(words))
