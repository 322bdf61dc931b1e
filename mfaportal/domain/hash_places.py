"""Whose tries with a password share the places that a worker has for them (`plumbing.hash_slots`).

Taken before a try is counted: who finds no place has used up nothing, and learns nothing from it.
"""

from contextlib import AbstractContextManager

from ..plumbing import passwords
from ..plumbing.tokens import digest
from ..rules.throttling import network_of
from .caller import Caller


def of_stranger(caller: Caller) -> AbstractContextManager[None]:
    """A place for a try of which nothing is known but where it comes from.

    Raises:
        Busy: there is no place.
    """
    return passwords.place("" if caller.address is None else network_of(caller.address))


def of_account(account_id: int | None) -> AbstractContextManager[None]:
    """A place for somebody who is logged in, or whose browser was before: one account's tries share.

    Raises:
        Busy: there is no place.
    """
    return passwords.place(f"account {account_id}", known=True)


def of_link(token: str) -> AbstractContextManager[None]:
    """A place for whoever holds a link that works.

    Raises:
        Busy: there is no place.
    """
    return passwords.place(f"link {digest(token).hex()}", known=True)
