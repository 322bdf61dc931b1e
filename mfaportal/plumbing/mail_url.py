"""The mail server as a setting names it: what its URL may say, and what follows where it says nothing."""

import re
from dataclasses import dataclass
from enum import Enum
from urllib.parse import parse_qsl, unquote, urlsplit

from .hosts import bracketed, is_host

_SUBMISSION = 587
_SUBMISSIONS = 465
"""RFC 8314 §3.3."""
_PRINTABLE = re.compile(r"[\x21-\x7e]+", re.ASCII)
_ADDRESS = re.compile(r"[\x21-\x3b\x3d\x3f\x41-\x7e]+@[A-Za-z0-9.:\[\]-]+", re.ASCII)


class Tls(Enum):
    OFFERED = "where offered"
    REQUIRED = "required"
    FROM_THE_START = "from the start"


@dataclass(frozen=True, slots=True)
class MailServer:
    host: str
    port: int
    tls: Tls
    user: str | None
    password: str


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom mails come from. Without a name they carry the installation's."""

    address: str
    name: str | None


def server_of(url: str) -> MailServer:
    """Read `smtp://[user:password@]host[:port][?starttls=required]` or `smtps://…`.

    Raises:
        ValueError: it says something else; the message is the end of a sentence, without the password.
    """
    if not _PRINTABLE.fullmatch(url):
        raise ValueError("must be ASCII without spaces; write others as %20 and so on")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError("is not a URL such as smtp://user:password@mail.example.org:587") from error
    host = parts.hostname or ""
    if (
        parts.scheme not in ("smtp", "smtps")
        or not is_host(bracketed(host))
        or port == 0
        or parts.path not in ("", "/")
    ):
        raise ValueError("must look like smtp://user:password@mail.example.org:587")
    user, password = _credentials(parts.username, parts.password)
    return MailServer(host, port or _default_port(parts.scheme), _tls(parts.scheme, url), user, password)


def _default_port(scheme: str) -> int:
    return _SUBMISSIONS if scheme == "smtps" else _SUBMISSION


def _credentials(user: str | None, password: str | None) -> tuple[str | None, str]:
    if user is None:
        return None, ""
    found = unquote(user), unquote(password or "")
    if not all(_PRINTABLE.fullmatch(each) for each in found):
        raise ValueError(
            "must hold both a user and a password, or none, in ASCII;"
            " write @ : / ? # % in them as %40 %3A %2F %3F %23 %25"
        )
    return found


def _tls(scheme: str, url: str) -> Tls:
    if "#" in url:
        raise ValueError("must not have a #; write %23 for one in a password")
    query = url.partition("?")[2]
    if not query:
        return Tls.FROM_THE_START if scheme == "smtps" else Tls.OFFERED
    if parse_qsl(query, keep_blank_values=True) != [("starttls", "required")]:
        raise ValueError("may only have ?starttls=required behind its port")
    if scheme == "smtps":
        raise ValueError("needs no ?starttls=required: smtps:// is encrypted from the start")
    return Tls.REQUIRED


def sender_of(text: str | None, public_host: str) -> Sender:
    """Read `portal@example.org` or `A name <portal@example.org>`; without either it is noreply@ the public host.

    Raises:
        ValueError: it is no such address; the message is the end of a sentence.
    """
    if text is None:
        return Sender(f"noreply@{domain_of(public_host)}", None)
    match = re.fullmatch(r"(?:(?P<name>[^<>@]*?)\s*<(?P<inner>[^<>]+)>)|(?P<bare>[^<>]+)", text)
    address = (match["inner"] or match["bare"]) if match else ""
    if not match or not text.isprintable() or not _ADDRESS.fullmatch(address) or address.count("@") != 1:
        raise ValueError(f"must be an e-mail address in ASCII, such as portal@example.org, not {text!r}")
    return Sender(address, (match["name"] or "").strip('" ') or None)


def domain_of(host: str) -> str:
    """A host as it stands behind an @: an address in brackets (RFC 5321 §4.1.3)."""
    if ":" in host:
        return f"[IPv6:{host}]"
    return f"[{host}]" if re.fullmatch(r"[0-9.]+", host) else host
