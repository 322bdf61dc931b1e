"""What the tests of bad input share: a form on its page, sent again and again from the very same state."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.databases import contents_of
from tests.input.bench import Bench
from tests.input.database import Database
from tests.input.forms import FormCase
from tests.input.scenes import Scene


@pytest.fixture
def scene(app: Flask, browser: Browser, clock: MovableClock) -> Scene:
    return Scene(app, browser, clock)


@pytest.fixture
def database(instance: Path) -> Database:
    return Database(contents_of(instance))


@pytest.fixture
def bench(scene: Scene, database: Database) -> Callable[[FormCase], Bench]:
    """Opens a form and remembers the state before it is sent."""
    return lambda case: Bench(scene, database, case)
