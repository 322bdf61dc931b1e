"""What name an uploaded file keeps, how large it may be, and how the name is told to browsers."""

import string
import unicodedata
from urllib.parse import quote

FILE_MAX = 200 * 1024 * 1024
"""Bytes of a dataset's file."""
NAME_BYTES_MAX = 255
"""What file systems take, in UTF-8."""
FALLBACK = "file"
_ENDING_BYTES_MAX = 24
_LOOKED_AT = 1000
"""Characters of a part; the rest of a longer one is not even looked at."""
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_JOINERS = {"\u200c", "\u200d"}
_FOREIGN = str.maketrans(dict.fromkeys('<>:"|?*', "_"))
"""What Windows takes in no name, and what has a meaning in headers."""
_RESERVED = {"con", "prn", "aux", "nul"} | {f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)}
_PLAIN = set(string.ascii_letters + string.digits + " !#$&()+,-.=@[]^_`{}~")
_ATTR_CHAR = "!#$&+-.^_`|~"


def kept_name(sent: str) -> str:
    """The name that a file keeps: its last part, composed, without anything that misleads; `file` for nothing.

    Never longer than 255 bytes in UTF-8, and its ending stays.
    """
    base = sent.replace("\\", "/").rpartition("/")[2]
    stem, dot, ending = base.rpartition(".")
    if not dot:
        stem, ending = base, ""
    ending = _cut(_plain(ending), _ENDING_BYTES_MAX)
    dotted = f".{ending}" if ending else ""
    stem = _cut(_plain(stem).lstrip("."), NAME_BYTES_MAX - len(dotted.encode())).rstrip(". ")
    if not stem or stem.partition(".")[0].rstrip().lower() in _RESERVED:
        stem = FALLBACK
    return stem + dotted


def _plain(part: str) -> str:
    """Composed (NFC), without what nobody sees or what turns the direction of writing."""
    shown = "".join(
        char
        for char in unicodedata.normalize("NFC", part[:_LOOKED_AT])
        if unicodedata.category(char) not in _HIDDEN or char in _JOINERS
    )
    return " ".join(shown.translate(_FOREIGN).split())


def _cut(text: str, longest: int) -> str:
    """As much of the text as fits into so many bytes, in whole characters."""
    return text.encode()[:longest].decode(errors="ignore").strip()


def disposition(name: str) -> str:
    """`Content-Disposition` for a download, which no browser shows as a page; safe for any name (RFC 6266, 5987)."""
    plain = "".join(char if char in _PLAIN else "_" for char in name)
    if plain == name:
        return f'attachment; filename="{plain}"'
    encoded = quote(name.encode(errors="replace"), safe=_ATTR_CHAR)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"
