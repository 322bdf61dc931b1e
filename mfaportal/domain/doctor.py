"""What `doctor` looks at: each check is one line, ok or what to do.

Those of the machine need the settings alone and work where the portal refuses to start; the others need its database
and its keys.
"""

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from ..models import Dataset
from ..plumbing import keys, mail, migrations, running, server_database, sqlite_file, staging
from ..plumbing.config import SettingError, Settings
from ..plumbing.db import reading
from ..plumbing.key_ring import RingFile
from . import clock_watch, key_canary, outside_look, proxy_watch, signing_watch
from .stored_files import store

_TIMEOUT = 5
_FREE = 200 * 1024 * 1024
"""Bytes that should be free on the disk."""
_OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, whether it is well, and what it is or what to do."""

    check: str
    ok: bool
    say: str


Check = Callable[[Settings], Finding]


def of_machine(settings: Settings) -> Iterator[Finding]:
    """What can be seen without opening the portal."""
    yield from _broken_restore(settings)
    for check in (_rights, _key_ring, _database, _migrations, _public_url, _mail, _server):
        yield check(settings)


def of_installation() -> Iterator[Finding]:
    """What only the open portal knows."""
    looks: tuple[tuple[str, Callable[[], str | None], str], ...] = (
        ("key ring and database", key_canary.trouble, "belong to each other"),
        ("signing key", signing_watch.look, "the one that the portal was started with last"),
        ("clock", clock_watch.look, "has not gone back"),
        ("proxy headers", proxy_watch.look, "none from a proxy that is not trusted"),
        ("dataset files", _missing_files, "all that the database names are there"),
    )
    for check, look, well in looks:
        try:
            trouble = look()
        except SQLAlchemyError as error:
            trouble = _unlooked(error)
        yield Finding(check, trouble is None, trouble or well)
    yield from _guarded_addresses()


def _guarded_addresses() -> Iterator[Finding]:
    """One line each, where portals guard addresses."""
    try:
        for address, trouble in outside_look.look():
            say = trouble or "the proxy asks the portal, tells it what it has to know, and hands it /.mfaportal/"
            yield Finding(f"guarded address {address}", trouble is None, say)
    except SQLAlchemyError as error:
        yield Finding("guarded addresses", ok=False, say=_unlooked(error))


def _unlooked(error: SQLAlchemyError) -> str:
    return f"could not be looked at, for the database does not answer: {str(error).splitlines()[0]}"


def _broken_restore(settings: Settings) -> Iterator[Finding]:
    folder = settings.instance / staging.FOLDER
    if folder.exists():
        yield Finding("restore", ok=False, say=f"One was broken off before it changed anything; delete {folder}")


def _rights(settings: Settings) -> Finding:
    """The folder and what is in it belong to this user and to nobody else."""
    paths = [settings.instance, settings.keyring, *(_below(settings.instance))]
    database = sqlite_file.path_of(settings.database_url)
    paths += [database, *sqlite_file.beside(database)] if database else []
    for path in paths:
        if path == settings.instance / ".gitignore":
            continue  # it comes with a clone, open to all, and says nothing
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue
        if os.geteuid() not in (0, found.st_uid):
            return Finding("file rights", ok=False, say=f"{path} belongs to another user; run: chown -R")
        if found.st_mode & _OTHERS and not stat.S_ISLNK(found.st_mode):
            return Finding("file rights", ok=False, say=f"Others can read {path}; run: chmod -R go= {path}")
    return Finding("file rights", ok=True, say=f"{settings.instance} and what is in it are this user's alone")


def _below(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        yield from (Path(place) / name for name in (*folders, *files))


def _key_ring(settings: Settings) -> Finding:
    signing = keys.signing_file(settings)
    try:
        ring = RingFile(settings.keyring).keys()
        if settings.secret_key is None and not signing.exists():
            return Finding("key ring", ok=False, say=f"{signing} is missing; a start makes another, and logs all out")
        keys.open_keys(settings, first_start=False)
    except SettingError as error:
        return Finding("key ring", ok=False, say=str(error))
    held = f"{len(ring.seal)} to seal, {len(ring.digest)} for digests"
    return Finding("key ring", ok=True, say=f"{settings.keyring} holds {held}")


def _database(settings: Settings) -> Finding:
    path = sqlite_file.path_of(settings.database_url)
    if path is None:
        return _server_database(settings)
    if not path.exists():
        return Finding("database", ok=False, say=f"{path} is missing; the first start makes it, or a restore")
    try:
        with closing(sqlite3.connect(path, timeout=_TIMEOUT, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
            sound = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    except sqlite3.Error as error:
        return Finding("database", ok=False, say=f"{path} cannot be written: {error}")
    free = shutil.disk_usage(path.parent).free
    if sound != "ok":
        return Finding("database", ok=False, say=f"{path} is damaged ({sound}); restore a backup")
    if mode != "wal":
        return Finding("database", ok=False, say=f"{path} is in {mode} mode; start the portal, which sets WAL")
    if free < _FREE:
        return Finding("database", ok=False, say=f"Only {free // 2**20} MB are free beside {path}; make room")
    return Finding("database", ok=True, say=f"{path} is sound and can be written, {free // 2**20} MB are free")


def _server_database(settings: Settings) -> Finding:
    name = server_database.named(make_url(settings.database_url))
    try:
        with server_database.connected(settings.database_url) as connection:
            server = server_database.look(connection)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        return Finding("database", ok=False, say=f"{name} does not answer: {reason}")
    except SettingError as error:
        return Finding("database", ok=False, say=str(error))
    what = f"PostgreSQL {server.version}, {name}"
    if not server.takes_writes:
        return Finding("database", ok=False, say=f"{what} takes no writes; name the server that does")
    if server.encrypted is False:
        say = f"{what} is reached unencrypted; let MFAPORTAL_DATABASE_URL end in ?sslmode=verify-full"
        return Finding("database", ok=False, say=say)
    return Finding("database", ok=True, say=f"{what}, answers and can be written")


def _migrations(settings: Settings) -> Finding:
    try:
        revision = _revision(settings)
    except SQLAlchemyError as error:
        return Finding("migrations", ok=False, say=_unlooked(error))
    except SettingError as error:
        return Finding("migrations", ok=False, say=str(error))
    if revision == migrations.HEAD:
        return Finding("migrations", ok=True, say=f"revision {revision}, the newest")
    if revision is not None and revision > migrations.HEAD:
        return Finding("migrations", ok=False, say=f"revision {revision} is of a newer version; run that version")
    return Finding("migrations", ok=False, say=f"revision {revision}; run: flask --app wsgi db upgrade")


def _revision(settings: Settings) -> str | None:
    path = sqlite_file.path_of(settings.database_url)
    if path is None:
        with server_database.connected(settings.database_url) as connection:
            return migrations.current(connection.engine)
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_TIMEOUT)) as connection:
            return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    except (sqlite3.Error, TypeError):
        return None


def _public_url(settings: Settings) -> Finding:
    if settings.https:
        return Finding("public URL", ok=True, say=settings.public_url)
    if settings.on_loopback:
        return Finding("public URL", ok=True, say=f"{settings.public_url}, for this machine alone")
    say = f"{settings.public_url} is not encrypted; set MFAPORTAL_PUBLIC_URL to the https address that people open"
    return Finding("public URL", ok=False, say=say)


def _server(settings: Settings) -> Finding:
    return Finding("server", ok=True, say="running" if running.is_served(settings.instance) else "not running")


def _mail(settings: Settings) -> Finding:
    if settings.mail_url is None:
        return Finding("mail", ok=True, say="no mail server: links are shown to admins")
    trouble = mail.probe(settings)
    return Finding("mail", trouble is None, trouble or "the mail server answers")


def _missing_files() -> str | None:
    with reading() as session:
        named = session.execute(select(Dataset.file_digest, Dataset.file_size).distinct()).all()
    files = store()
    wanted = [(digest, size or 0) for digest, size in named if digest]
    missing = [digest for digest, size in wanted if not files.has(digest, size)]
    if not missing:
        return None
    return f"{len(missing)} of {len(wanted)} are missing or cut off ({missing[0]}, …); restore or upload them"
