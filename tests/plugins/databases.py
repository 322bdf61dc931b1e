"""Which database the run is on: `--database=postgresql`, or MFAPORTAL_TEST_DATABASE=postgresql; else SQLite.

On PostgreSQL only tests with an installation run, for the others would say the same again. The run's own server is
started before the first test and gone after the last; workers find it through the environment.

`sqlite_only("why")` and `postgresql_only("why")` mark what is about one of them.
"""

import os
from typing import Any

import pytest

from tests.databases import CHOSEN, CLUSTER, POSTGRESQL, let_go, on_postgresql, take_back
from tests.plugins.tools import missing, must_have_all

SQLITE = "sqlite"
INSTALLATIONS = {"blank_instance", "database_url", "settings_of"}
"""Fixtures that every test with an installation asks for, be it through others."""
_LEFT_OUT = "tests left out"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=(SQLITE, POSTGRESQL),
        default=os.environ.pop("MFAPORTAL_TEST_DATABASE", None) or os.environ.get(CHOSEN, SQLITE),
        help="run the tests that have an installation on this database (default: sqlite, and all tests)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before anything of the tests is imported."""
    os.environ[CHOSEN] = early_config.known_args_namespace.database


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known, and start the server."""
    for name in (SQLITE, POSTGRESQL):
        config.addinivalue_line("markers", f"{name}_only(reason): about this database alone")
    if hasattr(config, "workerinput"):
        return
    may_start = CLUSTER not in os.environ and not config.option.collectonly
    if on_postgresql() and may_start and not missing(["initdb"]):
        from tests.cluster import Cluster  # noqa: PLC0415  # only here is a driver needed

        cluster = Cluster(in_memory=os.environ.get("FAULTS") != "full").make()
        os.environ[CLUSTER] = str(cluster.folder)

        def end() -> None:
            del os.environ[CLUSTER]
            cluster.remove()

        config.add_cleanup(end)


def pytest_unconfigure() -> None:
    let_go()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs no database, on PostgreSQL, and what is about the other one, on SQLite."""
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        about_postgresql = item.get_closest_marker(f"{POSTGRESQL}_only") is not None
        runs = about_postgresql or _has_installation(item) if on_postgresql() else not about_postgresql
        (kept if runs else left_out).append(item)
        if on_postgresql():
            _only_where_it_can(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept
    _told(config)[_LEFT_OUT] = len(left_out)


def _has_installation(item: pytest.Item) -> bool:
    return not INSTALLATIONS.isdisjoint(getattr(item, "fixturenames", ()))


def _only_where_it_can(item: pytest.Item) -> None:
    """Where there is a server; and not where only SQLite has what it is about."""
    item.add_marker(pytest.mark.needs("initdb"))
    if (mark := item.get_closest_marker(f"{SQLITE}_only")) is not None:
        why = " ".join((*mark.args, *mark.kwargs.values()))
        item.add_marker(pytest.mark.skip(reason=f"SQLite only: {why}"))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    take_back()


_KEY = pytest.StashKey[dict[str, Any]]()


def _told(config: pytest.Config) -> dict[str, Any]:
    """What the run's last lines say, of xdist's workers as well."""
    if hasattr(config, "workeroutput"):
        return config.workeroutput  # type: ignore[no-any-return]
    return config.stash.setdefault(_KEY, {})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Each worker has collected the same."""
    output = getattr(node, "workeroutput", {})
    if _LEFT_OUT in output:
        _told(node.config)[_LEFT_OUT] = output[_LEFT_OUT]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say on what it ran, and how many tests it left out."""
    left_out = _told(config).get(_LEFT_OUT, 0)
    if on_postgresql():
        terminalreporter.section("PostgreSQL")
        terminalreporter.line(f"{left_out} tests without an installation were left out: `make test` runs them")
        if missing(["initdb"]) and must_have_all(os.environ):
            terminalreporter.line("PostgreSQL's server is not on this machine, and CI is set")
    elif left_out:
        terminalreporter.section("SQLite")
        terminalreporter.line(f"{left_out} tests are about PostgreSQL: `make test-postgresql` runs them")
