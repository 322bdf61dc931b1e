"""What people typed, in the lines of a mail."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfaportal.rules.mail_lines import WIDTH, laid_out, one_line, quoted


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("Kim", "Kim"),
        ("Kim\r\nBcc: all@example.org", "Kim Bcc: all@example.org"),
        ("a\x00b\x1b[31mc\u2028d\u2029e\x85f", "a b [31mc d e f"),
        ("\u202egro.elpmaxe\u202c \u2066x\u2069\ufeff", "gro.elpmaxe x"),
        ("  a \t b  ", "a b"),
        ("👨\u200d👩\u200d👧 क्\u200cष", "👨\u200d👩\u200d👧 क्\u200cष"),
        ("a" * 71, "a" * 69 + "…"),
        ("\ud800", ""),
        ("", ""),
    ],
)
def test_a_name_takes_one_line(typed: str, line: str) -> None:
    assert one_line(typed) == line


@given(st.text())
def test_no_text_breaks_its_line_or_hides_anything(typed: str) -> None:
    line = one_line(typed)
    assert len(line.splitlines()) <= 1
    assert len(line) <= 70
    assert not {unicodedata.category(char) for char in line} & {"Cc", "Cs", "Zl", "Zp"}


@given(st.text())
def test_quoted_words_are_marked_on_each_line(typed: str) -> None:
    for line in quoted(typed).split("\n"):
        assert line.startswith("> ") or not line
        assert len(line) <= WIDTH


def test_long_lines_are_wrapped_and_links_stay_whole() -> None:
    link = f"https://data.example.org/reset-password/{'x' * 60}"
    body = f"\n\n{'word ' * 40}\n\n\n{link}\n-- \nName\n"
    text = laid_out(body)
    assert link in text.split("\n")
    assert "\n-- \nName\n" in text
    assert "\n\n\n" not in text
    assert max(len(line) for line in text.split("\n") if line != link) <= WIDTH
