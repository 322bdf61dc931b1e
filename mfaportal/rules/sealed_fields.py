"""Values as bytes, for digests: one way for one row, and no two rows alike."""

from collections.abc import Iterable

Value = int | str | bytes | float | None
_TAGS = {type(None): b"n", int: b"i", str: b"s", bytes: b"b", float: b"f"}


def joined(values: Iterable[Value]) -> bytes:
    """Each value with its type and length before it, so that nothing can move from one field into the next.

    A float is none of ours, but a row that somebody has changed may hold one, and must come out as something else.
    """
    return b"".join(map(_field, values))


def _field(value: Value) -> bytes:
    match value:
        case None:
            content = b""
        case bytes():
            content = value
        case _:
            content = str(value).encode("utf-8", "surrogatepass")
    return b"%s%d:%s" % (_TAGS[type(value)], len(content), content)
