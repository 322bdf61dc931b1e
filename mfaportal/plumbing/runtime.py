"""What one running application was made with: settings, keys, clock. Kept on the app: two can live side by side."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import Flask, current_app

from .clock import Clock, system_clock
from .config import Settings
from .keys import Keys

_NAME = "mfaportal"


@dataclass(slots=True)
class Runtime:
    """`clock` may be replaced: tests move it, nothing else is ever faked."""

    settings: Settings
    keys: Keys
    clock: Clock = system_clock
    allowed_hosts: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.allowed_hosts = self.settings.allowed_hosts  # every request asks

    def now(self) -> datetime:
        return self.clock()


def install(app: Flask, runtime: Runtime) -> None:
    app.extensions[_NAME] = runtime


def is_installed(app: Flask) -> bool:
    """Not where the portal refused to start."""
    return _NAME in app.extensions


def runtime() -> Runtime:
    """The runtime of the app whose context is active."""
    return cast("Runtime", current_app.extensions[_NAME])
