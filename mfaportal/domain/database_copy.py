"""`copy-database`: everything that the database holds moved into another one, and the copy proven before it is kept.

All rows go in one transaction of the other database: killed half way, nothing is in it. Nobody writes meanwhile: the
portal is stopped, and whoever runs a command waits for this one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from ..models import EventKind
from ..plumbing import config, engines, running, server_database, sqlite_file
from ..plumbing.config import PREFIX, SettingError, Settings
from ..plumbing.db import db, reading, transaction
from ..plumbing.runtime import runtime
from ..plumbing.table_rows import TableProof
from ..rules.access import Audience
from ..rules.lifetimes import STEP_UP, STEP_UP_GRACE
from . import audit, copy_target
from .authority import require
from .caller import Caller
from .copied_rows import CopyFault, Told

_WITHIN = STEP_UP + STEP_UP_GRACE
_URL = f"{PREFIX}DATABASE_URL"


class CannotCopy(Exception):
    """Nothing was changed here; the message is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Copied:
    """`target` is the address without its password. `of_server`: the portal may run on other hosts, too."""

    target: str
    proofs: tuple[TableProof, ...]
    of_server: bool


def copy(caller: Caller, url: str, told: Told) -> Copied:
    """Copy the database into another one, which must be empty; the event of it is in both (command line).

    Raises:
        CannotCopy: the portal runs, or the other database is not empty or cannot be used, or it became no copy.
    """
    with reading() as session:
        require(session, caller, Audience.OPERATORS, confirmed_within=_WITHIN)
    own = _checked(runtime().settings, url)
    name = server_database.named(make_url(own.database_url))
    with _refused_in_words(name), _alone(own), copy_target.opened(own, runtime().keys) as target:
        with transaction(patient=True) as session:
            require(session, caller, Audience.OPERATORS, confirmed_within=_WITHIN)
            here, there = session.connection(), target.dialect.name
            audit.record(session, caller, EventKind.DATABASE_COPIED, here=here.dialect.name, there=there)
            proofs = copy_target.fill(here, target, told)
        return Copied(name, tuple(proofs), here.dialect.name != "sqlite")


@contextmanager
def _refused_in_words(name: str) -> Iterator[None]:
    try:
        yield
    except CopyFault as fault:
        raise CannotCopy(f"Nothing was copied into {name}: {fault}.") from fault
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0].rstrip(".")
        raise CannotCopy(f"Nothing was copied into {name}: a database did not answer: {reason}.") from error
    except SettingError as error:
        raise CannotCopy(_of_url(error)) from error


@contextmanager
def _alone(own: Settings) -> Iterator[None]:
    """Nobody serves the portal, from this folder or with either database."""
    with running.alone(own.instance) as nobody:
        if not nobody:
            raise CannotCopy("The portal is running; stop it first.")
        _check_servers(own.database_url)
        yield


def _checked(settings: Settings, url: str) -> Settings:
    """The settings of the portal as it will be. No sentence repeats the URL: it may hold a password."""
    try:
        found = config.read({_URL: url, f"{PREFIX}INSTANCE": str(settings.instance)}).database_url
        _check_password(found)
        engines.is_there(found)
    except SettingError as error:
        raise CannotCopy(_of_url(error)) from error
    here, there = (sqlite_file.path_of(each) for each in (settings.database_url, found))
    if here and there and there.exists() and here.samefile(there):
        raise CannotCopy("The portal uses this database already.")
    return replace(settings, database_url=found)


def _check_password(url: str) -> None:
    """One that is not written as URLs want it would be taken for a host, looked up, and shown."""
    try:
        host = make_url(url).host or ""
    except (ArgumentError, ValueError) as error:
        raise SettingError(f"{_URL} is no address of a database.") from error
    if "@" in host:
        raise SettingError(f"{_URL} has an @ in its user's name or password; there it is written %40.")


def _of_url(error: Exception) -> str:
    return str(error).replace(f"{_URL}:", "The URL cannot be used:").replace(_URL, "The URL")


def _check_servers(url: str) -> None:
    """Where a database is on a server: that it is another one, and that no host has it open."""
    on_server = [each for each in (runtime().settings.database_url, url) if not engines.is_sqlite(each)]
    db.session.remove()
    db.engine.dispose()
    known = set()
    for each in on_server:
        with server_database.connected(each) as connection:
            known.add(server_database.identity(connection))
            others = server_database.others(connection)
        if others:
            raise CannotCopy(f"The portal, or a command of it, runs on {', '.join(others)}; stop it there first.")
    if len(known) < len(on_server):
        raise CannotCopy("The portal uses this database already.")
