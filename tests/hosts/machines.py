"""Three machines that serve one portal: a network namespace each, with an address of its own, on one bridge.

They share a PostgreSQL server, a folder, and nothing else; nginx divides the requests among them. A machine can be
switched off, and cut off from the database: what it sends there vanishes, and nobody is told.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.plugins.tools import tool
from tests.server import Server, free_port

NAMES = ("a", "b", "c")
PORT = 8000
_MARK = os.getpid() % 10_000
_BRIDGE = f"mfa{_MARK}"
_NETWORK = f"10.{200 + _MARK % 50}.0"
MIDDLE, DATABASE = f"{_NETWORK}.1", f"{_NETWORK}.2"
"""Where nginx and the mail server are, and where the database is, as the machines see it."""
NETWORK = f"{_NETWORK}.0/24"
_NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log error;
events {{ worker_connections 512; }}
http {{
  access_log off; client_max_body_size 200m;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream portal {{ {servers} }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://portal; proxy_connect_timeout 1s; proxy_read_timeout 8s;
      proxy_next_upstream error timeout http_503;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $http_x_forwarded_for;
    }}
  }}
}}
"""


class Machine:
    """One of them, with the portal's own server on it."""

    def __init__(self, number: int, server: Server) -> None:
        self.name = NAMES[number]
        self.server = server
        self._space = f"{_BRIDGE}{self.name}"
        self._cable = f"{_BRIDGE}{self.name}0"
        address = f"{_NETWORK}.{11 + number}"
        _ip("netns", "add", self._space)
        _ip("link", "add", self._cable, "type", "veth", "peer", "name", "eth0", "netns", self._space)
        _ip("link", "set", self._cable, "master", _BRIDGE, "up")
        for words in (("addr", "add", f"{address}/24", "dev", "eth0"), ("link", "set", "eth0", "up")):
            _ip("-n", self._space, *words)
        _ip("-n", self._space, "link", "set", "lo", "up")
        server.before = [tool("ip"), "netns", "exec", self._space]
        server.settings["MFAPORTAL_LISTEN"] = f"{address}:{PORT}"
        server.url = f"http://{address}:{PORT}"
        self.place = f"{address}:{PORT}"

    def cut_off(self) -> None:
        """From the database alone: nginx goes on sending people here."""
        _ip("-n", self._space, "route", "add", "blackhole", f"{DATABASE}/32")

    def reconnect(self) -> None:
        _ip("-n", self._space, "route", "delete", "blackhole", f"{DATABASE}/32")

    def remove(self) -> None:
        self.server.stop()
        _ip("netns", "delete", self._space)


@contextmanager
def network() -> Iterator[None]:
    """The bridge between the machines."""
    _ip("link", "add", _BRIDGE, "type", "bridge")
    try:
        for address in (MIDDLE, DATABASE):
            _ip("addr", "add", f"{address}/24", "dev", _BRIDGE)
        _ip("link", "set", _BRIDGE, "up")
        yield
    finally:
        _ip("link", "delete", _BRIDGE)


@contextmanager
def machines(folder: Path, settings: dict[str, str]) -> Iterator[tuple[list[Machine], int]]:
    """Three that run, and the port of nginx in front of them. The portal's public URL is nginx' address."""
    port = free_port()
    public = {"MFAPORTAL_PUBLIC_URL": f"http://127.0.0.1:{port}", "MFAPORTAL_TRUSTED_PROXIES": MIDDLE}
    with ExitStack() as stack:
        made = []
        for number in range(len(NAMES)):
            server = Server(Path(settings["MFAPORTAL_INSTANCE"]), folder)
            server.settings.update({**settings, **public})
            machine = Machine(number, server)
            stack.callback(machine.remove)
            server.start(workers=2)
            made.append(machine)
        servers = " ".join(f"server {machine.place} max_fails=1 fail_timeout=3s;" for machine in made)
        (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port, servers=servers))
        nginx = subprocess.Popen([tool("nginx"), "-e", str(folder / "start.log"), "-c", str(folder / "nginx.conf")])
        stack.callback(nginx.wait, 15)
        stack.callback(nginx.terminate)
        yield made, port


def _ip(*words: str) -> None:
    done = subprocess.run([tool("ip"), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"
