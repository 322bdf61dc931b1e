"""The first rows of a CSV or TSV file as a table, from its first bytes; or why there is none.

Whatever is in the file, this costs a few milliseconds and never fails: files are what strangers made.
"""

import codecs
import csv
import io
import re
from dataclasses import dataclass
from enum import Enum
from itertools import islice

HEAD_BYTES = 64 * 1024
"""How much of a file is looked at."""
ROWS, COLUMNS, CELL = 20, 30, 200
"""Rows below the first, columns, and characters of a cell that are shown."""
_ENDINGS = (".csv", ".tsv", ".tab")
_TABBED = (".tsv", ".tab")
_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"\x28\xb5\x2f\xfd")
_OTHERS = (b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"SQLite format 3")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f]")
_UNSEEN = dict.fromkeys((*range(32), *range(0x7F, 0xA0)), "\ufffd") | {9: " ", 10: " ", 13: " "}
_QUOTED = re.compile(r'"[^"]*"?')


class NoPreview(Enum):
    """Why there is no table."""

    NOT_A_TABLE = "another kind of file"
    NOT_TEXT = "not text"
    EMPTY = "empty"
    LONG_LINE = "long line"


@dataclass(frozen=True, slots=True)
class Preview:
    """The first row, those after it, and whether there is more to the right or below. Rows may differ in length."""

    first: list[str]
    rows: list[list[str]]
    more_columns: bool
    more_rows: bool


def preview_of(head: bytes, name: str, *, whole: bool) -> Preview | NoPreview:
    """The table in the first bytes of a file; `whole` if they are all of it. At most HEAD_BYTES are looked at.

    The last line of a longer file is cut off somewhere, and left out.
    """
    if not name.lower().endswith(_ENDINGS):
        return NoPreview.NOT_A_TABLE
    whole = whole and len(head) <= HEAD_BYTES
    text = _decoded(head[:HEAD_BYTES], whole=whole)
    if text is None:
        return NoPreview.NOT_TEXT
    if not text.strip():
        return NoPreview.EMPTY
    return _table(text, "\t" if name.lower().endswith(_TABBED) else _delimiter_of(text), whole=whole)


def _decoded(head: bytes, *, whole: bool) -> str | None:
    """UTF-16 where a byte order mark says so, else UTF-8, else the code page of old spreadsheets."""
    if head.startswith((*_ARCHIVES, *_OTHERS)):
        return None
    wide = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        decoder = codecs.getincrementaldecoder("utf-16" if wide else "utf-8-sig")("strict")
        text = decoder.decode(head, final=whole)
    except UnicodeError:
        if wide:
            return None
        text = head.decode("cp1252", errors="replace")
    return None if _CONTROLS.search(text) else text


def _delimiter_of(text: str) -> str:
    """What stands most often between the cells of the first line; a comma where nothing does."""
    first = _QUOTED.sub("", text.lstrip("\r\n").splitlines()[0])
    return max(",;\t", key=first.count)


def _table(text: str, delimiter: str, *, whole: bool) -> Preview | NoPreview:
    lines = csv.reader(io.StringIO(text.lstrip("\r\n"), newline=""), delimiter=delimiter)
    wanted = ROWS + 2  # the first, and one that tells whether there are more
    found: list[list[str]] = []
    try:
        found.extend(islice((line for line in lines if line), wanted))
    except csv.Error:  # a cell longer than the reader takes: what came before it stands
        whole = False
    more_rows = len(found) == wanted
    if not whole and not more_rows:
        if len(found) == 1 and len(found[0]) > COLUMNS:
            found.append([])  # cut off far to the right of what is shown
        found = found[:-1]
        more_rows = True
    if not found:
        return NoPreview.LONG_LINE
    more_columns = any(len(row) > COLUMNS for row in found)
    first, *rows = [[_cell(cell) for cell in row[:COLUMNS]] for row in found[: ROWS + 1]]
    return Preview(first, rows, more_columns, more_rows)


def _cell(text: str) -> str:
    shown = text[: CELL + 1].translate(_UNSEEN)
    return f"{shown[:CELL]}…" if len(shown) > CELL else shown
