"""One mail on its way to the mail server: over what connection, and what became of it.

Whether and when it is tried again is decided by whoever sends. What the server says to a refusal stays out of the
error: it may repeat the address or a link. smtplib and ssl are loaded when the first mail leaves.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .config import Settings
from .hosts import stays_here
from .mail_message import Letter, as_bytes, with_ascii_domain
from .mail_url import MailServer, Tls, domain_of, sender_of, server_of

if TYPE_CHECKING:
    from smtplib import SMTP

SECONDS = 10
"""For the connection, and for each answer."""
ALL_SECONDS = 45
"""For one mail from the first byte to the last: some servers send a byte now and then."""
_OF_PROBE = 5
_TROUBLE = frozenset({421, 530, 534, 535, 538})
"""Codes that speak of the connection or the log-in, whatever command they answer."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The server has taken it."""


@dataclass(frozen=True, slots=True)
class RefusedForGood:
    """The server will not take this mail, today or tomorrow."""

    error: str


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Not now. `everybody`: the trouble is with the server, and the next mail would meet it, too."""

    error: str
    everybody: bool


Outcome = Sent | RefusedForGood | TryAgain


class _Trouble(Exception):
    """Something that time, or whoever runs the portal, puts right."""


def deliver(settings: Settings, letter: Letter) -> Outcome:
    """Hand one mail to the mail server of the settings.

    Raises:
        ValueError: there is a line end in one of its headers.
    """
    recipient = with_ascii_domain(letter.recipient)
    if recipient is None:
        return RefusedForGood("this is no address that a mail can go to")
    sender = sender_of(settings.mail_from, _public_host(settings))
    message = as_bytes(letter, recipient, sender.address, sender.name or letter.sender_name)
    try:
        with _connected(settings, SECONDS, ALL_SECONDS) as server:
            return _hand_over(server, sender.address, recipient, message)
    except _Trouble as trouble:
        return TryAgain(str(trouble), everybody=True)


def probe(settings: Settings) -> str | None:
    """Connect and log in as for a mail, and say what is wrong; None when all is well. Five seconds at most."""
    try:
        with _connected(settings, _OF_PROBE, _OF_PROBE) as server:
            code, _words = server.noop()
            return None if _is_good(code) else f"the mail server answers with {code}"
    except _Trouble as trouble:
        return str(trouble)


@contextmanager
def _connected(settings: Settings, seconds: float, all_seconds: float) -> "Iterator[SMTP]":
    """A session that is encrypted and logged in as the settings want it, over after `all_seconds`.

    Raises:
        _Trouble: it cannot be had, or breaks.
    """
    import smtplib  # noqa: PLC0415

    made: list[SMTP] = []
    too_long = threading.Event()
    alarm = threading.Timer(all_seconds, _break_off, (made, too_long))
    alarm.daemon = True
    alarm.start()
    try:
        server = _connect(server_of(settings.mail_url or ""), domain_of(_public_host(settings)), seconds, made)
        yield server
        server.putcmd("quit")  # whatever it answers: what it has taken it has taken
    except (OSError, smtplib.SMTPException) as error:
        raise _Trouble(_no_time() if too_long.is_set() else _words_for(error)) from error
    finally:
        alarm.cancel()
        for each in made:
            each.close()


def _break_off(made: "list[SMTP]", too_long: threading.Event) -> None:
    """From another thread: whatever waits for the server waits no more."""
    import socket  # noqa: PLC0415

    too_long.set()
    for server in made:
        if server.sock is not None:
            try:
                server.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


def _connect(to: MailServer, own_name: str, seconds: float, made: "list[SMTP]") -> "SMTP":
    """`own_name` is what the portal calls itself: smtplib would look it up, which can take long."""
    import smtplib  # noqa: PLC0415
    import ssl  # noqa: PLC0415

    encrypted = to.tls is Tls.FROM_THE_START
    server: SMTP = (
        smtplib.SMTP_SSL(local_hostname=own_name, timeout=seconds, context=ssl.create_default_context())
        if encrypted
        else smtplib.SMTP(local_hostname=own_name, timeout=seconds)
    )
    made.append(server)
    server._host = to.host  # type: ignore[attr-defined]  # noqa: SLF001  # what TLS compares the certificate with
    code, words = server.connect(to.host, to.port)
    if not _is_good(code):
        raise smtplib.SMTPConnectError(code, words)
    server.ehlo_or_helo_if_needed()
    if not encrypted and server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())
        server.ehlo_or_helo_if_needed()
        encrypted = True
    if to.tls is Tls.REQUIRED and not encrypted:
        raise _Trouble("the mail server offers no STARTTLS, and the setting insists on it")
    if to.user is not None:
        if not encrypted and not stays_here(to.host):
            raise _Trouble("the mail server offers no STARTTLS, and a password does not go over an open line")
        server.login(to.user, to.password)
    return server


def _hand_over(server: "SMTP", sender: str, recipient: str, message: bytes) -> Outcome:
    """MAIL, RCPT and DATA, each answer judged by itself. A sender who is refused is no fault of this one mail."""
    import smtplib  # noqa: PLC0415

    options = [] if recipient.isascii() else ["SMTPUTF8", "BODY=8BITMIME"]
    if options and not server.has_extn("smtputf8"):
        return RefusedForGood("the mail server takes no addresses with letters beyond ASCII")
    code, words = server.mail(sender, options)
    if not _is_good(code):
        return TryAgain(_said(code, words, "the sender's address is refused"), everybody=True)
    code, words = server.rcpt(recipient)
    if not _is_good(code):
        return _judged(code, _said(code, words, "the recipient is refused"))
    try:
        code, words = server.data(message)
    except smtplib.SMTPDataError as error:
        code, words = error.smtp_code, _as_bytes(error.smtp_error)
    return Sent() if _is_good(code) else _judged(code, _said(code, words, "the mail is refused"))


def _judged(code: int, error: str) -> Outcome:
    if code in _TROUBLE or code < 0:
        return TryAgain(error, everybody=True)
    return RefusedForGood(error) if 500 <= code < 600 else TryAgain(error, everybody=False)  # noqa: PLR2004


def _said(code: int, words: bytes, what: str) -> str:
    """The server's code, the enhanced one of RFC 3463 if it sent one, and our own words."""
    enhanced = re.match(rb"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?= |$)", words)
    return f"{code}{f' {enhanced[0].decode()}' if enhanced else ''}: {what}"


def _words_for(error: Exception) -> str:
    """What is wrong with the connection, in words that name nobody."""
    import smtplib  # noqa: PLC0415
    import ssl  # noqa: PLC0415

    match error:
        case ssl.SSLCertVerificationError():
            return f"the mail server's certificate is not trusted: {error.verify_message}"
        case ssl.SSLError():
            return "the mail server and the portal cannot agree on TLS"
        case smtplib.SMTPAuthenticationError():
            return f"{error.smtp_code}: the mail server refuses the user and password"
        case smtplib.SMTPNotSupportedError():
            return "the mail server offers no way to log in"
        case smtplib.SMTPResponseException():
            return f"{error.smtp_code}: the mail server is not ready"
        case smtplib.SMTPServerDisconnected():
            return _no_time() if isinstance(error.__context__, TimeoutError) else "the mail server broke off"
        case smtplib.SMTPException():
            return "the mail server and the portal know no common way to log in"
        case TimeoutError():
            return _no_time()
        case OSError():
            return f"the mail server cannot be reached: {error.strerror or 'no answer'}"
    return "the mail server broke off"


def _no_time() -> str:
    return "the mail server does not answer in time"


def _as_bytes(words: bytes | str) -> bytes:
    return words if isinstance(words, bytes) else words.encode()


def _is_good(code: int) -> bool:
    return 200 <= code < 300  # noqa: PLR2004


def _public_host(settings: Settings) -> str:
    return urlsplit(settings.public_url).hostname or "localhost"
