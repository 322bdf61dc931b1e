"""What is shipped, with its placeholders replaced: gunicorn.conf.py, and the files of deploy/nginx with TLS."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from http.client import HTTPSConnection
from pathlib import Path

from bench.gateway_tools import PORT, running
from tests.proxies.certificates import Certificates
from tests.proxies.deployed import PORTAL_HOST, Site, nginx_configuration

_PORT, _HTTP_PORT = 8473, 8474
_NAME = "data.example.test"
HOST = f"{_NAME}:{_PORT}"


def serving() -> AbstractContextManager[int]:
    """The portal as `make run` serves it; gunicorn's process number."""
    return running(["wsgi:app"])


@contextmanager
def front(folder: Path, application: int) -> Iterator[partial[HTTPSConnection]]:
    """Nginx before the portal and an application on a port; what connects to it."""
    certificates = Certificates(folder / "certificates", [_NAME, PORTAL_HOST])
    site = Site(_PORT, _HTTP_PORT, PORT, {_NAME: application}, certificates)
    main = nginx_configuration(folder / "etc", site, "user root;" if os.geteuid() == 0 else "")
    process = subprocess.Popen(["nginx", "-e", str(folder / "etc" / "error.log"), "-c", str(main)])
    time.sleep(0.5)
    context = certificates.client
    context.check_hostname = False  # it is asked by its number: no name server knows it
    try:
        yield partial(HTTPSConnection, "127.0.0.1", _PORT, timeout=10, context=context)
    finally:
        process.terminate()
        process.wait(10)
