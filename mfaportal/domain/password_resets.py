"""A forgotten password, asked about from outside: one answer and one cost, whatever the address.

The request writes a job and an event that names nobody. Only the sender looks whose the address is (`answer`), when
whoever asked is long gone. Setting the password with the link is `one_time_links`' business.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from ..models import Account, EventKind, LinkKind, MailJobKind, Membership
from ..plumbing.addresses import normalise
from ..plumbing.db import transaction
from ..rules.lifetimes import RESET_LINK
from ..rules.throttling import Kind
from . import attempts, audit, link_rows, notices, throttles
from .caller import Caller
from .outcomes import AccountRefusal, Done


def ask(caller: Caller, typed: str) -> Done | AccountRefusal:
    """Have a link sent to an address, if it is somebody's. Over the limit, and without mail, nothing is done."""
    email = normalise(typed)
    if email is None:
        return AccountRefusal.BAD_EMAIL
    if not notices.mail_works():
        return Done()
    subjects = [throttles.of_email(Kind.RESET_OF_EMAIL, email)]
    subjects += [throttles.from_address(Kind.RESET_FROM_ADDRESS, caller.address)] if caller.address else []
    with transaction() as session:
        paused = throttles.count(session, subjects, caller.now)
        if paused:
            attempts.note_pause(session, caller, paused, what="reset link")
            return Done()
        audit.record(session, caller, EventKind.RESET_ASKED)
        notices.queue(session, caller, MailJobKind.RESET_ASKED, email=email)
    return Done()


def answer(caller: Caller, facts: dict[str, Any]) -> None:
    """What the sender makes of it: a link in a mail for an account that a password can let in, else nothing.

    The half hour counts from when it was asked for. Other links stay as they are: anybody may ask, and would
    otherwise make void what an operator has just handed over.
    """
    asked_at = datetime.fromtimestamp(facts["at"], UTC)
    if caller.now - asked_at >= RESET_LINK:
        return
    with transaction() as session:
        account = session.scalars(
            select(Account).where(Account.email == facts["email"]).with_for_update()
        ).one_or_none()
        if account is None or not _may_have_one(session, account):
            # an event as for the others: their numbers tell nobody whose address is known
            audit.record(session, caller, EventKind.RESET_IGNORED)
            return
        link, token = link_rows.add(session, caller, LinkKind.RESET, account.id, email=account.email, since=asked_at)
        link_rows.mail_reset(session, caller, link, token)


def _may_have_one(session: Session, account: Account) -> bool:
    """Nobody who is suspended; nor an account that never had a password and is in no portal."""
    if account.suspended_at is not None:
        return False
    if account.password_digest is not None or account.is_operator:
        return True
    return bool(session.scalar(select(exists().where(Membership.account_id == account.id))))
