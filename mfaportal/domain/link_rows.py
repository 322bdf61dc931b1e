"""What several operations do to one-time links, inside their transactions: make one, void them, take one once."""

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..models import Account, EventKind, LinkKind, MailKind, OneTimeLink
from ..plumbing.db import change
from ..plumbing.tokens import digest, new_token
from ..rules.lifetimes import ADDRESS_LINK, INVITATION, RESET_LINK
from . import audit, notices
from .caller import Caller

_LIFETIMES = {LinkKind.INVITATION: INVITATION, LinkKind.RESET: RESET_LINK, LinkKind.EMAIL: ADDRESS_LINK}


def about(link_id: int) -> str:
    """How a mail with this link is found again."""
    return f"link:{link_id}"


def make(session: Session, caller: Caller, kind: LinkKind, account_id: int) -> str:
    """A new link that takes the place of all earlier ones of the account. Its token is shown once."""
    void(session, account_id, caller.now)
    return add(session, caller, kind, account_id)[1]


def add(
    session: Session,
    caller: Caller,
    kind: LinkKind,
    account_id: int,
    *,
    email: str | None = None,
    since: datetime | None = None,
) -> tuple[OneTimeLink, str]:
    """A further link, and its token. `email`: the address that it proves; `since`: from when on its time counts."""
    token = new_token()
    link = OneTimeLink(
        kind=kind,
        token_digest=digest(token),
        account_id=account_id,
        email=email,
        made_at=caller.now,
        expires_at=(since or caller.now) + _LIFETIMES[kind],
    )
    session.add(link)
    session.flush()
    audit.record(session, caller, EventKind.LINK_MADE, account_id=account_id, link=kind)
    return link, token


def mail_reset(session: Session, caller: Caller, link: OneTimeLink, token: str, **facts: Any) -> None:
    """Mail a link to set a new password to the account that it is for; not any more once it is void."""
    facts |= {"about": about(link.id), "dies_at": link.expires_at, "link": f"/reset-password/{token}"}
    notices.tell(session, caller, MailKind.RESET_LINK, link.account_id, **facts)


def void(session: Session, account_id: int, now: datetime, *kinds: LinkKind) -> None:
    """Make the account's open links void (of these kinds; else all); what was to be mailed of them does not leave."""
    found = session.scalars(
        select(OneTimeLink.id)
        .where(
            OneTimeLink.account_id == account_id,
            OneTimeLink.used_at.is_(None),
            OneTimeLink.kind.in_(kinds or tuple(LinkKind)),
        )
        .with_for_update()
    ).all()
    if found:
        change(session, update(OneTimeLink).where(OneTimeLink.id.in_(found)).values(used_at=now))
        notices.drop(session, *map(about, found))


def open_one(session: Session, token: str, kind: LinkKind, now: datetime) -> tuple[OneTimeLink, Account] | None:
    """The link with this token, if it would still be taken, and whose it is."""
    row = session.execute(
        select(OneTimeLink, Account)
        .join(Account, Account.id == OneTimeLink.account_id)
        .where(
            OneTimeLink.token_digest == digest(token),
            OneTimeLink.kind == kind,
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > now,
        )
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def taken(session: Session, link: OneTimeLink, now: datetime) -> bool:
    """Take the link: once, whoever else tries at the same time."""
    used = change(
        session,
        update(OneTimeLink).where(OneTimeLink.id == link.id, OneTimeLink.used_at.is_(None)).values(used_at=now),
    )
    return used == 1
