"""What the command line's tests ask for."""

import pytest
from flask import Flask

from tests.cli.terminal import Terminal


@pytest.fixture
def terminal(app: Flask) -> Terminal:
    return Terminal(app)
