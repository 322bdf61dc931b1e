"""A reverse proxy in the test's own process, before a made-up application: set up well, or with one fault."""

import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask
from werkzeug.test import TestResponse

from tests.browser_client import ORIGIN

FORWARD, NGINX = "/gateway/forward", "/gateway/nginx"
APPLICATION = 299
"""What the application answers, to tell it from everything else."""


@dataclass
class Setup:
    """How the proxy is set up; as it is made, all is well."""

    asks: str | None = FORWARD
    then: str | None = None
    """Where 401 and 403 are handed on to, as nginx may."""
    headers: dict[str, str | None] = field(default_factory=dict)
    """What is forwarded in place of the truth, `{port}` for the proxy's own; None is missing."""
    cookie: bool = True
    peer: str = "127.0.0.1"
    unasked: str = ""
    """A path that goes straight to the application."""
    route: str | None = "Host"
    """What the portal sees as `Host` below `/.mfaportal/`: the client's, another, or None where it gets nothing."""
    route_guarded: bool = False
    set_cookie: bool = True
    redirects: dict[str, str] = field(default_factory=dict)
    """What it answers by itself."""


class Handler(BaseHTTPRequestHandler):
    app: Flask
    how: Setup
    scheme: str

    def do_GET(self) -> None:
        how, path = self.how, self.path
        if path in how.redirects:
            self._send(302, {"Location": how.redirects[path]})
        elif path.startswith("/.mfaportal/") and how.route and not how.route_guarded:
            host = self.headers["Host"] if how.route == "Host" else how.route
            self._relay(self._send_on(path, f"http://{host}"))
        elif how.asks is None or (how.unasked and path.startswith(how.unasked)):
            self._send(APPLICATION)
        else:
            self._guard(how.asks)

    def _guard(self, endpoint: str) -> None:
        answer = self._ask(endpoint)
        if answer.status_code == 200:
            self._send(APPLICATION)
        elif endpoint == FORWARD or self.how.then is not None:
            self._relay(self._ask(self.how.then) if self.how.then else answer)
        else:
            self._send(answer.status_code if answer.status_code in (401, 403) else 500)

    def _ask(self, endpoint: str) -> TestResponse:
        return self._send_on(endpoint, ORIGIN)

    def _send_on(self, path: str, to: str) -> TestResponse:
        """To the portal: what is under deploy/ says the same of a question and of what is handed over."""
        sent: dict[str, str | None] = {
            "X-Forwarded-Method": "GET",
            "X-Forwarded-Proto": self.scheme,
            "X-Forwarded-Host": self.headers["Host"],
            "X-Forwarded-Uri": self.path,
            "Cookie": self.headers["Cookie"] if self.how.cookie else None,
            "Accept": self.headers["Accept"],
            **self.how.headers,
        }
        port = self.headers["Host"].rpartition(":")[2]
        headers = {name: value.replace("{port}", port) for name, value in sent.items() if value is not None}
        client = self.app.test_client(use_cookies=False)
        return client.get(path, base_url=to, headers=headers, environ_base={"REMOTE_ADDR": self.how.peer})

    def _relay(self, answer: TestResponse) -> None:
        kept = dict(answer.headers)
        if not self.how.set_cookie:
            kept.pop("Set-Cookie", None)
        kept.pop("Content-Length", None)
        self._send(answer.status_code, kept, answer.data)

    def _send(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response_only(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_what: object) -> None:
        """Nothing."""


class _Server(ThreadingHTTPServer):
    def __init__(self, address: tuple[str, int], handler: type[Handler]) -> None:
        super().__init__(address, handler)
        self.broken: list[BaseException | None] = []

    def handle_error(self, _request: object, _client: object) -> None:
        error = sys.exception()
        if not isinstance(error, OSError):  # a client that does not trust the certificate hangs up
            self.broken.append(error)


@contextmanager
def proxy(app: Flask, setup: Setup, certificate: Path | None = None) -> Iterator[str]:
    """A proxy that listens; its host and port."""
    scheme = "https" if certificate else "http"
    handler = type("Handler", (Handler,), {"app": app, "how": setup, "scheme": scheme})
    server = _Server(("127.0.0.1", 0), handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    listening = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    listening.start()
    try:
        yield f"localhost:{server.server_port}"
    finally:
        server.shutdown()
        listening.join()
        server.server_close()
    assert server.broken == []


def certificate(path: Path) -> Path:
    """Of localhost, signed by itself; good for a day on both sides of now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path
