"""How the portal is served: `make run`, or `gunicorn wsgi:app` in this folder. Settings come from the environment."""

import os
import subprocess
import sys
from contextlib import suppress
from typing import Any

from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger

from mfaportal.plumbing import machine, running
from mfaportal.plumbing.config import ROOT, SettingError, make_instance_folder, read
from mfaportal.plumbing.logs import masked

try:
    _settings = read(os.environ)
    make_instance_folder(_settings)
except SettingError as error:
    sys.exit(f"mfaportal: {error}")


class AccessLog(Logger):
    """One line a request, with one-time tokens taken out and control characters made visible."""

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> Any:
        """What stands in a line."""
        found = super().atoms(resp, req, environ, request_time)
        return {name: masked(value) if isinstance(value, str) else value for name, value in found.items()}


bind = (
    f"[{_settings.listen_host}]:{_settings.listen_port}"
    if ":" in _settings.listen_host
    else (f"{_settings.listen_host}:{_settings.listen_port}")
)
workers = _settings.workers
worker_class = "gthread"
threads = machine.plan(_settings.workers).threads
umask = 0o077
chdir = str(ROOT)
worker_tmp_dir = str(_settings.instance)
control_socket_disable = True  # no file outside the instance folder; two installations of one user never meet
forwarded_allow_ips = ""  # who may say what about a request is MFAPORTAL_TRUSTED_PROXIES, read by the portal itself
header_map = "drop"  # a header with underscores could pass for another
limit_request_line = 4094
limit_request_field_size = 8190
timeout = 30
graceful_timeout = 30
keepalive = 5
loglevel = "warning"
accesslog = "-"
access_log_format = '%(h)s %(t)s "%(r)s" %(s)s %(b)s "%(a)s" %(M)sms'
logger_class = AccessLog
_greeting: list[str] = []


def on_starting(_server: Arbiter) -> None:
    """Migrate before the first worker starts, in a process of its own: this one stays small and can be reloaded.

    The lock says that the portal is served, to `restore`; it is gone when this process and its workers are.
    """
    if not running.serve(_settings.instance):
        sys.exit("mfaportal: A restore is at work in this instance folder; start again when it is done.")
    done = subprocess.run(  # our own module
        [sys.executable, "-m", "mfaportal"], cwd=ROOT, stdout=subprocess.PIPE, check=False
    )
    if done.returncode != 0:
        sys.exit(done.returncode)
    _greeting.append(done.stdout.decode())


def when_ready(_server: Arbiter) -> None:
    """Say where the portal is, and how the first account is made."""
    with suppress(OSError):  # a log that is full stops nobody
        print(*_greeting, sep="", end="", flush=True)


def post_worker_init(worker: Any) -> None:
    """Mails leave and upkeep is done beside the requests, in one of the workers at a time."""
    from mfaportal.background import start  # noqa: PLC0415  # the server's own process stays small

    worker.background = start(worker.wsgi)


def worker_exit(_server: Arbiter, worker: Any) -> None:
    """Let what is being done end; a second at most."""
    if hasattr(worker, "background"):
        worker.background.stop()
