"""Names that people give: to themselves, to apps, to portals. Length before normalising, nothing invisible."""

import re
import unicodedata
from collections.abc import Collection

PERSON_MAX = 100
APP_MAX = 64
PORTAL_MAX = 80
SLUG_MAX = 40
TITLE_MAX = 200
CONTACT_MAX = 200
MESSAGE_MAX = 2000
REASON_MAX = 500
DESCRIPTION_MAX = 5000
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", re.ASCII)
RESERVED_SLUGS = {"new"}
"""Where the form for a new one stands, in place of a slug."""
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_JOINERS = {"\u200c", "\u200d"}
"""Hidden, but emoji families, Persian and the scripts of India are written with them."""
_BLANK = {"\u3164", "\u115f", "\u1160", "\uffa0", "\u2800", "\u034f", "\u17b4", "\u17b5"}
_SHOWN = {"L", "N", "P", "S"}


def clean_name(typed: str, longest: int) -> str | None:
    """The name composed (NFC) and trimmed; None when it is empty, too long, or holds what nobody can see.

    Characters that turn the direction of writing or show nothing would let one name pass for another.
    """
    if len(typed) > longest * 2:
        return None
    name = " ".join(unicodedata.normalize("NFC", typed).split())
    if not name or len(name) > longest:
        return None
    kinds = {char: unicodedata.category(char) for char in name}
    if any((kinds[char] in _HIDDEN and char not in _JOINERS) or char in _BLANK for char in kinds):
        return None
    return name if any(kind[0] in _SHOWN for kind in kinds.values()) else None


def key_of(name: str) -> str:
    """What makes two names the same: case and compatibility forms do not tell them apart."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def slug_from(name: str, otherwise: str = "portal") -> str:
    """A slug made of a name; `otherwise` where nothing of it can stand in a URL, `new-1` for one that is reserved."""
    plain = unicodedata.normalize("NFKD", name[: PORTAL_MAX * 2]).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:SLUG_MAX].strip("-")
    return f"{slug}-1" if slug in RESERVED_SLUGS else slug or otherwise


def free_slug(slug: str, taken: Collection[str]) -> str:
    """The slug, or the first of `slug-2`, `slug-3` … that nothing has taken; cut so that the number fits."""
    found, number = slug, 1
    while found in taken:
        number += 1
        ending = f"-{number}"
        found = slug[: SLUG_MAX - len(ending)].rstrip("-") + ending
    return found


def is_slug(text: str) -> bool:
    """Whether this can stand for a portal in a URL, and for nothing else there."""
    return bool(SLUG.fullmatch(text)) and text not in RESERVED_SLUGS
