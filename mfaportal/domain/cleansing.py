"""What a restored database must not bring back: logins, codes, links and mails of the time before it was restored."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from ..models import (
    AccessRequest,
    Account,
    Authenticator,
    EventKind,
    Invitation,
    Mail,
    MailJob,
    OneTimeLink,
    RecoveryCode,
)
from ..plumbing.db import change, transaction
from ..plumbing.tokens import digest, new_token
from ..rules.access import Audience
from ..rules.lifetimes import STEP_UP, STEP_UP_GRACE
from ..rules.totp import step_at
from . import audit, login_rows
from .authority import require
from .caller import Caller


@dataclass(frozen=True, slots=True)
class Cleansed:
    """How much was ended, voided, dropped."""

    logins: int
    links: int
    mails: int
    recovery_codes: int


def after_restore(caller: Caller, made_at: str, *, void_recovery_codes: bool) -> Cleansed:
    """End all logins, void all links, drop what was to be mailed, and let no code of before count again.

    Throttles stay as they are, and so do steps that a wrong code burned.
    """
    with transaction() as session:
        require(session, caller, Audience.OPERATORS, confirmed_within=STEP_UP + STEP_UP_GRACE)
        logins = login_rows.end_all(session, caller)
        here = step_at(caller.now)
        change(session, update(Authenticator).where(Authenticator.last_step < here).values(last_step=here))
        done = Cleansed(
            logins,
            _void_links(session, caller.now),
            change(session, delete(Mail).where(Mail.sent_at.is_(None))) + change(session, delete(MailJob)),
            _void_codes(session) if void_recovery_codes else 0,
        )
        facts: dict[str, Any] = {"logins": done.logins, "links": done.links, "mails": done.mails}
        audit.record(session, caller, EventKind.RESTORED, made_at=made_at, codes_void=void_recovery_codes, **facts)
    return done


def _void_links(session: Session, now: datetime) -> int:
    """One-time links, those of invitations (which stay open, to be sent again), and those that confirm a request."""
    links = change(session, update(OneTimeLink).where(OneTimeLink.used_at.is_(None)).values(used_at=now))
    invited = session.scalars(select(Invitation.id).where(Invitation.used_at.is_(None))).all()
    for number in invited:
        nobodys = digest(new_token())
        change(session, update(Invitation).where(Invitation.id == number).values(token_digest=nobodys))
    asked = session.scalars(select(AccessRequest.id).where(AccessRequest.confirm_digest.is_not(None))).all()
    for number in asked:
        nobodys = digest(new_token())  # a digest still: without one a request would count as made without mail
        change(session, update(AccessRequest).where(AccessRequest.id == number).values(confirm_digest=nobodys))
    return links + len(invited) + len(asked)


def _void_codes(session: Session) -> int:
    change(session, update(Account).values(codes_saved_at=None))
    return change(session, delete(RecoveryCode))
