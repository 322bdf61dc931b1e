"""The portal as it must not be: it looks, judges, and then writes. The races prove their power on it.

Taken away are transactions (each statement stands alone), the condition under which a code is taken, the one under
which a throttle's row is replaced, and the second look at a link; and logging out only empties the cookie.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from mfaportal import create_app
from mfaportal.domain import audit, logins, one_time_links, throttles, verifier
from mfaportal.domain.caller import Caller
from mfaportal.domain.one_time_links import LinkRefusal
from mfaportal.domain.outcomes import Done, UsedCode
from mfaportal.domain.throttles import Subject
from mfaportal.domain.verifier import Judgement
from mfaportal.models import Account, Authenticator, EventKind, LinkKind, OneTimeLink, Throttle
from mfaportal.models.throttle import packed
from mfaportal.plumbing import db
from mfaportal.plumbing.db import change, transaction
from mfaportal.plumbing.passwords import hash_password
from mfaportal.plumbing.tokens import digest
from mfaportal.rules.throttling import History

_judge = verifier.judge


def _begin_nothing(connection: Connection) -> None:
    """Every statement commits by itself."""


def _judge_with_last_steps(apps: list[Authenticator], code: str, now: datetime) -> Judgement:
    """Whether a step was used is found out here, by what was read before."""
    last = {app.id: app.last_step for app in apps}
    found = _judge(apps, code, now)
    return replace(found, right=tuple((app, step) for app, step in found.right if last[app] < step))


def _take_whatever(session: Session, account_id: int, judgement: Judgement, now: datetime) -> int | UsedCode:
    for app_id, step in judgement.right:
        change(
            session,
            update(Authenticator).where(Authenticator.id == app_id).values(last_step=step, last_used_at=now),
        )
        return app_id
    return UsedCode()


def _replace_whatever(session: Session, subject: Subject, history: History, version: int, now: datetime) -> None:
    values = {"attempts": packed(history), "in_a_row": history.in_a_row, "version": version + 1, "changed_at": now}
    change(
        session,
        update(Throttle).where(Throttle.kind == subject.kind, Throttle.subject == subject.name).values(**values),
    )


def _take_link(caller: Caller, token: str, kind: LinkKind, *, password: str) -> Done | LinkRefusal:
    """Looked at before the password is hashed, and not again."""
    if one_time_links.look(token, kind, caller.now) is None:
        return LinkRefusal()
    password_digest = hash_password(password)
    with transaction() as session:
        link = session.scalars(select(OneTimeLink).where(OneTimeLink.token_digest == digest(token))).one()
        link.used_at = caller.now
        session.get_one(Account, link.account_id).password_digest = password_digest
        audit.record(session, caller, EventKind.PASSWORD_SET, account_id=link.account_id, link=kind)
    return Done()


def _stay_logged_in(caller: Caller, token_digest: bytes) -> None:
    """The row of the login is left alone."""


db._begin = _begin_nothing
verifier.judge = _judge_with_last_steps
verifier.take = _take_whatever
throttles._replace = _replace_whatever
one_time_links.take = _take_link  # type: ignore[assignment]
logins.log_out = _stay_logged_in
app = create_app()
