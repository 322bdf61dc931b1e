"""A PostgreSQL server of the tests' own: in a folder of its own, reached through a socket in it, gone at the end.

Whatever else of PostgreSQL the machine runs is left alone. PostgreSQL refuses to be root, so root starts it as
another user. It dies with the process that started it.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import Any

import psycopg

from tests.plugins.tools import tool

OWNER = "mfaportal"
"""Whom the portal connects as: the owner of its database, and nothing more than that."""
START_SECONDS = 20
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder of that name, in which a folder of its own is made
_ENOUGH = 2 << 30
_USERS = ("postgres", "nobody")
_QUICK = ("fsync=off", "full_page_writes=off")
"""Nothing of it survives the machine, so nothing waits for the disk. A server that is killed loses nothing by it."""
_SETTINGS = (
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_wal_size=512MB",
    "checkpoint_timeout=1h",
    "max_connections=300",
    "shared_buffers=64MB",
    "autovacuum=off",  # `tests.pool` sweeps now and then
    "timezone=UTC",
)


class Cluster:
    """Start, stop, pause, kill. It sorts as in English, so that an order which leans on bytes shows."""

    def __init__(self, *, in_memory: bool = True, port: int | None = None, network: tuple[str, ...] = ()) -> None:
        """With a port it listens on loopback, too, and at its address in a network, whose machines it trusts.

        Not in memory, it waits for the disk at each commit.
        """
        room = in_memory and os.access(_IN_MEMORY, os.W_OK) and shutil.disk_usage(_IN_MEMORY).free > _ENOUGH
        self.folder = Path(mkdtemp(prefix="mfaportal-pg-", dir=_IN_MEMORY if room else gettempdir()))
        self._settings = [*_SETTINGS, *(_QUICK if in_memory else ()), f"unix_socket_directories={self.folder}"]
        listens = ",".join(("127.0.0.1", *network[:1])) if port else ""
        self._settings += [f"listen_addresses={listens}", f"port={port or 5432}"]
        self._trusted = network[1:]
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._as = _somebody_else()

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def make(self) -> "Cluster":
        """Initialise it, start it, and make the portal's user."""
        if user := self._as.get("user"):
            shutil.chown(self.folder, user)
        self.folder.chmod(0o711)
        how = ["--username=postgres", "--auth=trust", "--no-sync", "--no-instructions"]
        how += ["--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en-US"]
        how += [f"--pgdata={self.folder / 'data'}"]
        subprocess.run([tool("initdb"), *how], cwd="/", check=True, stdout=subprocess.DEVNULL, **self._as)
        with (self.folder / "data" / "pg_hba.conf").open("a") as rules:
            rules.writelines(f"host all all {each} trust\n" for each in self._trusted)
        self.start()
        with connect(self.folder, port=self._port) as connection:
            connection.execute(f"CREATE ROLE {OWNER} LOGIN")
        return self

    def start(self) -> "Cluster":
        command = [str(Path(tool("initdb")).with_name("postgres")), "-D", str(self.folder / "data")]
        command += [part for setting in self._settings for part in ("-c", setting)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd="/",
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_me(),  # noqa: PLW1509  # one call of the system, and no lock
                **self._as,
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                connect(self.folder, port=self._port).close()
                return self
            except psycopg.OperationalError:
                gone = self._process.poll() is not None
                assert not gone and time.monotonic() < deadline, f"PostgreSQL did not start:\n{self.log}"  # noqa: PT018
            time.sleep(0.02)

    def end(self, how: int = signal.SIGINT) -> None:
        """Stop it, without waiting for those who are connected; `how`: SIGQUIT pulls the plug."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(how)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(15)
        self._process = None

    def remove(self) -> None:
        """Stop it for good."""
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)


def connect(folder: Path, database: str = "postgres", *, port: int | None = None) -> psycopg.Connection[Any]:
    """As who may do everything."""
    return psycopg.connect(host=str(folder), port=port, dbname=database, user="postgres", autocommit=True)


def url(folder: Path, database: str, *, port: int | None = None) -> str:
    """As the portal connects: over loopback where there is a port."""
    if port:
        return f"postgresql+psycopg://{OWNER}@127.0.0.1:{port}/{database}"
    return f"postgresql+psycopg://{OWNER}@/{database}?host={folder}"


def _somebody_else() -> dict[str, Any]:
    """As whom it runs: the user of Debian's package, if this is root."""
    if os.geteuid() != 0:
        return {}
    import pwd  # noqa: PLC0415  # not on every system

    known = {entry.pw_name for entry in pwd.getpwall()}
    user = next(name for name in _USERS if name in known)
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def _end_with_me() -> Callable[[], None] | None:
    """On Linux a server whose starter was killed does not stay behind."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG
