"""Which part of a file a `Range` header asks for (RFC 9110, section 14).

One range is answered with that part. Several, other units and what cannot be read are answered with the whole file,
as the RFC allows: nobody gets a file in pieces that he did not ask for.
"""

import re
from dataclasses import dataclass

_ONE = re.compile(r"bytes=[ \t]*(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))[ \t]*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes from `start` up to, but not including, `stop`."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Unsatisfiable:
    """The file is not that long: 416."""


def part_of(header: str | None, length: int) -> Part | Unsatisfiable | None:
    """The part of a file of `length` bytes that `header` asks for; None for the whole of it."""
    found = _ONE.fullmatch(header) if header else None
    if found is None:
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        wanted = min(int(suffix), length)
        return Part(length - wanted, length) if wanted else Unsatisfiable()
    start = int(first)
    if last and int(last) < start:
        return None  # invalid, and so to be ignored
    if start >= length:
        return Unsatisfiable()
    return Part(start, min(int(last) + 1, length) if last else length)
