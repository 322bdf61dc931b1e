"""Links that let somebody choose a password: made, looked at, taken once. They never log anybody in."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..models import Account, EventKind, LinkKind, OneTimeLink
from ..plumbing.db import change, reading, transaction
from ..plumbing.passwords import hash_password
from ..plumbing.tokens import digest, new_token
from ..rules.access import Audience
from ..rules.lifetimes import INVITATION, RESET_LINK, STEP_UP, STEP_UP_GRACE
from ..rules.names import PERSON_MAX, clean_name
from ..rules.throttling import Kind
from . import audit, login_rows, throttles
from .authority import require
from .caller import Caller, Source
from .outcomes import AccountRefusal, Done, LinkMade
from .throttles import Subject

_LIFETIMES = {LinkKind.INVITATION: INVITATION, LinkKind.RESET: RESET_LINK}


@dataclass(frozen=True, slots=True)
class LinkSeen:
    """A link that still works, and whose it is."""

    kind: LinkKind
    email: str
    name: str


class LinkRefusal:
    """Unknown, used or expired: one answer for all."""


def make(session: Session, caller: Caller, kind: LinkKind, account_id: int) -> str:
    """A new link inside somebody's operation; earlier ones of the account are void. Its token is shown once."""
    void(session, account_id, caller.now)
    token = new_token()
    session.add(
        OneTimeLink(
            kind=kind,
            token_digest=digest(token),
            account_id=account_id,
            made_at=caller.now,
            expires_at=caller.now + _LIFETIMES[kind],
        )
    )
    audit.record(session, caller, EventKind.LINK_MADE, account_id=account_id, link=kind)
    return token


def void(session: Session, account_id: int, now: datetime) -> None:
    """Make all open links of an account void, inside somebody's operation."""
    change(
        session,
        update(OneTimeLink)
        .where(OneTimeLink.account_id == account_id, OneTimeLink.used_at.is_(None))
        .values(used_at=now),
    )


def make_reset_link(caller: Caller, account_id: int) -> LinkMade | AccountRefusal:
    """A link to set a new password, for an operator to hand over. Another operator's only on the command line."""
    with transaction() as session:
        require(session, caller, Audience.OPERATORS, confirmed_within=STEP_UP + STEP_UP_GRACE)
        account = session.get(Account, account_id)
        if account is None:
            return AccountRefusal.UNKNOWN
        if account.is_operator and caller.source is Source.WEB:
            return AccountRefusal.AN_OPERATOR
        return LinkMade(make(session, caller, LinkKind.RESET, account_id))


def look(token: str, kind: LinkKind, now: datetime) -> LinkSeen | None:
    """The link behind a token, if it would still be taken."""
    with reading() as session:
        found = _open_link(session, token, kind, now)
        return None if found is None else LinkSeen(kind, found[1].email, found[1].name)


def take(
    caller: Caller, token: str, kind: LinkKind, *, password: str, name: str | None = None
) -> Done | LinkRefusal | AccountRefusal:
    """Set the password of the link's account (and its name).

    Ends all its logins and lifts the code throttle; MFA stays as it is.
    """
    cleaned = None if name is None else clean_name(name, PERSON_MAX)
    if name is not None and cleaned is None:
        return AccountRefusal.BAD_NAME
    if look(token, kind, caller.now) is None:
        return LinkRefusal()
    password_digest = hash_password(password)
    with transaction() as session:
        found = _open_link(session, token, kind, caller.now)
        if found is None or not _taken(session, found[0], caller.now):
            return LinkRefusal()
        account = found[1]
        account.password_digest = password_digest
        if cleaned is not None:
            account.rename(cleaned)
        login_rows.end_of_account(session, caller, account.id)
        throttles.clear(session, [Subject(Kind.CODE_OF_ACCOUNT, str(account.id))])
        audit.record(session, caller, EventKind.PASSWORD_SET, account_id=account.id, link=kind)
    return Done()


def _open_link(session: Session, token: str, kind: LinkKind, now: datetime) -> tuple[OneTimeLink, Account] | None:
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


def _taken(session: Session, link: OneTimeLink, now: datetime) -> bool:
    taken = change(
        session,
        update(OneTimeLink).where(OneTimeLink.id == link.id, OneTimeLink.used_at.is_(None)).values(used_at=now),
    )
    return taken == 1
