"""How long the tests of load and faults are: short in `make test`, all of security.md §4 in `make faults`.

`make faults` sets FAULTS=full. A test is the same in both forms and takes its numbers and lists from `either`:

    ROUNDS = either(3, 200)

    @pytest.mark.parametrize("leap", either([HOUR], [MINUTE, HOUR, DAY]))

No test is skipped in the short form: that would look like one that passed. What it counted it gives to the fixture
`figure` (`tests.plugins.figures`) before it asserts:

    figure("D10 backups", backups=1, inconsistent=len(wrong))

All short forms of this folder together take forty seconds of one core.
"""

import os
from typing import TypeVar

from tests.plugins.tools import must_have_all

FULL = os.environ.get("FAULTS") == "full"
CI = must_have_all(os.environ)
Length = TypeVar("Length")


def either(short: Length, full: Length) -> Length:
    """The first in `make test`, the second in `make faults`."""
    return full if FULL else short


def in_ci(short: Length, ci: Length, full: Length) -> Length:
    """As `either`, with a length of its own in continuous integration."""
    return full if FULL else ci if CI else short
