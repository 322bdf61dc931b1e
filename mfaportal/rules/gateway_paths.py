"""How a path of a guarded host may be understood: in every way in which a program behind the proxy might.

A proxy and an application decode once, twice or not at all, cut parameters off, take %2f for a slash or not. Which
of it they do is not known here. So a path has as many readings as these habits give, and a decision holds for all.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from urllib.parse import unquote

Segments = tuple[str, ...]
PLAIN_MAX = 200
"""Characters of an address' prefix, or of a back-office path."""
OWN = ".mfaportal"
"""Paths under this are the portal's own on every guarded host, and can't be guarded."""
_WAYS_MAX = 60
"""Readings of one path. What browsers send has one to six."""
_READ_MAX = 40_000
"""Characters of all readings together: some letters are eighteen once they are plain."""
_SEGMENTS_MAX = PLAIN_MAX + 2
"""Segments of a reading that can matter: no address and no back-office path has as many."""
_PLAIN_SEGMENT = re.compile(r"[A-Za-z0-9_~.,=:@&-]*[A-Za-z0-9_~,=:@&-]", re.ASCII)
"""What stands in a path as it is. No `*` and no brackets: somebody would take them for a pattern."""
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NEVER = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
_UNSEEN = {"Mn", "Me", "Cf"}


@dataclass(frozen=True, slots=True)
class Readings:
    """The segments as they were sent, and every way of reading them, folded: `/Admin.;x//%61` is `admin`, `a`."""

    literal: Segments
    folded: frozenset[Segments]


def read_path(path: str) -> Readings | str:
    """All readings of a path in ASCII without its query; why it is refused where one of them can't be judged."""
    if not path.startswith("/"):
        return "not a path"
    if _BAD_ESCAPE.search(path):
        return "an escape that is none"
    ways = _ways(path)
    if isinstance(ways, str):
        return ways
    if any(map(_NEVER.search, ways)):
        return "a backslash or a control character"
    folded = {_folded(way) for way in ways}
    if None in folded:
        return "dots for a segment"
    return Readings(tuple(path.split("/")[1:]), frozenset(reading for reading in folded if reading is not None))


def _ways(path: str) -> Collection[str] | str:
    """What the path becomes by any of the steps, in any order, as often as they change it."""
    found, waiting, read = {path}, [path], len(path)
    while waiting:
        text = waiting.pop()
        for step in _STEPS:
            try:
                way = step(text)
            except UnicodeError:
                return "an escape that is not UTF-8"
            if way not in found:
                read += len(way)
                if len(found) == _WAYS_MAX or read > _READ_MAX:
                    return "readable in too many ways"
                found.add(way)
                waiting.append(way)
    return found


def _decoded(text: str) -> str:
    return unquote(text, errors="strict") if "%" in text else text


def _plainer(text: str) -> str:
    """With plain letters for those that look the same or are compared as the same, and nothing unseen."""
    if text.isascii():
        return text
    return "".join(char for char in unicodedata.normalize("NFKD", text) if unicodedata.category(char) not in _UNSEEN)


def _cut(text: str, ends: str) -> str:
    """Each segment up to the first of these characters."""
    if not any(end in text for end in ends):
        return text
    return re.sub(f"[{ends}][^/]*", "", text)


_STEPS = (_decoded, _plainer, partial(_cut, ends=";"), partial(_cut, ends="?#"))


def _folded(way: str) -> Segments | None:
    """The segments that are not empty, whatever their case and the dots and spaces at their ends; None for dots."""
    found = []
    for part in way.split("/"):
        segment = part.strip().rstrip(". ")
        if segment:
            # By way of the capitals: a dotless i has the same one as an i.
            found.append(segment.lower() if segment.isascii() else segment.upper().casefold())
        elif "." in part:
            return None
    return tuple(found[:_SEGMENTS_MAX])


def plain_path(text: str) -> str | None:
    """A path that has one reading only, without a slash at its end; "" for the root; None where it is none."""
    path = text.removesuffix("/")
    if len(path) > PLAIN_MAX or (text and not text.startswith("/")):
        return None
    segments = path.split("/")[1:]
    if not all(map(_PLAIN_SEGMENT.fullmatch, segments)):
        return None
    return None if segments and segments[0].lower() == OWN else path


@lru_cache(maxsize=1024)
def segments_of(plain: str) -> Segments:
    """The segments of a plain path."""
    return tuple(plain.split("/")[1:])


@lru_cache(maxsize=1024)
def folded_segments_of(plain: str) -> Segments:
    """The segments of a plain path as they stand in a reading."""
    return segments_of(plain.lower())


def starts_with(reading: Sequence[str], start: Segments) -> bool:
    """Whether a reading lies under a path."""
    return tuple(reading[: len(start)]) == start


def starts_loosely(reading: Sequence[str], start: Segments) -> bool:
    """The same, where `admin.json` is `admin`: many programs give one page in several formats."""
    return len(reading) >= len(start) and all(
        segment == wanted or segment.startswith(f"{wanted}.") for segment, wanted in zip(reading, start, strict=False)
    )
