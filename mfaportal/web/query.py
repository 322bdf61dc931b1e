"""What the address of a list says behind its question mark; what cannot be read is as good as not there."""

from flask import request

_TEXT_MAX = 100
_DIGITS_MAX = 18
"""A number of this many digits fits into every database."""


def text(name: str) -> str:
    """What is searched for."""
    return request.args.get(name, "").strip().replace("\x00", "")[:_TEXT_MAX]


def number(name: str) -> int | None:
    """A row's number, in ASCII digits."""
    typed = request.args.get(name, "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= _DIGITS_MAX else None
