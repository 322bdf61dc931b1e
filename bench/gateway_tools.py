"""A server to ask, the load, and what it needs: for the gateway's measurements."""

import re
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

HERE = Path(__file__).parent

PORT = 8471
SECONDS = 4
RATE = 300
SECONDS_AT_RATE = 20


@contextmanager
def serving(system: str) -> Iterator[int]:
    """A gunicorn with two sync workers, as in the comparison with the peers; its process number."""
    with running([f"bench.{system}:app", "-c", str(HERE / "gateway_gunicorn.py")]) as pid:
        yield pid


@contextmanager
def running(arguments: Sequence[str]) -> Iterator[int]:
    """A gunicorn that answers; its process number."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *arguments],
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
            raise SystemExit(f"{arguments[0]} did not start")
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


def at_a_rate(connect: Callable[[], HTTPConnection], path: str, headers: Mapping[str, str]) -> None:
    """Ask at a constant rate by 32 clients that keep their connections, and print how long the answers took."""
    times: list[float] = []
    failed: list[int] = []
    lock, begin = threading.Lock(), time.perf_counter() + 0.5
    due = iter([begin + number / RATE for number in range(RATE * SECONDS_AT_RATE)])

    def ask() -> None:
        connection = connect()
        while True:
            with lock:
                at = next(due, None)
            if at is None:
                return
            time.sleep(max(0.0, at - time.perf_counter()))
            connection.request("GET", path, headers=dict(headers))
            answer = connection.getresponse()
            answer.read()
            with lock:
                times.append(time.perf_counter() - at)
                failed.extend([answer.status] * (answer.status != 200))  # noqa: PLR2004

    threads = [threading.Thread(target=ask) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    p50, p99 = (statistics.quantiles(times, n=100)[which - 1] * 1000 for which in (50, 99))
    print(f"\n{RATE} a second through nginx for {SECONDS_AT_RATE} s: {len(times)} answers, {len(failed)} no 200,")
    print(f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, slowest {max(times) * 1000:.0f} ms (from when each was due).")


def worker_memory(pid: int) -> float:
    """MiB resident in the largest worker."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    sizes = [int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{child}/status").read_text())[0]) for child in children]
    return max(sizes) / 1024
