"""`flask --app wsgi copy-database`: another database for the same installation.

`flask --app wsgi db …` is Flask-Migrate's. Its `upgrade` says nothing by itself; here it tells what it did.
"""

import time
from collections.abc import Callable
from copy import copy
from functools import wraps
from typing import Any

import click
from flask.cli import with_appcontext

from ..domain import database_copy
from ..domain.database_copy import CannotCopy, Copied
from ..plumbing import migrations
from ..plumbing.db import db
from ..plumbing.runtime import runtime
from .terminal import caller, count, prepared, refuse, say, table

_LARGE, _QUIET = 10_000, 2.0
"""Of tables with so many rows is told how far it is, and after so many seconds again."""


@click.command("copy-database")
@click.argument("url")
@with_appcontext
@prepared
def copy_database(url: str) -> None:
    """Copy everything that the database holds into another, empty one at URL, and prove the copy.

    The portal must be stopped, and the setting MFAPORTAL_DATABASE_URL changed afterwards: nothing moves by itself.
    A password in URL can be seen by other users of this machine while this runs; PostgreSQL's ~/.pgpass hides it.
    """
    try:
        copied = database_copy.copy(caller(), url, _Telling())
    except CannotCopy as error:
        refuse(str(error))
    _say_copied(copied)


class _Telling:
    """A line now and then, where it takes long."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def __call__(self, doing: str, name: str, done: int, total: int) -> None:
        if total >= _LARGE and time.monotonic() - self._said > _QUIET:
            say(f"{name}: {done} of {count(total, 'row', 'rows')} {doing}.")
            self._said = time.monotonic()


def _say_copied(copied: Copied) -> None:
    rows = [(each.table, str(each.rows), each.digest) for each in copied.proofs]
    say(table(("TABLE", "ROWS", "SHA-256 OF THE ROWS, READ ANEW IN BOTH DATABASES"), rows))
    total = sum(each.rows for each in copied.proofs)
    say(f"Copied {count(total, 'row', 'rows')} into {copied.target}; every table there is as it is here.")
    say("Now set MFAPORTAL_DATABASE_URL to it. Until then keep the portal stopped: what people do here is not there.")
    if copied.of_server:
        say("Stop it on every host that uses this database, too: one that has nothing to do is not seen from here.")
    folder = runtime().settings.instance
    say(f"Key ring, signing key and files of datasets are in no database; they stay in {folder}.")


def telling(shared: click.Group) -> click.Group:
    """A copy of Flask-Migrate's group, whose `upgrade` tells."""
    group, upgrade = copy(shared), copy(shared.commands["upgrade"])
    if upgrade.callback is not None:
        upgrade.callback = _telling(upgrade.callback)
    group.commands = {**shared.commands, "upgrade": upgrade}
    return group


def _telling(run: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(run)
    def upgrade(*args: Any, **options: Any) -> None:
        before = migrations.current(db.engine)
        run(*args, **options)  # exits with 1 by itself where it fails
        after = migrations.current(db.engine)
        if before == after:
            click.echo(f"The database is up to date (revision {after}).")
        else:
            click.echo(f"Migrated the database from revision {before} to {after}.")

    return upgrade
