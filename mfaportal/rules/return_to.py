"""Where somebody goes after logging in: only to a path of this portal, never to another site."""

import re
from urllib.parse import quote, unquote, urlsplit

GUARDED_MAX = 2300
"""Characters of a guarded page's address, quoted as it stands in a link. The way to it is a path of the portal that
holds it so (MAX_LENGTH), and a link to log in first holds that path, quoted once more (_QUOTED_MAX)."""
MAX_LENGTH = 2400
"""It is kept in the session, whose cookie browsers drop from 4 kB on."""
_QUOTED_MAX = 3920
"""Room for the rest of the first line, of which the server takes 4094 characters (gunicorn.conf.py)."""
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\\]")


def local_path(wanted: str | None) -> str | None:
    """The path if it leads to this very host whatever a browser makes of it; None otherwise."""
    if not wanted or len(wanted) > MAX_LENGTH or _UNSAFE.search(wanted):
        return None
    if len(quote(wanted, safe="/", errors="replace")) > _QUOTED_MAX:
        return None
    if '"' in wanted:  # browsers write it otherwise, and the session takes two characters for it
        return None
    if not wanted.startswith("/") or wanted.startswith("//"):
        return None
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return None
    return None if parts.scheme or parts.netloc or not _is_plain(unquote(parts.path)) else wanted


def fits_in_link(url: str) -> bool:
    """Whether the address of a guarded page is short enough for the links on the way through the log-in."""
    return len(quote(url, safe="")) <= GUARDED_MAX


def _is_plain(path: str) -> bool:
    """Decoded, too, it must be a path: a proxy, a browser or a framework may decode once more than the others."""
    return path.isascii() and "//" not in path and not _UNSAFE.search(path)
