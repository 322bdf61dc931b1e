"""Where a restored database comes to stand: SQLite's file, which is exchanged for another, or a database on a server,
which is emptied and filled in one transaction.

Either way what was there is kept as a file, in the folder that the old installation goes to. No operation.
"""

import os
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine, delete, insert
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from ..models import Setting
from ..models.setting import RESTORED_AS
from ..plumbing import engines, migrations, server_database, sqlite_file, staging
from ..plumbing.archive import DATABASE
from ..plumbing.config import Settings
from ..plumbing.keys import Keys
from ..plumbing.staging import Move
from ..plumbing.transactions import PATIENT
from . import copied_rows, copy_target
from .copied_rows import CopyFault, Holds
from .copy_target import nobody_listens

_KEPT = "mfaportal.sqlite3"
_UNKNOWN = (
    "it went away in the moment in which the backup was to be kept; once it answers again, the next start"
    " or command of the portal finds out which installation is in it, and finishes what is left to do"
)


class Place(Protocol):
    """What a restore asks of either. Each raises CopyFault where the database is of no use."""

    def used_as(self) -> str | None:
        """By what name people know the installation that is there; None where nobody is in it."""

    def opened_by(self) -> str | None:
        """Who else has the database open, as the beginning of a sentence."""

    def moves(self, folder: Path, old: Path) -> list[Move]:
        """What is to be done with files of the database."""

    def put(self, folder: Path, old: Path, moves: Sequence[Move], keys: Keys) -> None:
        """Decide that what was made ready is the installation: all of it or, with an exception, nothing."""


def of(settings: Settings) -> Place:
    """The place that the settings name."""
    path = sqlite_file.path_of(settings.database_url)
    return _OnServer(settings) if path is None else _File(settings, path)


def aside(settings: Settings, place: Path, old: Path) -> Path:
    """Where a file of the old installation goes to: on the disk on which it is."""
    return old / place.name if place.parent == settings.instance else place.with_name(f"{place.name}.{old.name}")


def near(settings: Settings, made: Path, place: Path) -> Path:
    """Where it can be moved from in one step: a folder of its own may be another disk."""
    if place.parent == settings.instance:
        return made
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    copy = place.with_name(f"{place.name}.restoring")
    copy.unlink(missing_ok=True)
    copy.touch(mode=0o600)
    shutil.copyfile(made, copy)
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    return copy


@dataclass(frozen=True, slots=True)
class _File:
    settings: Settings
    path: Path

    def used_as(self) -> str | None:
        """What cannot be read may be somebody's, too."""
        if not self.path.exists():
            return None
        used = sqlite_file.fault(self.path) is not None or sqlite_file.counts(self.path).get("accounts", 0) > 0
        return str(self.settings.instance) if used else None

    def opened_by(self) -> str | None:
        whole = not self.path.exists() or sqlite_file.make_whole(self.path)
        return None if whole else f"Another process has {self.path} open"

    def moves(self, folder: Path, old: Path) -> list[Move]:
        """The old goes first, all of it; what stands beside a database belongs to it."""
        beside = [Move(each, aside(self.settings, each, old)) for each in sqlite_file.beside(self.path)]
        made = near(self.settings, folder / DATABASE, self.path)
        return [*beside, Move(self.path, aside(self.settings, self.path, old), made)]

    def put(self, folder: Path, old: Path, moves: Sequence[Move], keys: Keys) -> None:  # noqa: ARG002  # see Place
        staging.decide(self.settings.instance, moves)


@dataclass(frozen=True, slots=True)
class _OnServer:
    settings: Settings

    def used_as(self) -> str | None:
        with server_database.connected(self.settings.database_url) as connection:
            found = copied_rows.holds(connection, migrations.HEAD)
        return self._name if found not in (Holds.NOTHING, Holds.FRESH) else None

    def opened_by(self) -> str | None:
        with server_database.connected(self.settings.database_url) as connection:
            others = server_database.others(connection)
        return f"The portal, or a command of it, runs on {', '.join(others)}" if others else None

    def moves(self, folder: Path, old: Path) -> list[Move]:  # noqa: ARG002  # see Place
        return []

    def put(self, folder: Path, old: Path, moves: Sequence[Move], keys: Keys) -> None:
        """The commit decides: what the machine left undone behind it is done by whoever comes next."""
        token = secrets.token_hex(16)
        instance = self.settings.instance
        try:
            with copy_target.opened(self.settings, keys, may_be_used=True) as target:
                self._keep(target, old, keys)
                self._fill(folder / DATABASE, target, moves, token)
        except BaseException as error:
            if not staging.is_waiting(instance):
                shutil.rmtree(old, ignore_errors=True)
            elif isinstance(error, SQLAlchemyError):
                raise CopyFault(_UNKNOWN) from error
            raise
        staging.decide_waiting(instance, token)

    def _fill(self, made: Path, target: Engine, moves: Sequence[Move], token: str) -> None:
        source = engines.engine_for(f"sqlite:///{made}")
        with source.connect() as ready, copy_target.writing(target) as connection:
            copied_rows.empty(connection)
            copied_rows.copy(ready, connection, nobody_listens)
            connection.execute(delete(Setting).where(Setting.name == RESTORED_AS))
            connection.execute(insert(Setting).values(name=RESTORED_AS, value=token))
            staging.wait(self.settings.instance, moves, token)
        source.dispose()

    def _keep(self, there: Engine, old: Path, keys: Keys) -> None:
        """A copy of what is there, as SQLite's file: with the rest of the folder it is an installation."""
        with there.connect().execution_options(**{PATIENT: True}) as connection:
            if copied_rows.holds(connection, migrations.HEAD) is not Holds.SOMETHING:
                return
            old.mkdir(mode=0o700, exist_ok=True)
            copy_target.into_file(connection, old / _KEPT, self.settings, keys)

    @property
    def _name(self) -> str:
        return server_database.named(make_url(self.settings.database_url))
