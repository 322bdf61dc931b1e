"""Telling people by mail what happened: a row of the outbox beside the change, in its transaction.

What a mail says is sealed until it leaves. `outbox` sends; nothing here waits for a mail server. Without one the rows
stay for a day and go.
"""

import json
import secrets
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ..models import Account, Mail, MailJob, MailJobKind, MailKind
from ..models.mail import OWNER_OF_JOB, owner_of_mail
from ..plumbing.db import change
from ..plumbing.runtime import runtime
from ..rules.lifetimes import MAIL
from .caller import Caller


def mail_works() -> bool:
    """Whether there is a mail server: then links go to the address that they are for, and are shown to nobody."""
    return runtime().settings.mail_url is not None


def tell(session: Session, caller: Caller, kind: MailKind, account_id: int, **facts: Any) -> None:
    """Mail the owner of an account that something happened to it; when and from where go with it by themselves."""
    account = session.get(Account, account_id)
    if account is None:
        return
    send(session, caller, kind, account.email, account_id=account_id, name=account.name, **facts)


def send(
    session: Session,
    caller: Caller,
    kind: MailKind,
    email: str,
    *,
    account_id: int | None = None,
    about: str | None = None,
    dies_at: datetime | None = None,
    not_before: datetime | None = None,
    **facts: Any,
) -> None:
    """Mail an address. `about` names what a link in it belongs to; `dies_at`: when the link does, a day at most."""
    host = urlsplit(runtime().settings.public_url).hostname
    message_id = f"<{secrets.token_hex(16)}@{host}>"
    told = {"at": int(caller.now.timestamp()), "address": caller.address, "browser": caller.browser, **facts}
    session.add(
        Mail(
            kind=kind,
            recipient=email,
            account_id=account_id,
            message_id=message_id,
            about=about,
            sealed=runtime().keys.sealer.seal(owner_of_mail(message_id), json.dumps(told)),
            made_at=caller.now,
            dies_at=min(dies_at or caller.now + MAIL, caller.now + MAIL),
            next_try_at=not_before or caller.now,
        )
    )


def queue(session: Session, caller: Caller, kind: MailJobKind, **facts: Any) -> None:
    """Leave it to the sender to find out whom to mail: what it costs here says nothing about who that is."""
    told = {"at": int(caller.now.timestamp()), "address": caller.address, "browser": caller.browser, **facts}
    session.add(
        MailJob(
            kind=kind,
            sealed=runtime().keys.sealer.seal(OWNER_OF_JOB, json.dumps(told)),
            made_at=caller.now,
            dies_at=caller.now + MAIL,
        )
    )


def drop(session: Session, *about: str) -> None:
    """What these mails link to is void: those that have not left yet do not leave any more."""
    waiting = select(Mail.id).where(Mail.about.in_(about), Mail.sent_at.is_(None))
    change(session, delete(Mail).where(Mail.id.in_(waiting)))
