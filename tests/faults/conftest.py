"""Faults: see `tests.faults.length` for how the short and the full form work, and how figures are given."""

from pathlib import Path

import pytest
from flask import Flask

from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.databases import contents_of
from tests.input.database import Database
from tests.input.scenes import Scene


@pytest.fixture
def scene(app: Flask, browser: Browser, clock: MovableClock) -> Scene:
    """A fresh installation before somebody's browser, as for the tests of bad input."""
    return Scene(app, browser, clock)


@pytest.fixture
def database(instance: Path) -> Database:
    return Database(contents_of(instance))
