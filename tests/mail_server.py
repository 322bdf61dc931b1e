"""A real SMTP server, of the library that the tests of mail servers use, which answers what a test wants it to."""

import asyncio
import contextlib
import email
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.server import free_port

USER, PASSWORD = "portal", "p@ss/word:#1"


@dataclass
class MailServer:
    """What came in, and what is answered: `rcpt` and `data` are the answers while they are set."""

    port: int = 0
    host: str = "127.0.0.1"
    rcpt: str = ""
    data: str = ""
    sender: str = ""
    seconds: float = 0
    received: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    tried: int = 0
    refuses_login: bool = False

    @property
    def url(self) -> str:
        return f"smtp://{self.host}:{self.port}"

    async def handle_MAIL(  # noqa: N802  # the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.tried += 1
        if self.sender:
            return self.sender
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.rcpt:
            return self.rcpt.format(address=address)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.data:
            return self.data
        content = envelope.content
        assert isinstance(content, bytes)
        self.received.append(email.message_from_bytes(content, policy=policy.default))
        self.recipients += envelope.rcpt_tos
        self.senders.append(envelope.mail_from or "")
        assert server.transport is not None
        self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        if self.seconds:
            await asyncio.sleep(self.seconds)
        return "250 2.0.0 taken"

    def wait_for(self, number: int, seconds: float = 5) -> list[EmailMessage]:
        """The mails, once there are so many."""
        deadline = time.monotonic() + seconds
        while len(self.received) < number:
            assert time.monotonic() < deadline, f"{len(self.received)} of {number} mails in {seconds} s"
            time.sleep(0.02)
        return self.received

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=right and not self.refuses_login, handled=False)


@contextlib.contextmanager
def mail_server(
    *,
    certificate: Path | None = None,
    from_the_start: bool = False,
    auth: bool = False,
    port: int = 0,
    host: str = "127.0.0.1",
) -> Iterator[MailServer]:
    """Listens on this machine. With a certificate it offers STARTTLS, or is encrypted `from_the_start`."""
    handler = MailServer(host=host)
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    controller = Controller(
        handler,
        hostname=host,
        port=port or free_port(),
        ssl_context=context if from_the_start else None,
        tls_context=None if from_the_start else context,
        authenticator=handler.authenticate,
        auth_required=auth,
        auth_require_tls=certificate is not None,
        decode_data=False,
        enable_SMTPUTF8=True,
    )
    controller.start()
    try:
        handler.port = controller.port
        yield handler
    finally:
        controller.stop()


def self_made_certificate(folder: Path) -> Path:
    """A certificate for this machine that nobody has signed, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 7, now - timedelta(days=1), now + timedelta(days=2))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(pem)
    return path


@contextlib.contextmanager
def odd_server(talk: Callable[[Any], None]) -> Iterator[int]:
    """A port where `talk` has each connection to itself, for what no library does: silence, and bytes one by one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stopped = threading.Event()
        talking: list[threading.Thread] = []

        def one(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                talk(connection)
                stopped.wait()

        def accept() -> None:
            with contextlib.suppress(OSError):
                while not stopped.is_set():
                    connection, _address = listener.accept()
                    talking.append(threading.Thread(target=one, args=(connection,), daemon=True))
                    talking[-1].start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stopped.set()
            listener.shutdown(socket.SHUT_RDWR)
            for thread in (accepting, *talking):
                thread.join(2)
