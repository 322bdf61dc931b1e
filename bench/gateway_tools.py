"""A server to ask, the load, and what it needs: for the gateway's measurements."""

import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent

PORT = 8471
SECONDS = 4


@contextmanager
def serving(system: str) -> Iterator[int]:
    """A gunicorn with two sync workers, as in the comparison with the peers; its process number."""
    command = [sys.executable, "-m", "gunicorn", f"bench.{system}:app", "-c", str(HERE / "gateway_gunicorn.py")]
    process = subprocess.Popen(
        command,
        cwd=HERE.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/nothing", timeout=2)
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.05)
        else:
            raise SystemExit(f"{system} did not start")
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


def wrk(url: str, connections: int, headers: dict[str, str]) -> float:
    """Requests a second. Every answer has to be a 2xx."""
    sent = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", *sent, url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text:
        raise SystemExit(f"not every answer was the right one:\n{text}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if found is None:
        raise SystemExit(text)
    return float(found[1])


def worker_memory(pid: int) -> float:
    """MiB resident in the largest worker."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    sizes = [int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{child}/status").read_text())[0]) for child in children]
    return max(sizes) / 1024
