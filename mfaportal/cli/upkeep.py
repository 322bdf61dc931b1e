"""`flask --app wsgi upkeep`: what the portal does by itself every hour, now."""

import click
from flask.cli import with_appcontext

from ..domain import upkeep
from .terminal import caller, prepared, refuse, say


@click.command("upkeep")
@with_appcontext
@prepared
def command() -> None:
    """Remove what has expired, seal new events. It runs every hour by itself, too."""
    report = upkeep.run(caller())
    for work in report.done:
        say(f"{work.number} {work.one if work.number == 1 else work.many}.")
    if report.failed:
        refuse(f"Not done, for a reason that stands in the log: {'; '.join(report.failed)}.")
    if not report.done:
        say("Nothing to do.")
