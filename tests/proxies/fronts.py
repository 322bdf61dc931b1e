"""nginx and Caddy as processes of their own, as shipped; and clients that send just the bytes they are told."""

import json
import os
import signal
import socket
import ssl
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, Self

from tests.plugins.tools import tool
from tests.proxies.deployed import Site, caddy_configuration, nginx_configuration
from tests.server import START_SECONDS

_PATIENCE = 20.0


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """The one value under a name; empty where there is none."""
        return ", ".join(value for key, value in self.headers if key.lower() == name.lower())

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Line:
    """A connection that is kept: one request after the other, each as it is given."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection

    def ask(self, request: bytes, *, method: str = "GET") -> Answer:
        """Send, and read one answer. `method` says how to read it: none to HEAD has a body."""
        self.socket.sendall(request)
        return self.read(method)

    def read(self, method: str = "GET") -> Answer:
        response = HTTPResponse(self.socket, method=method)
        response.begin()
        return Answer(response.status, response.getheaders(), response.read())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


class Front(ABC):
    """A proxy on `site.port`. `log` is what it wrote."""

    name = ""

    def __init__(self, folder: Path, site: Site) -> None:
        self.folder = folder
        self.site = site
        self.client: ssl.SSLContext = site.certificates.client
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def configure(self) -> None:
        """Write the configuration into the folder."""

    @abstractmethod
    def command(self, *, check: bool = False) -> list[str]:
        """What starts it; or what only checks its configuration."""

    @property
    @abstractmethod
    def log(self) -> str:
        """What it said, errors and all."""

    @property
    def environ(self) -> dict[str, str]:
        return {**os.environ, "XDG_DATA_HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)}

    def check(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(check=True), env=self.environ, capture_output=True, text=True, check=False, timeout=60
        )

    def start(self) -> "Front":
        self.configure()
        with (self.folder / "start.log").open("wb") as log:
            self._process = subprocess.Popen(
                self.command(), env=self.environ, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self._process.poll() is None, f"{self.name} did not start:\n{self.log}"
            try:
                with self.line(next(iter(self.site.applications))):
                    return self
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"{self.name} does not answer:\n{self.log}")

    def stop(self) -> None:
        """At once: nobody waits for its last words."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(15)
        self._process = None

    def url(self, host: str) -> str:
        """The address of one of its hosts, as people type it and as a portal guards it."""
        return f"https://{host}:{self.site.port}"

    def line(self, host: str) -> Line:
        """A connection with TLS to `host`, which need not be the one that is asked for then."""
        plain = socket.create_connection(("127.0.0.1", self.site.port), timeout=_PATIENCE)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return Line(self.client.wrap_socket(plain, server_hostname=host))
        except BaseException:
            plain.close()
            raise

    def send(self, host: str, request: bytes, *, method: str = "GET") -> Answer:
        """One request, to the byte as it is given, on a connection of its own."""
        with self.line(host) as line:
            return line.ask(request, method=method)

    def get(
        self,
        host: str,
        path: str,
        headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
        method: str = "GET",
        body: bytes = b"",
    ) -> Answer:
        """Ask `host` for exactly `path`, which is not touched. `Host` is the host's own unless `headers` say."""
        return self.send(host, self.request(host, path, headers, method, body), method=method)

    def request(
        self,
        host: str,
        path: str,
        headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
        method: str = "GET",
        body: bytes = b"",
    ) -> bytes:
        """The bytes that `get` sends."""
        given = list(headers.items() if isinstance(headers, Mapping) else headers or [])
        said = {name.lower() for name, _ in given}
        if "host" not in said:
            given.insert(0, ("Host", f"{host}:{self.site.port}"))
        if body and not said & {"content-length", "transfer-encoding"}:
            given.append(("Content-Length", str(len(body))))
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given), "", ""]
        return "\r\n".join(lines).encode("latin-1") + body


class Nginx(Front):
    name = "nginx"

    def configure(self) -> None:
        # Started by root, the workers would be somebody who may not write here.
        nginx_configuration(self.folder, self.site, "user root;" if os.geteuid() == 0 else "")

    def command(self, *, check: bool = False) -> list[str]:
        files = ["-e", str(self.folder / "error.log"), "-c", str(self.folder / "nginx.conf")]
        return [tool("nginx"), *(["-t"] if check else []), *files]

    @property
    def log(self) -> str:
        return _read(self.folder / "start.log") + _read(self.folder / "error.log")


class Caddy(Front):
    name = "caddy"

    def configure(self) -> None:
        caddy_configuration(self.folder, self.site)

    def command(self, *, check: bool = False) -> list[str]:
        verb = "validate" if check else "run"
        return [tool("caddy"), verb, "--adapter", "caddyfile", "--config", str(self.folder / "Caddyfile")]

    @property
    def log(self) -> str:
        return _read(self.folder / "start.log")


FRONTS: dict[str, type[Front]] = {"nginx": Nginx, "caddy": Caddy}


def _read(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""
