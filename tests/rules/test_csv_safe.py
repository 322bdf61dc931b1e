import pytest

from mfaportal.rules.csv_safe import safe_cell


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        '=HYPERLINK("http://x","y")',
        "+1",
        "-1",
        "@SUM(A1)",
        "\r=1",
        "\n=1",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff201",
        "=",
    ],
)
def test_what_a_spreadsheet_would_compute_is_put_behind_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


def test_neither_is_what_comes_after_another_separator() -> None:
    assert safe_cell("\t=1") == "'\t'=1"
    assert safe_cell("x; -1|@y, =z") == "x; '-1|'@y, =z"


@pytest.mark.parametrize(
    "text", ["", "Ada", "a=b", "1-1", "me@example.org", "'=1", " =1", "2026-01-01T00:00:00Z", "Ø"]
)
def test_anything_else_stays_as_it_is(text: str) -> None:
    assert safe_cell(text) == text
