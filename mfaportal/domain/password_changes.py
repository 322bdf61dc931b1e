"""Changing one's own password, with the present one. A forgotten one is `password_resets`' and `one_time_links`'."""

from dataclasses import dataclass

from sqlalchemy import update
from sqlalchemy.orm import Session

from ..models import Account, EventKind, MailKind
from ..plumbing.db import change as change_rows
from ..plumbing.db import transaction
from ..plumbing.passwords import hash_password, verify_password
from ..rules.access import Audience
from ..rules.lifetimes import STEP_UP, STEP_UP_GRACE
from ..rules.throttling import Kind
from . import attempts, audit, devices, hash_places, link_rows, login_rows, notices, throttles
from .authority import require
from .caller import Caller
from .outcomes import PausedUntil, WrongPassword
from .throttles import Subject

_WITHIN = STEP_UP + STEP_UP_GRACE


@dataclass(frozen=True, slots=True)
class PasswordChanged:
    """The token and the mark that this browser keeps; how many other logins ended."""

    token: str
    device: str
    ended: int


def change(caller: Caller, current: str, new: str) -> PasswordChanged | WrongPassword | PausedUntil:
    """Set a new password (which the page has looked at). This login stays, under a new token; all others end.

    What is wrong counts where step-up counts, so that no guess is for free; links to set a password are void.
    """
    subjects = [Subject(Kind.CODE_OF_STEP_UP, str(caller.login_id))]
    with hash_places.of_account(caller.account_id):
        with transaction() as session:
            require(session, caller, Audience.ACCOUNT, confirmed_within=_WITHIN)
            tried = throttles.attempt(session, subjects, caller.now)
            if isinstance(tried, PausedUntil):
                attempts.note_pause(session, caller, tried, account_id=caller.account_id, what="password")
                return tried
            before = session.get_one(Account, caller.account_id).password_digest
        right = verify_password(current, before)
        after = hash_password(new) if right else ""
    with transaction() as session:
        require(session, caller, Audience.ACCOUNT, confirmed_within=_WITHIN)
        account_id = caller.account_id or 0
        if not right or not _replaced(session, account_id, before, after):
            audit.record(session, caller, EventKind.LOGIN_PASSWORD_WRONG, account_id=account_id, at="new password")
            return WrongPassword()
        throttles.give_back(session, tried, caller.now)  # and no wrong code is forgotten
        ended = login_rows.end_of_account(session, caller, account_id, but=caller.login_id)
        link_rows.void(session, account_id, caller.now)
        audit.record(session, caller, EventKind.PASSWORD_SET, account_id=account_id, how="changed", ended=ended)
        notices.tell(session, caller, MailKind.PASSWORD_CHANGED, account_id)
        return PasswordChanged(login_rows.renew(session, caller.login_id or 0), devices.mark_of(after), ended)


def _replaced(session: Session, account_id: int, before: str | None, after: str) -> bool:
    """Only the digest that was judged: a password set in between is nobody's to overwrite."""
    replaced = change_rows(
        session,
        update(Account)
        .where(Account.id == account_id, Account.password_digest == before)
        .values(password_digest=after),
    )
    return replaced == 1
