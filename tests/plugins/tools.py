"""Tests that need a program of the machine say which: `@pytest.mark.needs("chromium", "zbarimg")`.

Where one is missing the test is skipped by name, so that somebody without Chromium can still run the rest;
with CI set in the environment it fails, because there a skipped test would look like a passed one. Either way
the last lines of the run name what was missing. Nothing is started here: `tool` gives the path to whoever
starts it.
"""

import glob
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

PROPERTY = "missing tool"
"""The tools that a test missed stand in its report under this name: reports travel from xdist's workers."""


@dataclass(frozen=True)
class Tool:
    """Where a tool may be: names to look up on the PATH, then patterns of whole paths; and how to get it."""

    debian_package: str
    names: Sequence[str] = ()
    places: Sequence[str] = ()

    def find(self) -> str | None:
        for name in self.names:
            if path := shutil.which(name):
                return path
        for place in self.places:
            for path in sorted(glob.glob(place)):  # noqa: PTH207 - the patterns are absolute, which Path.glob refuses
                if Path(path).is_file():
                    return path
        return None


KNOWN: Mapping[str, Tool] = {
    # requirements-dev.txt brings it where there is a wheel.
    "caddy": Tool("caddy", names=(str(Path(sys.executable).parent / "caddy"), "caddy")),
    "chromium": Tool(
        "chromium",
        names=("chromium", "chromium-browser", "google-chrome"),
        places=(
            "/Applications/Chromium.app/Contents/MacOS/Chromium",
            "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        ),
    ),
    # A library that is loaded before the program whose clock it moves, hence only by its path.
    "faketime": Tool(
        "faketime",
        places=(
            "/usr/lib/*/faketime/libfaketimeMT.so.1",
            "/usr/lib/faketime/libfaketimeMT.so.1",
            "/usr/lib64/faketime/libfaketimeMT.so.1",
            "/usr/local/lib/faketime/libfaketimeMT.so.1",
        ),
    ),
    # PostgreSQL's server, which lies beside it. Debian keeps both away from the PATH.
    "initdb": Tool("postgresql", names=("initdb",), places=("/usr/lib/postgresql/*/bin/initdb",)),
    "ip": Tool("iproute2", names=("ip",), places=("/usr/sbin/ip", "/sbin/ip")),
    # Debian keeps nginx where only root's PATH looks.
    "nginx": Tool("nginx-light", names=("nginx",), places=("/usr/sbin/nginx", "/usr/local/sbin/nginx")),
    "oathtool": Tool("oathtool", names=("oathtool",)),
    "systemd-analyze": Tool("systemd", names=("systemd-analyze",)),
    "zbarimg": Tool("zbar-tools", names=("zbarimg",)),
}


class ToolMissingError(LookupError):
    """The machine does not have the tool; the text says how to get it."""


def tool(name: str) -> str:
    """The path of a tool of this machine.

    Raises:
        ToolMissingError: it is not there; a test that says `needs` never gets so far.
        KeyError: nobody told this module where such a tool would be.
    """
    path = KNOWN[name].find()
    if path is None:
        raise ToolMissingError(
            f"{name} is not on this machine (Debian: apt-get install {KNOWN[name].debian_package})"
        )
    return path


def missing(names: Sequence[str]) -> list[str]:
    """Those of the tools that are not here, in the order asked."""
    return [name for name in names if KNOWN[name].find() is None]


def must_have_all(environ: Mapping[str, str]) -> bool:
    """Whether a missing tool is a failure: the environment says that this is continuous integration."""
    return environ.get("CI", "").lower() not in {"", "0", "false", "no"}


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", "needs(*tools): skipped, or failed with CI set, where one of these programs is missing"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before any fixture starts something: is everything there that the test and its module need?"""
    needed = list(dict.fromkeys(name for mark in item.iter_markers("needs") for name in mark.args))
    unknown = [name for name in needed if name not in KNOWN]
    if unknown:
        pytest.fail(f"needs({', '.join(unknown)}): known are {', '.join(KNOWN)}", pytrace=False)
    absent = missing(needed)
    if not absent:
        return
    item.user_properties.extend((PROPERTY, name) for name in absent)
    reason = f"needs {', '.join(absent)}"
    if must_have_all(os.environ):
        pytest.fail(f"{reason}: not on this machine, and CI is set", pytrace=False)
    pytest.skip(reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name each missing tool once, with the number of tests that went without and the package that has it."""
    without: dict[str, int] = {}
    for status in ("skipped", "error"):
        for report in terminalreporter.getreports(status):
            if isinstance(report, pytest.TestReport) and report.when == "setup":
                for key, name in report.user_properties:
                    if key == PROPERTY:
                        without[str(name)] = without.get(str(name), 0) + 1
    if not without:
        return
    terminalreporter.section("missing tools")
    for name, count in sorted(without.items()):
        package = KNOWN[name].debian_package
        terminalreporter.line(f"{name}: {count} tests did not run (Debian: apt-get install {package})")
