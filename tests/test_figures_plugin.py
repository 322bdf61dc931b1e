"""The fixture `figure`: numbers of many tests are added up, over xdist's workers, and said in one line a subject."""

import pytest

PROGRAM = """
import pytest

@pytest.mark.parametrize("number", [1, 2, 3])
def test_counts(figure, number):
    figure("D1 kill loop", rounds_killed=400, rows_lost=0, most_seconds=number)
    assert number != 3
"""


def test_figures_are_added_up_over_workers_and_of_red_tests_too(
    pytester: pytest.Pytester, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(pytestconfig.rootpath))
    pytester.makepyfile(PROGRAM)

    result = pytester.runpytest_subprocess("-p", "tests.plugins.figures", "-n", "2")

    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*= figures =*", "D1 kill loop: 1,200 rounds killed, 0 rows lost, 3 most seconds"])


def test_without_figures_nothing_is_said(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_nothing(): pass")

    result = pytester.runpytest_inprocess("-p", "tests.plugins.figures", "-p", "no:xdist")

    result.stdout.no_fnmatch_line("*= figures =*")
