"""Choosing a password: the rule's answer for a form field."""

from ..plumbing.passwords import is_common
from ..rules.password_rule import PasswordRefusal, context_words, length_refusal
from . import navigation


def refusal_of(password: str, *own_words: str) -> str | None:
    """Why this password is not taken, as a sentence; `own_words`: the person's e-mail and names."""
    refusal = length_refusal(password)
    if refusal is None and is_common(password, context_words(navigation.installation(), *own_words)):
        refusal = PasswordRefusal.COMMON
    return None if refusal is None else refusal.value
