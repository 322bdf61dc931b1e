"""Choosing a password: the rule's answer for a form field."""

from ..domain import new_passwords
from . import navigation


def refusal_of(password: str, *own_words: str) -> str | None:
    """Why this password is not taken, as a sentence; `own_words`: the person's e-mail and names."""
    refusal = new_passwords.refusal_of(password, navigation.installation(), *own_words)
    return None if refusal is None else refusal.value
