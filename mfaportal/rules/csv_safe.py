"""Cells of a CSV that spreadsheets open: none of them may be taken for a formula."""

import csv
import io
import re
from collections.abc import Iterable

_BEGINS_A_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""Spreadsheets also take the full-width forms, and what a tab or a line end hides (OWASP, "CSV Injection")."""


_AFTER_ANOTHER_SEPARATOR = re.compile(r"([;\t|][ \t]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
"""Where a spreadsheet that was told to split there, too, begins a new cell."""


def safe_cell(text: str) -> str:
    """The text, behind an apostrophe where a spreadsheet would compute it instead of showing it."""
    inside = _AFTER_ANOTHER_SEPARATOR.sub(r"\1'", text)
    return f"'{inside}" if text.startswith(_BEGINS_A_FORMULA) else inside


def csv_line(cells: Iterable[str]) -> str:
    """One line of a CSV with its end, each cell quoted where need be and none of them a formula."""
    line = io.StringIO()
    csv.writer(line).writerow(map(safe_cell, cells))
    return line.getvalue()
