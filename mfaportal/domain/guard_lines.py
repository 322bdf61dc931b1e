"""The lines in which an operator says what a portal guards: which of them can be guarded at all.

What an address or a path is, `rules.gateway` says; what other portals guard, `guarding`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar
from urllib.parse import urlsplit

from ..plumbing.hosts import is_host, stays_here
from ..plumbing.runtime import runtime
from ..rules.gateway import Address, parse_address, parse_back_office_path

ADDRESSES_MAX = 10
PATHS_MAX = 30
Read = TypeVar("Read")


class GuardWrong(Enum):
    """Why a portal cannot guard what was typed."""

    NO_ADDRESS = "no address"
    NOT_ENCRYPTED = "not encrypted"
    OWN_NAME = "own name"
    """The portal's own: the application would get the cookies of its logins, for cookies know no ports."""
    TAKEN = "taken"
    """Another portal guards it."""
    ALIKE = "alike"
    """A program behind the proxy may take two addresses for one."""
    TOO_MANY_ADDRESSES = "too many addresses"
    NO_PATH = "no path"
    WHOLE_ADDRESS = "whole address"
    TOO_MANY_PATHS = "too many paths"

    @property
    def is_of_paths(self) -> bool:
        return self in (GuardWrong.NO_PATH, GuardWrong.WHOLE_ADDRESS, GuardWrong.TOO_MANY_PATHS)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of what was typed; the first is number 1."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class GuardRefusal:
    """`line` is the one that is wrong, where it is one; `portal` the name of the one that guards the address."""

    why: GuardWrong
    line: Line | None = None
    portal: str = ""


@dataclass(frozen=True, slots=True)
class Typed:
    """Addresses and back-office paths, one a line. None: they stay as they are."""

    addresses: str | None = None
    back_office_paths: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed, read: each thing once, with its line. None: stays as it is."""

    addresses: dict[Address, Line] | None
    back_office_paths: dict[str, Line] | None


def read(typed: Typed) -> Wanted | GuardRefusal:
    """What the lines say, or the first of them that cannot be guarded."""
    addresses = _each(typed.addresses, _address, ADDRESSES_MAX, GuardWrong.TOO_MANY_ADDRESSES)
    if isinstance(addresses, GuardRefusal):
        return addresses
    paths = _each(typed.back_office_paths, _path, PATHS_MAX, GuardWrong.TOO_MANY_PATHS)
    return paths if isinstance(paths, GuardRefusal) else Wanted(addresses, paths)


def _each(
    text: str | None, parse: Callable[[str], Read | GuardWrong], most: int, too_many: GuardWrong
) -> dict[Read, Line] | GuardRefusal | None:
    if text is None:
        return None
    found: dict[Read, Line] = {}
    for number, typed in enumerate(text.split("\n"), 1):
        line = Line(number, typed.strip())
        if not line.text:
            continue
        parsed = parse(line.text)
        if isinstance(parsed, GuardWrong):
            return GuardRefusal(parsed, line)
        found.setdefault(parsed, line)
        if len(found) > most:
            return GuardRefusal(too_many)
    return found


def _address(text: str) -> Address | GuardWrong:
    address = parse_address(text, is_host=is_host, stays_here=stays_here)
    if address is None:
        encrypted = f"https{text[4:]}" if text[:7].lower() == "http://" else ""
        return GuardWrong.NOT_ENCRYPTED if _is_address(encrypted) else GuardWrong.NO_ADDRESS
    own = {_name(host) for host in runtime().allowed_hosts}
    return GuardWrong.OWN_NAME if _name(address.host) in own else address


def _is_address(text: str) -> bool:
    return parse_address(text, is_host=is_host, stays_here=stays_here) is not None


def _name(host: str) -> str | None:
    """A host without its port."""
    return urlsplit(f"//{host}").hostname


def _path(text: str) -> str | GuardWrong:
    path = parse_back_office_path(text)
    if path is None:
        return GuardWrong.NO_PATH if text.strip("/") else GuardWrong.WHOLE_ADDRESS
    return path
