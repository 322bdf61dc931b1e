"""When, where and how it was measured."""

from __future__ import annotations

import os
import platform
import shlex
import sys
import time
from pathlib import Path

from .adapter import WORKERS, Peer
from .machine import TOLERATED, Machine


def heading(machine: Machine, count: int, seconds: float) -> str:
    """When, where and how this was measured."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    options = f' ARGS="{shlex.join(sys.argv[1:])}"' if sys.argv[1:] else ""
    return (
        f"# Benchmark\n\n`make bench{options}` on {time.strftime('%Y-%m-%d')}: {os.cpu_count()} cores "
        f"({(models or [platform.machine()])[0]}), Linux {platform.release()}, Python {platform.python_version()}; "
        f"{count} interleaved rounds in {seconds / 60:.1f} minutes; gunicorn, {WORKERS} {Peer.worker_class} workers; "
        f"SQLite in WAL mode, synchronous=NORMAL (mfaportal: FULL, two commits of a journey's four "
        f"excepted). Measurements repeated because other programs "
        f"used more than {TOLERATED:.2f} cores meanwhile: {machine.repeated}; disturbed all the same, and left out "
        f"where another round was not: {machine.disturbed}.\n"
    )
