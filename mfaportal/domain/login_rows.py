"""What several operations do to logins: begin one, complete it, renew its token, end some."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from ..models import Account, EventKind, Login
from ..plumbing.db import change
from ..plumbing.tokens import digest, new_token
from ..rules.throttling import Kind
from . import audit, throttles
from .caller import Caller
from .throttles import Subject


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
    """Give the login a new token, and note `facts` on its row; the old token is dead from now on."""
    token = new_token()
    change(session, update(Login).where(Login.id == login_id).values(token_digest=digest(token), **facts))
    return token


def end_of_account(session: Session, caller: Caller, account_id: int, *, but: int | None = None) -> int:
    """End the account's live logins, but for one; how many there were. A set-up begun in them is gone, too."""
    statement = update(Login).where(Login.account_id == account_id, Login.ended_at.is_(None))
    if but is not None:
        statement = statement.where(Login.id != but)
    return change(session, statement.values(ended_at=caller.now, pending_secret=None, pending_at=None))


def end_one(session: Session, caller: Caller, token_digest: bytes) -> int:
    """End the live login that has this token; 0 if there is none."""
    return change(
        session,
        update(Login)
        .where(Login.token_digest == token_digest, Login.ended_at.is_(None))
        .values(ended_at=caller.now, pending_secret=None, pending_at=None),
    )


def complete(session: Session, caller: Caller, account_id: int, *, factors: list[str]) -> None:
    """What a whole log-in brings with it: the account's wrong codes are forgotten, and it is noted."""
    change(session, update(Account).where(Account.id == account_id).values(last_login_at=caller.now))
    throttles.clear(session, [Subject(Kind.CODE_OF_ACCOUNT, str(account_id))])
    audit.record(session, caller, EventKind.LOGIN_COMPLETED, account_id=account_id, factors=factors)
