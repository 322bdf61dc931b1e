"""The lines of a mail: what people typed takes one, hides nothing, and cannot pass for the portal's own words."""

import textwrap
import unicodedata

WIDTH = 78
"""RFC 5322 §2.1.1."""
NAME_MAX = 70
REASON_MAX = 500
SIGNATURE = "-- "
"""What comes below is no part of what is said (RFC 3676 §4.3)."""
_QUOTE = "> "
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_JOINERS = {"\u200c", "\u200d"}
"""Hidden, but emoji families, Persian and the scripts of India are written with them."""
_CUT = "…"


def one_line(text: str, longest: int = NAME_MAX) -> str:
    """The text without line ends, control characters and what turns the direction of writing; cut where too long."""
    text = text[: longest * 8]  # before anything looks at each character
    shown = "".join(char if _is_shown(char) else " " for char in text)
    line = " ".join(shown.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + _CUT


def _is_shown(char: str) -> bool:
    return char in _JOINERS or unicodedata.category(char) not in _HIDDEN


def quoted(text: str) -> str:
    """Somebody's own words, each line marked as such, so that none of them looks like the portal's."""
    lines = textwrap.wrap(one_line(text, REASON_MAX), WIDTH - len(_QUOTE), break_on_hyphens=False)
    return "\n".join(_QUOTE + line for line in lines)


def laid_out(body: str) -> str:
    """The body with lines of at most 78 characters. What has no space stays whole: a link must be usable."""
    lines: list[str] = []
    for line in body.strip().split("\n"):
        if line.strip() or lines[-1:] != [""]:  # one empty line is enough
            lines += _wrapped(line)
    return "\n".join(lines) + "\n"


def _wrapped(line: str) -> list[str]:
    if line == SIGNATURE:
        return [line]
    return textwrap.wrap(line.rstrip(), WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
