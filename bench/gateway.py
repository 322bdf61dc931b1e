"""The gateway's answer, which each part of each guarded page waits for: what it costs.

    make bench-gateway                       # six rounds
    make bench-gateway ARGS="--rounds 3"

First against the least that Flask can answer, by the same gunicorn, in turns. Then through nginx: a small file with
and without `auth_request`. Last at 300 requests a second, whether or not the one before was answered, for the times.
Needs Debian's `wrk` and nginx.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from bench.gateway_tools import PORT, serving, worker_memory, wrk

NGINX_PORT = 8472
HOST = "data.localhost:8472"
RATE = 300
SECONDS_AT_RATE = 20
CLIENTS = 8
_ROUTES = {"bare": "open", "gateway": "guarded"}
_NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    upstream mfaportal {{ server 127.0.0.1:{portal}; keepalive 16; }}
    server {{
        listen 127.0.0.1:{port};
        server_name data.localhost;
        root {folder}/files;
        location /open/ {{ }}
        location /guarded/ {{ auth_request /_ask; }}
        location = /_ask {{
            internal;
            proxy_pass http://mfaportal/gateway/nginx;
            proxy_pass_request_body off;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Content-Length "";
            proxy_set_header X-Forwarded-Method $request_method;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_set_header X-Forwarded-Uri $request_uri;
        }}
    }}
}}
"""


def main() -> int:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=6)
    rounds = arguments.parse_args().rounds
    missing = [tool for tool in ("wrk", "nginx") if shutil.which(tool) is None]
    if missing:
        print(f"This needs {' and '.join(missing)}: apt-get install wrk nginx-light", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(
            MFAPORTAL_INSTANCE=f"{folder}/instance",
            MFAPORTAL_LISTEN=f"127.0.0.1:{PORT}",
            MFAPORTAL_TRUSTED_PROXIES="127.0.0.1",
        )
        from bench import gateway_seed  # noqa: PLC0415

        cookie = gateway_seed.enter(HOST)
        _against_the_floor(cookie, rounds)
        with serving("gateway_portal") as pid, _nginx(Path(folder)):
            _through_nginx(cookie, rounds)
            _at_a_rate(cookie)
            print(f"\nA worker has {worker_memory(pid):.0f} MiB after it.")
    return 0


def _against_the_floor(cookie: str, rounds: int) -> None:
    headers = {**_question("/asset.css"), "Cookie": cookie}
    rates: dict[tuple[str, int], list[float]] = {}
    for number in range(rounds):
        for system in ("bare", "gateway") if number % 2 else ("gateway", "bare"):
            with serving("gateway_bare" if system == "bare" else "gateway_portal"):
                for clients in (1, CLIENTS):
                    url = f"http://127.0.0.1:{PORT}/gateway/nginx"
                    rates.setdefault((system, clients), []).append(wrk(url, clients, headers))
    print(f"| the check, {rounds} rounds | bare Flask | gateway | ratio |\n|---|--:|--:|--:|")
    for clients in (1, CLIENTS):
        bare, ours = (statistics.median(rates[system, clients]) for system in ("bare", "gateway"))
        print(f"| requests a second, {clients} at a time | {bare:,.0f} | {ours:,.0f} | {ours / bare:.2f} |")


def _through_nginx(cookie: str, rounds: int) -> None:
    rates: dict[str, list[float]] = {}
    for number in range(rounds):
        for route in ("open", "guarded") if number % 2 else ("guarded", "open"):
            url = f"http://127.0.0.1:{NGINX_PORT}/{route}/file.txt"
            rates.setdefault(route, []).append(wrk(url, CLIENTS, {"Host": HOST, "Cookie": cookie}))
    print("\n| a file of 1 kB through nginx | alone | with auth_request |\n|---|--:|--:|")
    alone, asked = (statistics.median(rates[route]) for route in ("open", "guarded"))
    print(f"| requests a second, {CLIENTS} at a time | {alone:,.0f} | {asked:,.0f} |")


def _at_a_rate(cookie: str) -> None:
    times: list[float] = []
    failed: list[int] = []
    lock, begin = threading.Lock(), time.perf_counter() + 0.5
    due = iter([begin + number / RATE for number in range(RATE * SECONDS_AT_RATE)])

    def ask() -> None:
        connection = HTTPConnection("127.0.0.1", NGINX_PORT, timeout=10)
        while True:
            with lock:
                at = next(due, None)
            if at is None:
                return
            time.sleep(max(0.0, at - time.perf_counter()))
            connection.request("GET", "/guarded/file.txt", headers={"Host": HOST, "Cookie": cookie})
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


def _question(uri: str) -> dict[str, str]:
    return {
        "X-Forwarded-Method": "GET",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": HOST,
        "X-Forwarded-Uri": uri,
    }


@contextmanager
def _nginx(folder: Path) -> Iterator[None]:
    for route in _ROUTES.values():
        (folder / "files" / route).mkdir(parents=True)
        (folder / "files" / route / "file.txt").write_text("x" * 1000)
    folder.chmod(0o755)  # nginx' workers may be another user's, and read files below
    configuration = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    configuration.write_text(user + _NGINX.format(folder=folder, port=NGINX_PORT, portal=PORT))
    process = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(configuration)])
    time.sleep(0.5)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


if __name__ == "__main__":
    sys.exit(main())
