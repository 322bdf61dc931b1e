"""The mails that wait in the outbox, opened: whom the portal means to tell what."""

import json
from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy import select

from mfaportal.models import Mail
from mfaportal.models.mail import owner_of_mail
from mfaportal.plumbing.db import reading
from mfaportal.plumbing.runtime import runtime


@dataclass(frozen=True)
class Told:
    kind: str
    recipient: str
    about: str | None
    facts: dict[str, Any]


def told(app: Flask) -> list[Told]:
    """All of them, oldest first."""
    with app.app_context(), reading() as session:
        return [
            Told(mail.kind, mail.recipient, mail.about, _opened(mail))
            for mail in session.scalars(select(Mail).order_by(Mail.id))
        ]


def _opened(mail: Mail) -> dict[str, Any]:
    assert mail.sealed is not None
    facts: dict[str, Any] = json.loads(runtime().keys.sealer.open(owner_of_mail(mail.message_id), mail.sealed))
    return facts


def kinds(app: Flask) -> list[str]:
    return [mail.kind for mail in told(app)]
