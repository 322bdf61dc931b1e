"""The marker `needs`: tests go without a tool by name, or not at all where CI is set."""

import os
from pathlib import Path

import pytest

from tests.plugins import tools
from tests.plugins.tools import KNOWN, Tool, ToolMissingError, must_have_all, tool

PROGRAM = """
import pytest

@pytest.mark.needs("zbarimg", "oathtool")
def test_with_both():
    pass

@pytest.mark.needs("oathtool")
def test_with_one():
    pass

def test_with_none():
    pass
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A small suite of its own, on a machine that has oathtool and no zbarimg."""
    bin_folder = pytester.mkdir("bin")
    _program(bin_folder / "oathtool")
    monkeypatch.setenv("PATH", str(bin_folder))
    monkeypatch.delenv("CI", raising=False)
    pytester.makepyfile(PROGRAM)
    return pytester


def run(suite: pytest.Pytester, *args: str) -> pytest.RunResult:
    return suite.runpytest_inprocess("-p", "tests.plugins.tools", "-p", "no:xdist", "-rs", *args)


def _program(path: Path) -> None:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)


def test_a_test_whose_tool_is_missing_is_skipped_and_the_tool_named(suite: pytest.Pytester) -> None:
    result = run(suite)

    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines(["*SKIPPED*needs zbarimg"])
    result.stdout.fnmatch_lines(
        ["*= missing tools =*", "zbarimg: 1 tests did not run (Debian: apt-get install zbar-tools)"]
    )
    result.stdout.no_fnmatch_line("oathtool:*")


def test_with_ci_set_a_missing_tool_is_a_failure(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    result = run(suite)

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["needs zbarimg: not on this machine, and CI is set"])
    result.stdout.fnmatch_lines(["*= missing tools =*", "zbarimg: 1 tests did not run *"])


def test_with_every_tool_nothing_is_said(suite: pytest.Pytester) -> None:
    _program(suite.path / "bin" / "zbarimg")

    result = run(suite)

    result.assert_outcomes(passed=3)
    result.stdout.no_fnmatch_line("*missing tools*")


def test_the_summary_knows_what_the_workers_missed(
    suite: pytest.Pytester, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(pytestconfig.rootpath))

    result = suite.runpytest_subprocess("-p", "tests.plugins.tools", "-n", "1")

    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines(["*= missing tools =*", "zbarimg: 1 tests did not run *"])


def test_a_tool_that_nobody_described_is_a_mistake_in_the_test(suite: pytest.Pytester) -> None:
    suite.makepyfile(test_mistake=PROGRAM.replace("zbarimg", "zbarimage"))

    result = run(suite, "test_mistake.py")

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["needs(zbarimage): known are *zbarimg*"])


def test_tool_gives_the_path(suite: pytest.Pytester) -> None:
    assert tool("oathtool") == str(suite.path / "bin" / "oathtool")


def test_tool_says_how_to_get_what_is_missing(suite: pytest.Pytester) -> None:
    assert os.environ["PATH"] == str(suite.path / "bin")
    with pytest.raises(ToolMissingError, match=r"zbarimg is not on this machine .*zbar-tools"):
        tool("zbarimg")


def test_a_tool_off_the_path_is_found_by_its_place(tmp_path: Path) -> None:
    library = tmp_path / "x86_64-linux-gnu" / "faketime" / "libfaketimeMT.so.1"
    library.parent.mkdir(parents=True)
    library.touch()

    pattern = str(tmp_path / "*" / "faketime" / "libfaketimeMT.so.1")

    assert Tool("faketime", places=(pattern,)).find() == str(library)
    assert Tool("faketime", places=(str(tmp_path / "elsewhere"),)).find() is None


def test_the_tools_of_the_browser_and_clock_tests_are_known() -> None:
    assert set(KNOWN) == {
        "caddy",
        "chromium",
        "faketime",
        "initdb",
        "ip",
        "nginx",
        "oathtool",
        "systemd-analyze",
        "zbarimg",
    }
    assert tools.missing([]) == []


@pytest.mark.parametrize(
    ("value", "answer"),
    [(None, False), ("", False), ("0", False), ("False", False), ("1", True), ("true", True)],
)
def test_ci_is_what_the_environment_says(value: str | None, answer: bool) -> None:
    assert must_have_all({} if value is None else {"CI": value}) is answer
