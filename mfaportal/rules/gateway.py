"""What a reverse proxy says about a request, checked, and which portal's address it is. Never in favour of entry.

A header that is missing, doubled or strange is refused, and so is a path that one program may take for another
portal's than the next one does (gateway_paths). A path that anybody may take for back office is back office.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from .gateway_paths import (
    Readings,
    Segments,
    folded_segments_of,
    plain_path,
    read_path,
    segments_of,
    starts_loosely,
    starts_with,
)
from .return_to import fits_in_link

URI_MAX = 8000
_ADDRESS_MAX = 500
_NAME_MAX = 253
_PORT_MAX = 65535
_OWN_PORTS = {"http": 80, "https": 443}
_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_PIECES_MAX = 20
_REMEMBERED_MAX = 250
"""Characters of what is remembered; of a long path there are many readings, and anybody may ask for one."""
_METHOD = re.compile(r"[A-Z][A-Z0-9_-]{0,19}", re.ASCII)
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_NETLOC = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(?::([1-9][0-9]{0,4}))?", re.ASCII)
_PORT = re.compile(r":[0-9]+\Z", re.ASCII)
_ADDRESS = re.compile(r"(https?)://([^/]+)(/.*)?", re.ASCII | re.IGNORECASE)
_UNSENT = re.compile(r"[^\x21-\x7e]|#")
"""What no browser puts into the first line of a request."""
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@dataclass(frozen=True, slots=True)
class Address:
    """One guarded address: the port only where it is not the scheme's own, the prefix without a slash at its end."""

    scheme: str
    host: str
    prefix: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}{self.prefix}"


@dataclass(frozen=True, slots=True)
class Malformed:
    """Which header can't be judged, and why, in words that hold nothing of what was sent."""

    header: str
    why: str


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What the proxy says about the request, checked. Scheme http or https, host in its one spelling."""

    method: str
    scheme: str
    host: str
    uri: str
    path: Readings
    pieces: tuple[Readings, ...] = ()
    """What else the URI may stand for: two lines of the header, which the server has joined by a comma."""


@dataclass(frozen=True, slots=True)
class GuardedPlace:
    """One address of the host that was asked for."""

    portal_id: int
    scheme: str
    prefix: str
    back_office_paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Whose request it is, which half of the portal is asked for, and the prefix of the address it lies under."""

    portal_id: int
    back_office: bool
    prefix: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No portal guards this."""


def parse_address(text: str, *, is_host: Callable[[str], bool], stays_here: Callable[[str], bool]) -> Address | None:
    """The address in its one spelling; None where it is none, or not encrypted and on another machine."""
    found = _ADDRESS.fullmatch(text.strip()) if len(text) <= _ADDRESS_MAX else None
    if not found:
        return None
    scheme, prefix = found[1].lower(), plain_path(found[3] or "")
    host = _host(found[2], scheme)
    if host is None or prefix is None:
        return None
    name = _PORT.sub("", host)
    if not is_host(name) or (scheme == "http" and not stays_here(name.strip("[]"))):
        return None
    return Address(scheme, host, prefix)


def parse_back_office_path(text: str) -> str | None:
    """The path as it is kept, without a slash at its end; None where it is none.

    The root is none: a portal that is private and gives roles says the same of the whole address.
    """
    return plain_path(text.strip()) or None


def read_forwarded(method: str | None, proto: str | None, host: str | None, uri: str | None) -> Forwarded | Malformed:
    """The four headers, checked; or the first that can't be judged. Short ones are remembered."""
    if len(uri or "") + len(host or "") + len(proto or "") + len(method or "") <= _REMEMBERED_MAX:
        return _remembered(method, proto, host, uri)
    return _read(method, proto, host, uri)


@lru_cache(maxsize=256)
def _remembered(method: str | None, proto: str | None, host: str | None, uri: str | None) -> Forwarded | Malformed:
    return _read(method, proto, host, uri)


def _read(method: str | None, proto: str | None, host: str | None, uri: str | None) -> Forwarded | Malformed:
    headers = {"Method": method, "Proto": proto, "Host": host}
    doubled = [name for name, value in headers.items() if value and "," in value]
    if doubled:
        return Malformed(f"X-Forwarded-{doubled[0]}", "doubled")
    if not (method and proto and host and uri):
        missing = next(name for name, value in (headers | {"Uri": uri}).items() if not value)
        return Malformed(f"X-Forwarded-{missing}", "missing")
    if not _METHOD.fullmatch(method):
        return Malformed("X-Forwarded-Method", "not a method in capitals")
    scheme = _SCHEMES.get(proto.lower()) if proto in (proto.lower(), proto.upper()) else None
    if scheme is None:
        return Malformed("X-Forwarded-Proto", "neither http nor https")
    own_host = _host(host, scheme)
    if own_host is None:
        return Malformed("X-Forwarded-Host", "not a host")
    read = _read_uri(uri)
    if isinstance(read, str):
        return Malformed("X-Forwarded-Uri", read)
    return Forwarded(method, scheme, own_host, uri, read[0], read[1:])


def _read_uri(uri: str) -> tuple[Readings, ...] | str:
    """The path, and each piece of the URI that would be a path if a comma stood between two."""
    if len(uri) > URI_MAX:
        return "too long"
    if _UNSENT.search(uri):
        return "a character that no browser sends"
    first, *others = uri.split(",/")
    if len(others) > _PIECES_MAX:
        return "readable in too many ways"
    pieces = [first, *(f"/{other}" for other in others)] if others else []
    found = []
    for text in (uri, *pieces):
        path = read_path(text.partition("?")[0])
        if isinstance(path, str):
            return path
        found.append(path)
    return tuple(found)


def _host(text: str, scheme: str) -> str | None:
    """In lower case, without a dot at its end and the scheme's own port; None for what is no host in ASCII."""
    found = _NETLOC.fullmatch(text.lower()) if text.isascii() else None
    name = _name(found[1]) if found else None
    port = int(found[2] or _OWN_PORTS[scheme]) if found else 0
    if name is None or port > _PORT_MAX:
        return None
    return name if port == _OWN_PORTS[scheme] else f"{name}:{port}"


def _name(text: str) -> str | None:
    try:
        if text.startswith("["):
            return f"[{ipaddress.IPv6Address(text[1:-1])}]"
        name = text.removesuffix(".")
        if _NUMBER.fullmatch(name.rpartition(".")[2]):  # browsers take it for an address
            return str(ipaddress.IPv4Address(name))
    except ValueError:
        return None
    return name if len(name) <= _NAME_MAX and _NAME.fullmatch(name) else None


def choose(forwarded: Forwarded, places: Sequence[GuardedPlace]) -> Chosen | Unknown | Malformed:
    """The address with the longest prefix, where all readings of the path have the same one."""
    literal = _longest(places, forwarded.path.literal, segments_of)
    if any(_longest(places, reading, folded_segments_of) != literal for reading in forwarded.path.folded):
        return Malformed("X-Forwarded-Uri", "under one address or another, as one reads it")
    if len(literal) != 1 or literal[0].scheme != forwarded.scheme:
        return Unknown()
    for piece in forwarded.pieces:
        for reading in piece.folded:
            if _longest(places, reading, folded_segments_of) not in ([], literal):
                return Malformed("X-Forwarded-Uri", "doubled, for two addresses")
    own = [place for place in places if place.portal_id == literal[0].portal_id]
    paths = (forwarded.path, *forwarded.pieces)
    back_office = any(_is_back_office(path, place) for path in paths for place in own)
    return Chosen(literal[0].portal_id, back_office, literal[0].prefix)


def _longest(
    places: Iterable[GuardedPlace], reading: Segments, split: Callable[[str], Segments]
) -> list[GuardedPlace]:
    """Those whose prefix the reading lies under, and no shorter ones than the longest."""
    under = [place for place in places if starts_with(reading, split(place.prefix))]
    longest = max((place.prefix.count("/") for place in under), default=0)
    return [place for place in under if place.prefix.count("/") == longest]


def _is_back_office(path: Readings, place: GuardedPlace) -> bool:
    """Whether any reading lies under one of the portal's back-office paths at this address."""
    prefix = folded_segments_of(place.prefix)
    return any(
        starts_with(reading, prefix) and starts_loosely(reading[len(prefix) :], folded_segments_of(back_office))
        for reading in path.folded
        for back_office in place.back_office_paths
    )


def return_url(forwarded: Forwarded, prefix: str) -> str:
    """Where somebody comes back to after logging in: the very page. Too long, it loses its query, or all its path."""
    start = f"{forwarded.scheme}://{forwarded.host}"
    urls = start + forwarded.uri, start + forwarded.uri.partition("?")[0]
    return next((url for url in urls if fits_in_link(url)), f"{start}{prefix}/")


def header_safe(text: str) -> str:
    """The text as a WSGI server sends it: UTF-8, one character for each byte, a space for what has no shape."""
    if text.isascii() and text.isprintable():
        return text.strip()
    seen = "".join(" " if unicodedata.category(char) in _HIDDEN else char for char in text)
    return seen.strip().encode().decode("latin-1")
