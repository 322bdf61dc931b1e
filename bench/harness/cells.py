"""Numbers and tables in markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable

from .stats import spread

NOTHING = "–"  # noqa: RUF001  # as tables have it


def number(value: float, digits: int = 3) -> str:
    """About three significant digits, thousands separated; a dash for nothing."""
    if math.isnan(value):
        return NOTHING
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


def ratio(value: float, base: float) -> str:
    """How many times the base."""
    return f"{value / base:.2f}" if base and not math.isnan(value) else NOTHING


def plus_minus(values: Iterable[float]) -> str:
    """Half the distance between the best and the worst round; a dash for a single one."""
    data = list(values)
    return f"{100 * spread(data) / 2:.0f} %" if len(data) > 1 else NOTHING


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """The first column is text, the others are figures."""
    lines = ["| " + " | ".join(head) + " |", "|---" + "|--:" * (len(head) - 1) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"
