"""A real gunicorn with the project's own configuration, over a folder of the test's; and the command line."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError

from mfaportal.plumbing.config import ROOT
from tests import databases
from tests.databases import FILE

START_SECONDS = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """Start, stop, restart; `url`, `log` and `flask(…)` in between. `settings` are MFAPORTAL_… of the environment."""

    def __init__(self, instance: Path, scratch: Path, application: str = "wsgi:app") -> None:
        self._application = application
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = {**databases.settings_of(instance), "MFAPORTAL_LISTEN": f"127.0.0.1:{self.port}"}
        self.environment: dict[str, str] = {}
        self.before: list[str] = []
        """A command that starts the server's, with fewer rights for instance."""
        self.recycle_after = 0
        """Requests after which a worker gives way to a new one; 0: never, as in production."""
        self._log_path = scratch / f"gunicorn-{self.port}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MFAPORTAL_")}
        return {**kept, **self.settings, **self.environment}

    @property
    def database_url(self) -> str:
        return (
            self.settings.get("MFAPORTAL_DATABASE_URL") or f"sqlite:///{self.settings['MFAPORTAL_INSTANCE']}/{FILE}"
        )

    @property
    def log(self) -> str:
        return self._log_path.read_text(errors="replace") if self._log_path.exists() else ""

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def workers(self) -> list[int]:
        """The processes that answer."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(number) for number in children.split()]

    @property
    def welcome_path(self) -> str:
        """The link that the start printed, without the host."""
        found = re.search(r"/welcome\?token=\w+", self.log)
        assert found, self.log
        return found[0]

    @property
    def _recycling(self) -> list[str]:
        """Not all workers at once."""
        each = self.recycle_after
        return ["--max-requests", str(each), "--max-requests-jitter", str(each // 4)] if each else []

    def start(self, *, workers: int = 2) -> "Server":
        self.settings["MFAPORTAL_WORKERS"] = str(workers)
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [*self.before, sys.executable, "-m", "gunicorn", *self._recycling, self._application],
                cwd=ROOT,
                env=self.environ,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait()
        return self

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self._process is not None
            assert self._process.poll() is None, f"the server did not start:\n{self.log}"
            try:
                with urllib.request.urlopen(self.url + "/healthz", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except (URLError, OSError):
                time.sleep(0.05)
        raise AssertionError(f"no answer in {START_SECONDS} s:\n{self.log}")

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            os.killpg(self._process.pid, how)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait(15)
        self._process = None

    def reload(self) -> None:
        """New workers in place of all there are; nothing that those knew is left."""
        before = set(self.workers)
        os.kill(self.pid, signal.SIGHUP)
        deadline = time.monotonic() + START_SECONDS
        while before & set(self.workers) or not self.workers:
            assert time.monotonic() < deadline, f"old workers after {START_SECONDS} s:\n{self.log}"
            time.sleep(0.02)
        self._wait()

    def flask(self, *arguments: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `flask --app wsgi …` over the same installation."""
        return subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
            cwd=ROOT,
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            check=check,
            timeout=60,
        )
