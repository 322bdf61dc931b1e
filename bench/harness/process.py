"""Starting and stopping the servers, and reading what they use, from /proc."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

_TICK = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def run(command: list[str], log: Path, **options: Any) -> None:
    """Run to the end, output to `log`; on failure raise with its last lines."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        done = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, check=False, **options)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{_tail(log.read_text())}")


def output(command: list[str], **options: Any) -> str:
    """What a command prints; on failure raise with the last lines of what went wrong."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{_tail(done.stderr)}")
    printed: str = done.stdout
    return printed


def _tail(text: str, lines: int = 15) -> str:
    return "\n".join(text.splitlines()[-lines:])


class Server:
    """A server process with its workers. Only ever signals the process it started."""

    def __init__(self, command: list[str], port: int, cwd: Path, env: dict[str, str], log: Path) -> None:
        self.port = port
        self._log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as out:
            self._process = subprocess.Popen(command, cwd=cwd, env=env, stdout=out, stderr=subprocess.STDOUT)

    def wait_until_listening(self, timeout_s: float = 60) -> None:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended:\n{_tail(self._log.read_text())}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        self.stop()
        raise RuntimeError(f"the server did not listen:\n{_tail(self._log.read_text())}")

    def stop(self) -> None:
        if self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _tree(self) -> list[int]:
        """The started process and all its descendants."""
        found, todo = [], [self._process.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                try:
                    todo += [int(child) for child in task.read_text().split()]
                except OSError:
                    continue
        return found

    def worker_pids(self) -> list[int]:
        """The children that serve, or the process itself where it has none."""
        return self._tree()[1:] or [self._process.pid]

    def cpu_seconds(self) -> float:
        """User and system time of all its processes so far."""
        total = 0
        for pid in self._tree():
            try:
                stat = Path(f"/proc/{pid}/stat").read_text()
            except OSError:
                continue
            fields = stat.rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / _TICK

    def memory_mib(self) -> tuple[float, float]:
        """Mean RSS and mean PSS of the workers, in MiB."""
        rss, pss = [], []
        for pid in self.worker_pids():
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            sizes = dict(line.split()[:2] for line in text.splitlines()[1:])
            rss.append(int(sizes["Rss:"]) / 1024)
            pss.append(int(sizes["Pss:"]) / 1024)
        return sum(rss) / len(rss), sum(pss) / len(pss)
