"""Choosing a password: the rule's answer for a form field."""

from ..domain import new_passwords
from . import navigation


def refusal_of(password: str, *own_words: str, account_id: int | None = None) -> str | None:
    """Why this password is not taken, as a sentence; `own_words`: the person's e-mail and names.

    `account_id`: whose it is to be, where there is an account; then the names of its portals are none either.
    """
    portals = () if account_id is None else new_passwords.portals_of(account_id)
    refusal = new_passwords.refusal_of(password, navigation.installation(), *own_words, *portals)
    return None if refusal is None else refusal.value
