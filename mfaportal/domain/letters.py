"""From the facts that a mail was made with to its words: when, from where, whom to ask, and every name on one line.

The same facts give the same text, so that a mail that is sent twice is the same mail.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, exists, select
from sqlalchemy.orm import Session

from ..models import MailKind, Membership, Portal
from ..plumbing.browsers import in_words
from ..plumbing.clock import EPOCH
from ..plumbing.config import DEFAULT_NAME
from ..plumbing.db import reading
from ..plumbing.mail_message import Letter
from ..plumbing.mail_texts import render
from ..plumbing.runtime import runtime
from ..rules.mail_lines import NAME_MAX, laid_out, one_line, quoted
from .outbox import Claimed

_SUBJECT_MAX = 120
_CONTACT_MAX = 200
_MISSING: dict[str, object] = {
    "name": "",
    "app": "unnamed",
    "before": "",
    "left": None,
    "by_link": False,
    "by_operator": False,
    "new_email": "",
    "done": True,
    "taken": False,
    "new_password": False,
    "portal": "",
    "role": "",
    "operator": None,
    "apply_now": False,
    "signs_up": False,
    "reason": "",
    "until": "it is replaced",
}
"""What a text may name and nobody had to say. A `link` is not among them: such a mail is worth nothing without."""


def compose(mail: Claimed) -> Letter:
    """The mail in words.

    Raises:
        jinja2.TemplateError: there is no text of this kind, or it needs a fact that is not there.
    """
    facts = mail.facts
    with reading() as session:
        installation = _installation(session)
        contact = facts.get("contact") or _contact(session, mail.account_id, facts.get("portal"))
    asked = f" ({one_line(str(contact), _CONTACT_MAX)})" if contact else ""
    context: dict[str, object] = {
        **_MISSING,
        **{name: _cleaned(name, value) for name, value in facts.items() if value is not None and name != "link"},
        **_addresses(mail.kind, facts),
        "when": _in_words(facts["at"]),
        "where": _where(facts),
        "whom": f"ask whoever runs the portal{asked}",
        "installation": one_line(installation),
        "inviter": one_line(str(facts.get("inviter") or facts.get("by") or "")),
    }
    subject, body = render(mail.kind, context)
    return Letter(
        recipient=mail.recipient,
        subject=one_line(subject, _SUBJECT_MAX),
        text=laid_out(body),
        sender_name=one_line(installation),
        message_id=mail.message_id,
        made_at=mail.made_at,
    )


def _cleaned(name: str, value: object) -> object:
    if name == "reason":
        return quoted(str(value))
    if name == "until" and isinstance(value, int):
        return _in_words(value)
    return one_line(value, NAME_MAX) if isinstance(value, str) else value


def _addresses(kind: str, facts: Mapping[str, Any]) -> dict[str, str]:
    """Pages of the portal, under the public URL that the settings name."""
    home = runtime().settings.public_url
    slug = facts.get("slug")
    page = f"/portals/{slug}/backoffice/access/requests" if kind == MailKind.REQUEST_RECEIVED else f"/portals/{slug}/"
    link = facts.get("link")
    found = {"home": home, "security": f"{home}/account/security", "page": home + (page if slug else "/")}
    if link is not None:
        found["link"] = home + one_line(str(link), _CONTACT_MAX).replace(" ", "")
    if kind == MailKind.REQUEST_ACCEPTED and link is not None:
        found["page"] = found["link"]
    return found


def _where(facts: Mapping[str, Any]) -> str:
    """From where, as far as it is known; a change without address and browser was made on the server itself."""
    browser = one_line(in_words(str(facts["browser"]))) if facts.get("browser") else ""
    parts = [part for part in (one_line(str(facts.get("address") or "")), browser) if part]
    return ", ".join(parts) or "the server itself"


def _in_words(seconds: int) -> str:
    """An instant, spelled out: `Monday, 2 March 2026, 09:00 UTC`."""
    instant: datetime = EPOCH + timedelta(seconds=seconds)
    return f"{instant:%A}, {instant.day} {instant:%B %Y, %H:%M} UTC"


def _installation(session: Session) -> str:
    first = select(Portal.name).order_by(Portal.id).limit(1)
    return runtime().settings.name or session.scalar(first) or DEFAULT_NAME


def _contact(session: Session, account_id: int | None, portal: object) -> str | None:
    """Whom the portal that it is about names; else a portal of theirs; else any that names somebody."""
    theirs = exists().where(Membership.portal_id == Portal.id, Membership.account_id == account_id)
    nearest = case((Portal.name == str(portal), 0), (theirs, 1), else_=2)
    return session.scalar(select(Portal.contact).where(Portal.contact != "").order_by(nearest, Portal.id).limit(1))
