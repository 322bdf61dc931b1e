"""Tests that count something say so: the sums stand in the last lines of the run, one line a subject.

    figure("D1 kill loop", rounds=1, rows_lost=len(lost))
    assert not lost

A figure is given before it is asserted, so that a red run shows it, too. Equal subjects are added up over tests
and over xdist's workers; what begins with `most_` is not added: the largest counts.
"""

from collections.abc import Callable
from typing import Any

import pytest

PROPERTY = "figure"
Figure = Callable[..., None]
"""`figure(subject, **numbers)`."""


@pytest.fixture
def figure(record_property: Callable[[str, Any], None]) -> Figure:
    """Reports travel from xdist's workers, and the figures in them."""

    def give(subject: str, /, **numbers: float) -> None:
        record_property(PROPERTY, [subject, numbers])

    return give


def _added(sums: dict[str, dict[str, float]], subject: str, numbers: dict[str, float]) -> None:
    known = sums.setdefault(subject, {})
    for name, number in numbers.items():
        known[name] = max(known.get(name, 0), number) if name.startswith("most_") else known.get(name, 0) + number


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line a subject: "D1 kill loop: 200 rounds, 0 rows lost"."""
    sums: dict[str, dict[str, float]] = {}
    for status in ("passed", "failed"):
        for report in terminalreporter.getreports(status):
            if isinstance(report, pytest.TestReport) and report.when == "call":
                for key, value in report.user_properties:
                    if key == PROPERTY and isinstance(value, list | tuple):
                        _added(sums, value[0], value[1])
    if not sums:
        return
    terminalreporter.section("figures")
    for subject, numbers in sorted(sums.items()):
        said = ", ".join(f"{number:,.10g} {name.replace('_', ' ')}" for name, number in numbers.items())
        terminalreporter.line(f"{subject}: {said}")
