"""Settings and caller for commands that work where the portal does not start."""

import os

from flask import current_app

from ..domain.caller import Caller, Source
from ..plumbing import config, runtime
from ..plumbing.clock import system_clock
from ..plumbing.config import SettingError, Settings
from ..plumbing.db import db
from ..rules.lifetimes import LoginLimits
from .terminal import caller as usual_caller
from .terminal import refuse


def settings() -> Settings:
    """Those of the application; of the environment where there is none."""
    if runtime.is_installed(current_app):
        return runtime.runtime().settings
    return config.read(os.environ)


def settings_or_refuse() -> Settings:
    try:
        return settings()
    except SettingError as error:
        refuse(str(error))


def caller(found: Settings) -> Caller:
    """The command line, as everywhere else."""
    if runtime.is_installed(current_app):
        return usual_caller()
    return Caller(system_clock(), Source.COMMAND_LINE, LoginLimits(found.login_idle, found.login_max_age))


def let_go() -> None:
    """Close the application's database: it is about to be another."""
    if runtime.is_installed(current_app):
        db.session.remove()
        db.engine.dispose()
