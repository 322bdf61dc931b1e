from email.message import Message

import pytest
from werkzeug.http import parse_options_header

from mfaportal.rules.file_names import disposition, kept_name

LONG = "a" * 300


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("trees.csv", "trees.csv"),
        ("Trees of 2026 (final).csv", "Trees of 2026 (final).csv"),
        ("archive.tar.gz", "archive.tar.gz"),
        ("README", "README"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\trees.csv", "trees.csv"),
        ("a/b\\c.csv", "c.csv"),
        ("trees.csv/", "file"),
        ("", "file"),
        ("   ", "file"),
        (".", "file"),
        ("..", "file"),
        ("...", "file"),
        (".htaccess", "file.htaccess"),
        (".csv", "file.csv"),
        ("trees.", "trees"),
        ("trees .csv", "trees.csv"),
        ("con.txt", "file.txt"),
        ("CON", "file"),
        ("Lpt1.tar.gz", "file.gz"),
        ("conifers.csv", "conifers.csv"),
        ('a"b".csv', "a_b_.csv"),
        ("a;b.csv", "a;b.csv"),
        ("x.csv:evil", "x.csv_evil"),
        ("<b>?*|.csv", "_b____.csv"),
        ("trees\r\nSet-Cookie: a=b.csv", "treesSet-Cookie_ a=b.csv"),
        ("a\x00b\x1b\x7f.csv", "ab.csv"),
        ("trees\u202ecsv.exe", "treescsv.exe"),
        ("a\u200bb\ufeff\u2066.csv", "ab.csv"),
        ("a\ud800b.csv", "ab.csv"),
        ("u\u0308ber.csv", "\u00fcber.csv"),
        ("\U0001f468\u200d\U0001f469.csv", "\U0001f468\u200d\U0001f469.csv"),
        ("  spaces \t in   it .csv", "spaces in it.csv"),
        (f"{LONG}.csv", f"{'a' * 251}.csv"),
        (f"a.{LONG}", f"a.{'a' * 24}"),
        ("\u00e9" * 300 + ".csv", "\u00e9" * 125 + ".csv"),
    ],
)
def test_a_file_keeps_of_its_name_what_does_no_harm(sent: str, kept: str) -> None:
    assert kept_name(sent) == kept
    assert kept_name(kept) == kept
    assert len(kept.encode()) <= 255


HOSTILE = [
    'a"b.csv',
    "a\\b.csv",
    "a; filename=x.html",
    'a"; filename="x.html',
    "trees\r\nX-Evil: 1.csv",
    "../x.csv",
    "\u202egpj.exe",
    "\U0001f333.csv",
    "\u00fcber.csv",
    "%41.csv",
    "a'b.csv",
    "a\ud800.csv",
    LONG,
    "",
]


@pytest.mark.parametrize("name", ["trees.csv", "two words.csv", *HOSTILE])
def test_a_download_is_named_so_that_nothing_breaks_out_of_the_header(name: str) -> None:
    header = disposition(name)
    assert header.isascii()
    assert header.isprintable()
    kind, values = parse_options_header(header)
    assert kind == "attachment"
    wanted = name.encode(errors="replace").decode()
    assert values == {"filename": wanted}
    strict = Message()
    strict["Content-Disposition"] = header
    assert strict.get_content_disposition() == "attachment"
    parameters = strict.get_params(header="content-disposition") or []
    assert {parameter for parameter, _ in parameters} <= {"attachment", "filename", "filename*"}


def test_a_plain_name_needs_no_second_spelling() -> None:
    assert disposition("trees (2).csv") == 'attachment; filename="trees (2).csv"'
    assert disposition("\u00fc.csv") == "attachment; filename=\"_.csv\"; filename*=UTF-8''%C3%BC.csv"
