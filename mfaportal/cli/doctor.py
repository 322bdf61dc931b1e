"""`flask --app wsgi doctor`: whether all is well, one line each; also where the portal refuses to start."""

from collections.abc import Iterator
from dataclasses import asdict

import click
from flask import current_app
from flask.cli import with_appcontext

from ..domain import doctor
from ..domain.doctor import Finding
from ..plumbing import engines, keys, runtime
from ..plumbing.assembly import bare_app
from ..plumbing.config import SettingError
from . import installation
from .terminal import as_json, say, say_json, table


@click.command("doctor")
@as_json
@with_appcontext
def command(as_json: bool) -> None:
    """Look whether all is well: one line each, ok or what to do. Exits with 1 where something is not."""
    found = list(_findings())
    if as_json:
        say_json([asdict(finding) for finding in found])
    else:
        rows = [(finding.check, "ok" if finding.ok else "NOT OK", finding.say) for finding in found]
        say(table(("CHECK", "", "WHAT"), rows))
    if not all(finding.ok for finding in found):
        raise SystemExit(1)


def _findings() -> Iterator[Finding]:
    try:
        settings = installation.settings()
    except SettingError as error:
        yield Finding("settings", ok=False, say=str(error))
        return
    yield Finding("settings", ok=True, say="all of them can be read")
    yield from doctor.of_machine(settings)
    if runtime.is_installed(current_app):
        yield from doctor.of_installation()
        return
    try:
        if not engines.is_there(settings.database_url):
            return
        with bare_app(settings, keys.open_keys(settings, first_start=False), threads=1).app_context():
            yield from doctor.of_installation()
    except SettingError as error:
        yield Finding("start", ok=False, say=str(error))
