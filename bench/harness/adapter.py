"""What the harness needs to know of a system: subclass `Peer` in adapters/NAME.py."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import ClassVar

from . import process
from .client import HTTPError, Response, Session
from .users import User

BENCH = Path(__file__).resolve().parent.parent
ROOT = BENCH.parent
SCRATCH = Path(os.environ.get("BENCH_SCRATCH", "/tmp/peers"))  # noqa: S108  # kept for the next run, and nobody else uses the machine

#: The port in addresses where nobody listens.
HTTPS = 443

#: All systems run under gunicorn with this many workers.
WORKERS = 2
SHARED_MEMORY = "/dev/shm"  # noqa: S108  # for gunicorn's own heartbeat


@dataclass(frozen=True)
class Setup:
    """How a system is set up for a measurement."""

    users: int
    #: With a hasher turned down to next to nothing, to see what else a journey costs.
    cheap_hash: bool = False

    @property
    def folder(self) -> str:
        return f"data-{self.users}" + ("-cheap" if self.cheap_hash else "")


class Peer:
    """A system under test.

    By default its application lives in apps/NAME: `requirements.txt` (pinned),
    `seed.py N` (fills the directory $BENCH_DATA with a database of N users),
    `passwords.py` (hash_password, verify_password: the system's own hasher)
    and the WSGI application named by `app`, which finds its database in
    $BENCH_DATA. With $BENCH_CHEAP_HASH set, the hasher is turned down as far
    as it goes. A system from elsewhere overrides the methods instead.
    """

    name: str
    title: str
    app = "wsgi:application"
    hasher = "none"
    has_login = True
    has_mfa = True
    #: Users in its database, other than for the measurement of growth.
    users = 2000
    #: Whether people see the set-up page: an API only has an answer.
    has_setup_page = True
    #: Whether that measurement seeds it with large databases.
    can_grow = False
    login_path = "/login"
    guarded_path = "/secret/"
    #: Text that only the guarded page has.
    marker = "Signed in as"
    #: Sizes of what its pages load from other hosts, by URL.
    external_bytes: ClassVar[dict[str, int]] = {}
    #: Remarks printed under the tables.
    notes: tuple[str, ...] = ()
    #: gunicorn's worker class, the same for all systems in a run.
    worker_class = "sync"
    server: process.Server

    # -- what an adapter usually overrides ---------------------------------

    def unavailable(self) -> str:
        """Why it cannot be measured here; the empty string if it can."""
        return ""

    def login_journey(self, session: Session, user: User) -> None:
        """From the login page to the guarded page; HTTPError if it is not reached."""
        raise NotImplementedError

    def open_setup(self, session: Session, user: User) -> None:
        """Sign a user without TOTP in, up to where the set-up page can be asked for."""
        raise NotImplementedError

    def render_setup(self, session: Session) -> list[Response]:
        """Ask for the set-up page, and for its QR image where that is a request of its own."""
        raise NotImplementedError

    # -- the life of its server --------------------------------------------

    @property
    def source(self) -> Path:
        return BENCH / "apps" / self.name

    @property
    def requirements(self) -> Path:
        return self.source / "requirements.txt"

    @property
    def home(self) -> Path:
        return SCRATCH / self.name

    @property
    def python(self) -> Path:
        return self.home / "venv/bin/python"

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def usual(self) -> Setup:
        return Setup(self.users)

    def environment(self, data: Path, setup: Setup) -> dict[str, str]:
        """Variables for its processes; the WSGI application and harness can be imported."""
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        paths = (self.source, BENCH / "apps/shared", ROOT)
        variables = {
            "BENCH_DATA": str(data),
            "PYTHONPATH": os.pathsep.join(str(path) for path in paths),
        }
        return kept | variables | ({"BENCH_CHEAP_HASH": "1"} if setup.cheap_hash else {})

    def prepare(self) -> None:
        """Make its virtual environment, unless one with these requirements is there."""
        requirements = self.requirements
        stamp = self.home / "venv.stamp"
        digest = _digest(requirements)
        if stamp.exists() and stamp.read_text() == digest:
            return
        shutil.rmtree(self.home / "venv", ignore_errors=True)
        log = self.home / "prepare.log"
        process.run([sys.executable, "-m", "venv", str(self.home / "venv")], log)
        process.run([str(self.python), "-m", "pip", "install", "-q", "-r", str(requirements)], log)
        stamp.write_text(digest)

    def seed_inputs(self) -> list[Path]:
        """The files on which its database depends."""
        return [*sorted(self.source.glob("*.py")), self.requirements, BENCH / "harness/users.py"]

    def seed(self, setup: Setup) -> Path:
        """A directory with a database of that many users, kept for later runs."""
        data = self.home / setup.folder
        stamp = self.home / f"{setup.folder}.stamp"
        digest = _digest(*self.seed_inputs())
        if stamp.exists() and stamp.read_text() == digest:
            return data
        stamp.unlink(missing_ok=True)
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(parents=True)
        process.run(
            [str(self.python), str(self.source / "seed.py"), str(setup.users)],
            self.home / "seed.log", cwd=self.source, env=at_port(self.environment(data, setup)),
        )  # fmt: skip
        stamp.write_text(digest)
        return data

    def fresh_copy(self, setup: Setup) -> Path:
        run = self.home / "run"
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(self.seed(setup), run)
        os.sync()  # or the copy is written back during the measurement
        return run

    def start(self, setup: Setup) -> None:
        """Start it under gunicorn on a fresh copy of the seeded database."""
        env = self.environment(self.fresh_copy(setup), setup)
        self.launch(gunicorn(self, self.app, self.worker_class), env)

    def start_traced(self, setup: Setup, log: Path) -> None:
        """Start one worker that logs the SQL of each request."""
        env = self.environment(self.fresh_copy(setup), setup)
        env |= {"BENCH_APP": self.app, "BENCH_SQL_LOG": str(log)}
        self.launch(gunicorn(self, "bench.harness.sqltrace:application", workers=1), env)

    def launch(self, command: list[str], env: dict[str, str]) -> None:
        """Start a server command; `{port}` stands for the port to listen on, in variables, too."""
        port = process.free_port()
        self.server = process.Server(
            [part.replace("{port}", str(port)) for part in command],
            port, self.source, at_port(env, port), self.home / "server.log",
        )  # fmt: skip
        self.server.wait_until_listening()

    def stop(self) -> None:
        self.server.stop()

    # -- helpers for adapters ----------------------------------------------

    def check_guarded(self, session: Session) -> Response:
        return self.expect(session.get(self.guarded_path, follow=False), self.marker)

    def expect(self, response: Response, text: str) -> Response:
        if response.status != HTTPStatus.OK or text not in response.text:
            raise HTTPError(
                f"{self.name}: no {text!r} at {response.url} ({response.status}): {response.text[-300:]!r}"
            )
        return response


def gunicorn(peer: Peer, app: str, worker_class: str = "sync", workers: int = WORKERS) -> list[str]:
    """The command of a gunicorn server; gthread workers have four threads each."""
    return [
        str(peer.python), "-m", "gunicorn", "--bind", "127.0.0.1:{port}",
        "--workers", str(workers), "--worker-class", worker_class,
        "--threads", "4" if worker_class == "gthread" else "1",
        "--worker-tmp-dir", SHARED_MEMORY, "--no-control-socket", app,
    ]  # fmt: skip


def at_port(env: dict[str, str], port: int = HTTPS) -> dict[str, str]:
    """The variables with a port put in where they leave it open."""
    return {name: value.replace("{port}", str(port)) for name, value in env.items()}


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()
