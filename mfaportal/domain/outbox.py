"""The outbox as its sender uses it: one mail taken at a time, sent, tried again later, or given up.

A mail may be sent twice, when the portal dies between the server's word and the commit: with the same Message-ID and
the same text. None is lost.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select, update

from ..models import EventKind, Mail, MailJob
from ..models.mail import ERROR_MAX, owner_of_mail
from ..plumbing.db import change, reading, transaction
from ..plumbing.runtime import runtime
from ..plumbing.sealing import SealBroken
from ..rules.access import Audience
from ..rules.lifetimes import STEP_UP, STEP_UP_GRACE
from ..rules.mail_retries import LONGEST, next_try
from . import audit
from .authority import require
from .caller import Caller

LEASE = timedelta(seconds=60)
"""How long a mail is one sender's; longer than a mail server may take."""
_JOBS_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Claimed:
    """A mail that nobody else sends meanwhile."""

    id: int
    kind: str
    recipient: str
    account_id: int | None
    message_id: str
    made_at: datetime
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What there is to do now: jobs by number, oldest first; whether a mail is due; whether one came too late."""

    jobs: tuple[int, ...] = ()
    mail: bool = False
    dead: bool = False


def look(now: datetime) -> Waiting:
    """What there is to do: two small reads, every second."""
    with reading() as session:
        jobs = session.scalars(select(MailJob.id).order_by(MailJob.id).limit(_JOBS_AT_ONCE)).all()
        mail, dead = session.execute(
            select(select(Mail.id).where(*_due(now)).exists(), select(Mail.id).where(*_is_dead(now)).exists())
        ).one()
    return Waiting(tuple(jobs), mail, dead)


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """A next try, or a claim, that lies farther ahead than any can was written while the clock was ahead."""
    return (
        (Mail.next_try_at <= now) | (Mail.next_try_at > now + LONGEST),
        Mail.claimed_until.is_(None) | (Mail.claimed_until <= now) | (Mail.claimed_until > now + LEASE),
        Mail.dies_at > now,
    )


def _is_dead(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (Mail.next_try_at.is_not(None), Mail.dies_at <= now)


def release(caller: Caller) -> int:
    """Whoever sends now is the only one: what a sender that died had taken is free again."""
    with transaction() as session:
        return change(session, update(Mail).where(Mail.claimed_until > caller.now).values(claimed_until=None))


def claim(caller: Caller) -> Claimed | None:
    """Take the mail that dies first, for a minute: no link waits behind a thousand notices. None when there is none.

    One that does not open is given up: its key is gone.
    """
    with transaction() as session:
        oldest = select(Mail.id).where(*_due(caller.now)).order_by(Mail.dies_at, Mail.id).limit(1)
        mail_id = session.scalar(oldest)
        taken = update(Mail).where(Mail.id == mail_id, *_due(caller.now)).values(claimed_until=caller.now + LEASE)
        if mail_id is None or change(session, taken) != 1:
            return None
        mail = session.get_one(Mail, mail_id)
        try:
            facts = json.loads(runtime().keys.sealer.open(owner_of_mail(mail.message_id), mail.sealed or b""))
        except SealBroken:
            error = "no key of the ring opens it"
            change(session, update(Mail).where(Mail.id == mail_id).values(**_given_up(caller.now, error)))
            return None
    return Claimed(mail.id, mail.kind, mail.recipient, mail.account_id, mail.message_id, mail.made_at, facts)


def sent(caller: Caller, mail_id: int) -> None:
    """The server has taken it. What it said goes."""
    with transaction() as session:
        done = {**_over(), "sent_at": caller.now, "error": ""}
        change(
            session,
            update(Mail).where(Mail.id == mail_id, Mail.sent_at.is_(None)).values(tries=Mail.tries + 1, **done),
        )


def failed(caller: Caller, mail_id: int, error: str, *, for_good: bool) -> None:
    """It was not taken: try again later, or give it up where that is of no use or too late."""
    with transaction() as session:
        mail = session.get(Mail, mail_id)
        if mail is None or mail.next_try_at is None:
            return
        again = None if for_good else next_try(mail.tries + 1, caller.now, mail.dies_at)
        values: dict[str, Any] = (
            _given_up(caller.now, error)
            if again is None
            else {"next_try_at": again, "claimed_until": None, "error": error[:ERROR_MAX]}
        )
        change(session, update(Mail).where(Mail.id == mail_id).values(tries=Mail.tries + 1, **values))


def give_up_dead(caller: Caller) -> int:
    """Those that came too late: what they say holds no more. How many."""
    with transaction() as session:
        error = func.coalesce(func.nullif(Mail.error, ""), "it could not be sent in time")
        values = {**_given_up(caller.now, ""), "error": error}
        return change(session, update(Mail).where(*_is_dead(caller.now)).values(**values))


def _given_up(now: datetime, error: str) -> dict[str, Any]:
    return {**_over(), "gave_up_at": now, "error": error[:ERROR_MAX]}


def _over() -> dict[str, Any]:
    return {"sealed": None, "next_try_at": None, "claimed_until": None}


def try_again(caller: Caller, mail_id: int | None) -> int:
    """Let one mail that waits for its next try, or all of them, be tried now; how many."""
    with transaction() as session:
        require(session, caller, Audience.OPERATORS, confirmed_within=STEP_UP + STEP_UP_GRACE)
        one = [] if mail_id is None else [Mail.id == mail_id]
        waiting = (Mail.next_try_at > caller.now, Mail.dies_at > caller.now, *one)
        moved = change(session, update(Mail).where(*waiting).values(next_try_at=caller.now))
        if moved:
            audit.record(session, caller, EventKind.MAIL_RETRIED, mails=moved)
        return moved
