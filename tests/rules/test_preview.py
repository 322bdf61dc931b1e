import codecs
import io
import time
import zipfile

import pytest

from mfaportal.rules.preview import HEAD_BYTES, NoPreview, Preview, preview_of

TREES = "name,height\nelm,12\noak,20\n"
LONGEST = 0.05
"""Seconds of the processor that a look into any file may take."""


def shown(content: bytes, name: str = "trees.csv") -> Preview | NoPreview:
    """As the page does it: the first bytes of the file, and whether that is all."""
    started = time.thread_time()
    found = preview_of(content[:HEAD_BYTES], name, whole=len(content) <= HEAD_BYTES)
    assert time.thread_time() - started < LONGEST
    return found


def table(content: bytes, name: str = "trees.csv") -> list[list[str]]:
    found = shown(content, name)
    assert isinstance(found, Preview), found
    assert len(found.rows) <= 20
    for row in (found.first, *found.rows):
        assert len(row) <= 30
        assert all(len(cell) <= 201 for cell in row)
    return [found.first, *found.rows]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (TREES.encode(), "trees.csv"),
        (TREES.encode(), "TREES.CSV"),
        (codecs.BOM_UTF8 + TREES.encode(), "trees.csv"),
        (TREES.encode("utf-16"), "trees.csv"),
        (codecs.BOM_UTF16_BE + TREES.encode("utf-16-be"), "trees.csv"),
        (TREES.replace(",", ";").encode(), "trees.csv"),
        (TREES.replace(",", "\t").encode(), "trees.csv"),
        (TREES.replace(",", "\t").encode(), "trees.tsv"),
        (TREES.replace("\n", "\r\n").encode(), "trees.csv"),
        (TREES.replace("\n", "\r").encode(), "trees.csv"),
        (("\n\n" + TREES.replace("\n", "\n\n")).encode(), "trees.csv"),
        (TREES.rstrip("\n").encode(), "trees.csv"),
        (TREES.replace("elm", '"elm"').encode(), "trees.csv"),
    ],
)
def test_a_table_is_read_however_it_was_saved(content: bytes, name: str) -> None:
    assert table(content, name) == [["name", "height"], ["elm", "12"], ["oak", "20"]]


def test_what_stands_between_cells_is_not_looked_for_inside_quotes() -> None:
    assert table(b'"a;b;c;d",e\n1,2\n')[0] == ["a;b;c;d", "e"]
    assert table(b"a,b,c\n")[0] == ["a", "b", "c"]
    assert table(b"alone\n1\n") == [["alone"], ["1"]]
    assert table(b"a,b\tc\n", "x.tsv")[0] == ["a,b", "c"]


def test_old_spreadsheets_are_read_in_their_own_code_page() -> None:
    assert table("stra\u00dfe,\u20ac\n".encode("cp1252"))[0] == ["stra\u00dfe", "\u20ac"]


def test_rows_may_differ_in_length() -> None:
    assert table(b"a,b,c\n1\n1,2,3,4\n\n,\n") == [["a", "b", "c"], ["1"], ["1", "2", "3", "4"], ["", ""]]


def _zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("trees.csv", TREES)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (_zipped(), "trees.csv", NoPreview.NOT_TEXT),
        (b"PK\x03\x04 and then only text", "trees.csv", NoPreview.NOT_TEXT),
        (b"%PDF-1.7\n1 0 obj\n", "trees.csv", NoPreview.NOT_TEXT),
        (b"a,b\x00\n", "trees.csv", NoPreview.NOT_TEXT),
        (b"\x00" * 1000, "trees.csv", NoPreview.NOT_TEXT),
        (bytes(range(256)), "trees.csv", NoPreview.NOT_TEXT),
        (codecs.BOM_UTF16_LE + b"\x00\xd8a\x00", "trees.csv", NoPreview.NOT_TEXT),
        (b"", "trees.csv", NoPreview.EMPTY),
        (b" \r\n\r\n", "trees.csv", NoPreview.EMPTY),
        (codecs.BOM_UTF8, "trees.csv", NoPreview.EMPTY),
        (TREES.encode(), "trees.txt", NoPreview.NOT_A_TABLE),
        (TREES.encode(), "csv", NoPreview.NOT_A_TABLE),
        (b"a" * 100_000, "trees.csv", NoPreview.LONG_LINE),
        (b'"' + b"a\n" * 100_000, "trees.csv", NoPreview.LONG_LINE),
    ],
)
def test_what_is_no_table_is_not_shown_as_one(content: bytes, name: str, reason: NoPreview) -> None:
    assert shown(content, name) is reason


def test_at_most_twenty_rows_of_thirty_columns_with_two_hundred_characters_are_shown() -> None:
    row = ",".join(["b" * 500] * 40)
    found = shown(("\n".join([row] * 3) + "\n").encode())
    assert isinstance(found, Preview)
    assert (len(found.rows), len(found.first), found.more_columns, found.more_rows) == (2, 30, True, False)
    assert found.first[0] == "b" * 200 + "\u2026"
    for lines, more in ((21, False), (22, True)):
        found = shown(b"a,b\n" * lines)
        assert isinstance(found, Preview)
        assert (len(found.rows), found.more_rows, found.more_columns) == (20, more, False)


def test_the_line_that_is_cut_off_is_left_out() -> None:
    lines = [f"{number},{'x' * 9000}" for number in range(10)]
    rows = table("\n".join(lines).encode())
    assert [row[0] for row in rows] == [str(number) for number in range(7)]
    cut_in_a_character = b"a,b\n" + b"1," + b"y" * (HEAD_BYTES - 7) + "\u00e9".encode() * 10
    assert table(cut_in_a_character) == [["a", "b"]]


@pytest.mark.parametrize(
    "content",
    [
        b",".join(b"column%d" % number for number in range(1_000_000)),
        b"," * 1_000_000,
        b"a,b\n" + b'"' * 999_999,
        b"a,b\n" + b'"x",' * 500_000,
        b'a,"b\n' + b"1,2\n" * 100_000,
        b"\n" * 1_000_000,
        b'"\n' * 500_000,
        b"\r" * 70_000,
        b"\xff" * 100_000,
        b"\xef\xbb\xbf" * 30_000,
        ("a\u0301\u0315" * 30_000).encode(),
        ("\u2028" * 30_000).encode(),
    ],
    ids=range(12),
)
def test_no_file_takes_long_or_breaks_anything(content: bytes) -> None:
    found = shown(content)
    if isinstance(found, Preview):
        assert table(content)


def test_a_million_columns_are_shown_as_the_first_thirty() -> None:
    header = b",".join(b"c%d" % number for number in range(1_000_000))
    found = shown(header + b"\n1,2\n")
    assert isinstance(found, Preview)
    assert found.first == [f"c{number}" for number in range(30)]
    assert found.more_columns


def test_what_nobody_sees_in_a_cell_is_shown_as_such() -> None:
    assert table(b'"a\nb",\x7f\n\x1a'.replace(b"\x1a", b""))[0] == ["a b", "\ufffd"]
