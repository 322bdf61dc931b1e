"""The commands of the README's five minutes, run as they stand there, but for ports and folders."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from mfaportal.plumbing.config import ROOT
from tests.plugins.tools import tool
from tests.proxies.deployed import DEPLOY, changed
from tests.server import START_SECONDS, free_port

WALK = (ROOT / "README.md").read_text().partition("### Put MFA in front of Datasette")[2].partition("### For real")[0]
_COPIED = ("mfaportal", "static", "templates")
_FILES = ("Makefile", "gunicorn.conf.py", "requirements.txt", "wsgi.py")


class Machine:
    """Where nothing is but a copy of the project, with all installed, and its three ports."""

    def __init__(self, folder: Path) -> None:
        self.root, self.home = folder / "mfaportal", folder / "home"
        self.portal, self.application, self.proxy = free_port(), free_port(), free_port()
        for name in _COPIED:
            shutil.copytree(ROOT / name, self.root / name)
        for name in _FILES:
            shutil.copy(ROOT / name, self.root)
        self._configure()
        self._install()
        self._running = ExitStack()

    def _configure(self) -> None:
        (self.root / "deploy" / "caddy").mkdir(parents=True)
        new = {8000: self.portal, 8001: self.application, 8080: self.proxy}
        for name, ports in {"mfaportal.caddy": [8000], "try.Caddyfile": [8001, 8080]}.items():
            text = (DEPLOY / "caddy" / name).read_text()
            changes = {f":{port}": f":{new[port]}" for port in ports}
            (self.root / "deploy" / "caddy" / name).write_text(changed(text, changes))

    def _install(self) -> None:
        """What the commands would fetch lies in the tests' own environment; make sees that nothing is missing."""
        (self.root / ".venv").mkdir()
        for path in Path(sys.prefix).iterdir():
            if path.name not in (".run", ".dev"):
                (self.root / ".venv" / path.name).symlink_to(path)
        (self.root / ".venv" / ".run").touch()
        (self.home / "datasette" / "bin").mkdir(parents=True)
        (self.home / "datasette" / "bin" / "datasette").symlink_to(Path(sys.executable).parent / "datasette")

    @property
    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MFAPORTAL_", "MAKE"))}
        path = f"{Path(tool('caddy')).parent}:{os.environ['PATH']}"
        return {**kept, "HOME": str(self.home), "PATH": path, "MFAPORTAL_LISTEN": f"127.0.0.1:{self.portal}"}

    def command(self, part: str, changes: Mapping[str, str]) -> str:
        """The line of the README with that part, with the README's ports and files replaced."""
        [line] = [line.strip() for line in re.findall(r"(?m)^ {7}(.+)$", WALK) if part in line]
        return changed(line, changes)

    def run(self, part: str, changes: Mapping[str, str]) -> None:
        subprocess.run(["sh", "-c", self.command(part, changes)], cwd=self.root, env=self.environ, check=True)

    def start(self, part: str, changes: Mapping[str, str], sign: str) -> str:
        """A command that stays, in a terminal of its own; what it had said when the sign came."""
        log = self.home / f"{free_port()}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                ["sh", "-c", self.command(part, changes)],
                cwd=self.root,
                env=self.environ,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running.callback(_end, process)
        deadline = time.monotonic() + START_SECONDS
        while sign not in (said := log.read_text(errors="replace")):
            assert process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.05)
        return said

    def stop(self) -> None:
        self._running.close()


def _end(process: "subprocess.Popen[bytes]") -> None:
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(15)
