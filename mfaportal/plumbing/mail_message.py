"""A mail as it goes over the line: the same bytes on each try. The email package is loaded with the first one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail, ready to go. Subject and names are one line each; `made_at` and `message_id` stay on each try."""

    recipient: str
    subject: str
    text: str
    sender_name: str
    message_id: str
    made_at: datetime


def as_bytes(letter: Letter, recipient: str, sender: str, sender_name: str) -> bytes:
    """Headers and text. The library refuses line ends in a header; there are none left by now.

    Raises:
        ValueError: a header holds one all the same.
    """
    from email.headerregistry import Address  # noqa: PLC0415
    from email.message import EmailMessage  # noqa: PLC0415
    from email.policy import SMTP, SMTPUTF8  # noqa: PLC0415

    message: Any = EmailMessage(SMTP if recipient.isascii() else SMTPUTF8)
    message["From"] = Address(display_name=sender_name, addr_spec=sender)
    message["To"] = recipient
    message["Subject"] = letter.subject
    message["Date"] = letter.made_at.replace(microsecond=0)
    message["Message-ID"] = letter.message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, cte="7bit" if letter.text.isascii() else "quoted-printable")
    content: bytes = message.as_bytes()
    return content


def with_ascii_domain(address: str) -> str | None:
    """The address with its domain as the mail network knows it; None for what would break a command."""
    local, mark, domain = address.rpartition("@")
    if not mark or not local or not address.isprintable() or set(" <>") & set(address):
        return None
    try:
        return f"{local}@{domain if domain.isascii() else domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        return None
