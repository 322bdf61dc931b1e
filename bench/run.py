"""The guarded page against the same page in bare Flask with Flask-Login: same server, in turns, on this machine.

    make bench                       # six rounds
    make bench ARGS="--rounds 3"

Needs Debian's `wrk`. Each round measures each system once, a different one first each time; quoted are medians.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

HERE = Path(__file__).parent

PORT = 8471
SECONDS = 4
ACCOUNTS = 2000


def main() -> int:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=6)
    options = arguments.parse_args()
    if shutil.which("wrk") is None:
        print("This needs wrk: apt-get install wrk", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(
            BENCH_DATA=folder, MFAPORTAL_INSTANCE=f"{folder}/instance", MFAPORTAL_LISTEN=f"127.0.0.1:{PORT}"
        )
        cookies = {"bare": seed_bare(), "portal": seed_portal()}
        rates: dict[tuple[str, int], list[float]] = {}
        memory: dict[str, float] = {}
        for number in range(options.rounds):
            for system in ("bare", "portal") if number % 2 else ("portal", "bare"):
                with serving(system) as pid:
                    for connections in (1, 8):
                        rates.setdefault((system, connections), []).append(load(cookies[system], connections))
                    memory[system] = worker_memory(pid)
    report(rates, memory, options.rounds)
    return 0


def seed_bare() -> str:
    """Fill the floor's table and log in; the cookie."""
    from bench import bare  # noqa: PLC0415

    bare.seed(ACCOUNTS)
    return _cookie(bare.app.test_client().post("/in/1").headers["Set-Cookie"])


def seed_portal() -> str:
    """Fill the portal with members, one of whom has an app and logs in with a code; the cookie."""
    from bench import seed_portal as seeding  # noqa: PLC0415

    return _cookie(seeding.log_in(ACCOUNTS))


def _cookie(header: str) -> str:
    return header.partition(";")[0]


@contextmanager
def serving(system: str) -> Iterator[int]:
    """A gunicorn with two sync workers, as the comparison of the peers has it; its process number."""
    command = [sys.executable, "-m", "gunicorn", f"bench.{system}:app", "-c", str(HERE / "gunicorn_bench.py")]
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


def load(cookie: str, connections: int) -> float:
    """Requests a second, after a look that the page is the right one."""
    from bench.guarded_page import MARKER  # noqa: PLC0415

    connection = HTTPConnection("127.0.0.1", PORT, timeout=5)
    connection.request("GET", "/guarded", headers={"Cookie": cookie})
    page = connection.getresponse().read().decode()
    if MARKER not in page:
        raise SystemExit(f"this is not the guarded page: {page[:300]}")
    return wrk(f"http://127.0.0.1:{PORT}/guarded", connections, {"Cookie": cookie})


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


def report(rates: dict[tuple[str, int], list[float]], memory: dict[str, float], rounds: int) -> None:
    """A table in Markdown."""
    print(f"| guarded page, {rounds} rounds | bare Flask-Login | mfaportal | ratio |")
    print("|---|--:|--:|--:|")
    for connections in (1, 8):
        bare, ours = (statistics.median(rates[system, connections]) for system in ("bare", "portal"))
        print(f"| requests a second, {connections} at a time | {bare:,.0f} | {ours:,.0f} | {ours / bare:.2f} |")
    print(f"| memory of a worker after the load, MiB | {memory['bare']:.0f} | {memory['portal']:.0f} | |")


if __name__ == "__main__":
    sys.exit(main())
