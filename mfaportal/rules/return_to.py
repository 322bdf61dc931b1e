"""Where somebody goes after logging in: only to a path of this portal, never to another site."""

import re
from urllib.parse import unquote, urlsplit

MAX_LENGTH = 2000
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\\]")


def local_path(wanted: str | None) -> str | None:
    """The path if it leads to this very host whatever a browser makes of it; None otherwise."""
    if not wanted or len(wanted) > MAX_LENGTH or _UNSAFE.search(wanted):
        return None
    if not wanted.startswith("/") or wanted.startswith("//"):
        return None
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return None
    return None if parts.scheme or parts.netloc or not _is_plain(unquote(parts.path)) else wanted


def _is_plain(path: str) -> bool:
    """Decoded, too, it must be a path: a proxy, a browser or a framework may decode once more than the others."""
    return path.isascii() and "//" not in path and not _UNSAFE.search(path)
