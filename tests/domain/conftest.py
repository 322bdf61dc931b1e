"""What the tests of operations may ask for beside `tests/conftest.py`."""

import pytest
from flask import Flask

from tests.clock import MovableClock
from tests.domain.scene import Scene
from tests.people import Cast


@pytest.fixture
def scene(app: Flask, people: Cast, clock: MovableClock) -> Scene:
    return Scene(app, people, clock)
