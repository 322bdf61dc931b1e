"""The gateway's answer, which each part of each guarded page waits for: what it costs.

    make bench-gateway                       # six rounds
    make bench-gateway ARGS="--rounds 3"
    make bench-gateway ARGS="--server shipped --rounds 3"

First against the least that Flask can answer, by the same gunicorn, in turns. Then through nginx: a small file with
and without `auth_request`. Last at 300 requests a second, whether or not the one before was answered, for the times.
All of it by two sync workers and an nginx with no more than it takes. `--server shipped` plays the last part alone,
once a round, by what is shipped: gunicorn.conf.py, and deploy/nginx with TLS before an nginx that has the file.
Needs Debian's `wrk` and nginx.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

from bench import gateway_shipped
from bench.gateway_tools import PORT, at_a_rate, serving, worker_memory, wrk

NGINX_PORT = 8472
HOST = "data.localhost:8472"
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
    arguments.add_argument("--server", choices=("own", "shipped"), default="own")
    given = arguments.parse_args()
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
        (_of_what_is_shipped if given.server == "shipped" else _of_the_least)(Path(folder), given.rounds)
    return 0


def _of_the_least(folder: Path, rounds: int) -> None:
    from bench import gateway_seed  # noqa: PLC0415  # reads the settings

    cookie = gateway_seed.enter(HOST)
    _against_the_floor(cookie, rounds)
    with serving("gateway_portal") as pid, _nginx(folder):
        _through_nginx(cookie, rounds)
        connect = partial(HTTPConnection, "127.0.0.1", NGINX_PORT, timeout=10)
        at_a_rate(connect, "/guarded/file.txt", {"Host": HOST, "Cookie": cookie})
        print(f"\nA worker has {worker_memory(pid):.0f} MiB after it.")


def _of_what_is_shipped(folder: Path, rounds: int) -> None:
    from bench import gateway_seed  # noqa: PLC0415

    headers = {"Host": gateway_shipped.HOST, "Cookie": gateway_seed.enter(gateway_shipped.HOST, "https")}
    with gateway_shipped.serving() as pid, _nginx(folder), gateway_shipped.front(folder, NGINX_PORT) as connect:
        for _ in range(rounds):
            at_a_rate(connect, "/open/file.txt", headers)
        print(f"\nA worker has {worker_memory(pid):.0f} MiB after it.")


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
