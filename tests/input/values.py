"""The bad values that every text field of every form is tried with, and what each of them may be in the end.

What a value can be is said here in so many words, not computed by the rules that are under test.
"""

from dataclasses import dataclass
from functools import cache
from urllib.parse import quote_plus

REFUSED = 422
TOO_LARGE = 413
NOT_A_FORM = 400


@dataclass(frozen=True)
class Bad:
    """A value. `encoded` is what stands in the body, where that is not simply the text percent-encoded."""

    what: str
    text: str | None
    """None: the field is not sent."""
    encoded: bytes | None = None
    is_name: bool = False
    """Somebody may call a person, an app or a portal so."""
    is_reason: bool = False
    is_password: bool = False
    """Long enough for a new password."""
    is_long_text: bool = False
    """Longer than a reason, and short enough for a message."""
    whole_body: int = 0
    """The status that the request gets whatever the field: the body as such is refused."""

    @property
    def is_message(self) -> bool:
        return self.is_reason or self.is_long_text

    def in_body(self, field: str) -> bytes:
        """The field as it stands in an urlencoded body."""
        if self.text is None:
            return b""
        return field.encode() + b"=" + (_encoded(self.text) if self.encoded is None else self.encoded)


@cache
def _encoded(text: str) -> bytes:
    return quote_plus(text).encode()


def _named(what: str, text: str, encoded: bytes | None = None) -> Bad:
    """A value that looks odd and is a name like any other."""
    return Bad(what, text, encoded, is_name=True, is_reason=True, is_password=len(text) >= 12)


def _marks(number: int) -> str:
    """Combining marks in the order that takes longest to normalise."""
    return "a" + "\u0315\u0300" * (number // 2)


BASE = (
    Bad("missing", None),
    Bad("empty", ""),
    Bad("one space", " "),
    Bad("10,000 letters", "a" * 10_000),
    Bad("1 MB", "a" * 1_000_000, whole_body=TOO_LARGE),
    Bad("NUL", "\x00"),
    Bad("a NUL inside", "a\x00b"),
    _named("a lone surrogate", "%ED%A0%80", b"%ED%A0%80"),
    Bad("bytes that are no UTF-8", "", b"\xff\xfe", whole_body=NOT_A_FORM),
    Bad("a line end", "\r\n"),
    Bad("a tab", "\t"),
    Bad("an escape sequence", "\x1b[31m", is_reason=True),
    Bad("a direction override", "a\u202eb", is_reason=True),
    Bad("a zero-width space", "\u200b", is_reason=True),
    Bad("a byte order mark", "\ufeff", is_reason=True),
    _named("composed", "\u00e9"),
    _named("decomposed", "e\u0301"),
    _named("case mappings that change the length", "\u0130\u0131\u00df\ufb01"),
    _named("an emoji of several", "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
    Bad("50,000 combining marks", _marks(50_000), whole_body=TOO_LARGE),
    Bad("30,000 combining marks, unencoded", _marks(30_000), _marks(30_000).encode()),
    Bad("600 combining marks", _marks(600), is_long_text=True),
    _named("SQL", "' OR 1=1--"),
    _named("a percent sign", "%"),
    _named("an underscore", "_"),
    _named("an expression", "${7*7}"),
    _named("a template", "{{7*7}}"),
    _named("a template's block", "{%raw%}"),
    _named("a script", "<script>alert(1)</script>"),
    _named("an end of attribute", '"><img src=x onerror=alert(1)>'),
    _named("a path", "../../etc/passwd"),
    _named("a negative number", "-1"),
    _named("a number too large for a float", "1e309"),
    _named("no number", "NaN"),
    _named("true", "true"),
    _named("null", "null"),
)


def padded(value: Bad) -> Bad:
    """The value, made long enough for a new password."""
    more = " quiet otters at dawn"
    filled = f"{value.text}{more}"
    encoded = None if value.encoded is None else value.encoded + more.encode()
    return Bad(f"{value.what}, padded", filled, encoded, is_password=len(filled) <= 256)


UNESCAPED = ("<script>", '"><img', "' OR 1")
"""No page may hold any of these as they were sent."""
