"""What one running application was made with: settings, keys, clock. Kept on the app: two can live side by side."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from flask import Flask, current_app

from .clock import Clock, system_clock
from .config import Settings
from .hash_slots import HashSlots
from .keys import Keys
from .machine import plan

_NAME = "mfaportal"


@dataclass(slots=True)
class Runtime:
    """`clock` may be replaced: tests move it, nothing else is ever faked."""

    settings: Settings
    keys: Keys
    clock: Clock = system_clock
    allowed_hosts: frozenset[str] = frozenset()
    in_use: bool = False
    """Whether this process has seen an account: then there is nothing to say about the first start any more."""
    hash_slots: HashSlots = field(init=False)

    def __post_init__(self) -> None:
        self.allowed_hosts = self.settings.allowed_hosts  # every request asks
        self.hash_slots = HashSlots(plan(self.settings.workers))

    def now(self) -> datetime:
        return self.clock()


def install(app: Flask, runtime: Runtime) -> None:
    app.extensions[_NAME] = runtime


def is_installed(app: Flask) -> bool:
    """Not where the portal refused to start."""
    return _NAME in app.extensions


def runtime() -> Runtime:
    """The runtime of the app whose context is active."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001  # asked often
    return cast("Runtime", app.extensions[_NAME])
