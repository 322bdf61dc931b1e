"""Passes of guarded hosts that nobody had to fetch: the rows that a log-in and its hand-off leave behind."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from mfaportal.models import Login, LoginPass
from mfaportal.plumbing.db import transaction
from mfaportal.plumbing.tokens import digest, new_token
from tests.people import Person


def give(person: Person, host: str, now: datetime) -> str:
    """The token that the browser of somebody wholly logged in keeps for `host`, which is written as in `Host`."""
    since = now - timedelta(seconds=1)
    with transaction() as session:
        login = Login(
            token_digest=digest(new_token()),
            account_id=person.id,
            password_at=since,
            second_factor_at=since,
            confirmed_at=since,
            last_seen_at=since,
        )
        session.add(login)
        session.flush()
        return of_login(session, login.id, host, since)


def of_login(session: Session, login_id: int, host: str, since: datetime) -> str:
    """The token that the browser of a login got for `host` at that time."""
    token = new_token()
    session.add(
        LoginPass(
            login_id=login_id,
            host=host,
            hand_off_digest=digest(new_token()),
            browser_digest=digest(new_token()),
            made_at=since,
            taken_at=since,
            token_digest=digest(token),
        )
    )
    return token
