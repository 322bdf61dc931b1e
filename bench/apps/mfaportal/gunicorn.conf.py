"""What a worker of `make run` does beside answering, it does here: gunicorn reads this file where it is started.

Class, number and threads of the workers are given on the command line, the same for all systems.
"""

from typing import Any

from mfaportal.background import start


def post_worker_init(worker: Any) -> None:
    """Upkeep and mail, in a thread."""
    from bench.apps.mfaportal.wsgi import application  # noqa: PLC0415  # each worker loads it for itself

    worker.background = start(application)


def worker_exit(_server: Any, worker: Any) -> None:
    """Let what is being done end."""
    if hasattr(worker, "background"):
        worker.background.stop()
