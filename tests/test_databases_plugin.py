"""`--database`: which tests run on PostgreSQL and which do not, and that a machine without it says so."""

from pathlib import Path

import pytest

from tests.plugins.tools import KNOWN, Tool

SUITE = """
import pytest

@pytest.fixture
def blank_instance():
    pass

@pytest.fixture
def app(blank_instance):
    pass

def test_of_a_rule():
    pass

def test_of_a_page(app):
    pass

@pytest.mark.sqlite_only("its file")
def test_of_a_file(app):
    pass

@pytest.mark.postgresql_only("its locks")
def test_of_locks():
    pass
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A small suite, in a process of its own that starts no server: there is one already, or none to be had."""
    monkeypatch.setenv("PYTHONPATH", str(pytestconfig.rootpath))
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TEST_CLUSTER", "/nowhere")
    pytester.makepyfile(SUITE)
    return pytester


def _run(suite: pytest.Pytester, database: str, *more: str) -> pytest.RunResult:
    plugins = ("-p", "tests.plugins.tools", "-p", "tests.plugins.databases")
    return suite.runpytest_subprocess(*plugins, "-rs", f"--database={database}", *more)


def test_on_sqlite_all_run_but_what_is_about_postgresql(suite: pytest.Pytester) -> None:
    result = _run(suite, "sqlite", "-p", "no:xdist")
    result.assert_outcomes(passed=3, deselected=1)
    result.stdout.fnmatch_lines(["*= SQLite =*", "1 tests are about PostgreSQL: *make test-postgresql*"])


@pytest.mark.parametrize("how", [("-p", "no:xdist"), ("-n", "1")], ids=["alone", "with a worker"])
def test_on_postgresql_what_has_an_installation_runs(suite: pytest.Pytester, how: tuple[str, ...]) -> None:
    (suite.path / "conftest.py").write_text(
        "from tests.plugins import tools\ntools.KNOWN = {'initdb': tools.Tool('postgresql', names=('sh',))}\n"
    )
    result = _run(suite, "postgresql", *how)
    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines(["*= PostgreSQL =*", "1 tests without an installation were left out: *make test*"])
    result.stdout.fnmatch_lines(["SKIPPED * SQLite only: its file"])


@pytest.mark.parametrize(("ci", "outcome"), [("", "skipped"), ("true", "errors")])
def test_without_a_server_on_the_machine_they_are_missed_by_name(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ci: str, outcome: str
) -> None:
    monkeypatch.setenv("CI", ci)
    (suite.path / "conftest.py").write_text(
        "from tests.plugins import tools\ntools.KNOWN = {'initdb': tools.Tool('postgresql', names=('no-such',))}\n"
    )
    result = _run(suite, "postgresql", "-p", "no:xdist", "-k", "page or locks")
    result.assert_outcomes(**{outcome: 2, "deselected": 2})
    result.stdout.fnmatch_lines(["initdb: 2 tests did not run (Debian: apt-get install postgresql)"])


def test_debians_server_is_found_off_the_path(tmp_path: Path) -> None:
    assert KNOWN["initdb"].places == ("/usr/lib/postgresql/*/bin/initdb",)
    for version in ("15", "17"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "initdb").touch()
    found = Tool("postgresql", places=(str(tmp_path / "*" / "bin" / "initdb"),)).find()
    assert found == str(tmp_path / "15" / "bin" / "initdb")
