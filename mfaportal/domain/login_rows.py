"""What several operations do to logins: begin one, renew its token, note a step-up, end some."""

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from ..models import EventKind, Login, LoginPass
from ..plumbing.db import change
from ..plumbing.tokens import digest, new_token
from . import audit
from .caller import Caller

_OPEN = ("pending_secret", "pending_at", "shown_codes", "shown_at", "recovered_at")
_LEFT_OPEN: dict[str, None] = dict.fromkeys(_OPEN)
"""What a login leaves behind that nobody needs any more: a set-up begun, recovery codes not yet saved."""


def begin(session: Session, caller: Caller, account_id: int) -> tuple[Login, str]:
    """A new login whose password was given now, and the token for the browser."""
    token = new_token()
    login = Login(
        token_digest=digest(token),
        account_id=account_id,
        password_at=caller.now,
        last_seen_at=caller.now,
        address=caller.address,
        browser=caller.browser,
    )
    session.add(login)
    session.flush()
    return login, token


def renew(session: Session, login_id: int, **facts: object) -> str:
    """Give the login a new token, and note `facts` on its row; the old token is dead from now on, and so is what
    anybody has got by it: passes into guarded hosts.
    """
    token = new_token()
    change(session, delete(LoginPass).where(LoginPass.login_id == login_id))
    change(session, update(Login).where(Login.id == login_id).values(token_digest=digest(token), **facts))
    return token


def confirm(session: Session, caller: Caller, account_id: int) -> None:
    """Note a step-up of the caller's login."""
    change(session, update(Login).where(Login.id == caller.login_id).values(confirmed_at=caller.now))
    audit.record(session, caller, EventKind.LOGIN_CONFIRMED, account_id=account_id)


def end_of_account(session: Session, caller: Caller, account_id: int, *, but: int | None = None) -> int:
    """End the account's live logins, but for one; how many there were. A set-up begun in them is gone, too."""
    statement = update(Login).where(Login.account_id == account_id, Login.ended_at.is_(None))
    if but is not None:
        statement = statement.where(Login.id != but)
    return change(session, statement.values(ended_at=caller.now, **_LEFT_OPEN))


def end_all(session: Session, caller: Caller) -> int:
    """End every live login of the installation; how many. Nothing that any login began is left."""
    change(session, update(Login).values(**_LEFT_OPEN))
    return change(session, update(Login).where(Login.ended_at.is_(None)).values(ended_at=caller.now))


def end_one(session: Session, caller: Caller, token_digest: bytes) -> int:
    """End the live login that has this token; 0 if there is none."""
    return change(
        session,
        update(Login)
        .where(Login.token_digest == token_digest, Login.ended_at.is_(None))
        .values(ended_at=caller.now, **_LEFT_OPEN),
    )


def end_by_id(session: Session, caller: Caller, login_id: int) -> int:
    """End this live login; 0 if it has ended before."""
    return change(
        session,
        update(Login).where(Login.id == login_id, Login.ended_at.is_(None)).values(ended_at=caller.now, **_LEFT_OPEN),
    )
