"""Judging a code against an account's apps, and taking it: computed outside a transaction, taken by one UPDATE."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, bindparam, select, update
from sqlalchemy.orm import Session

from ..models import Authenticator
from ..models.authenticator import owner_of
from ..plumbing.db import Instant, change
from ..plumbing.prepared_change import Insert, PreparedChange
from ..plumbing.runtime import runtime
from ..plumbing.sealing import SealBroken
from ..rules.totp import ClockOff, check
from .outcomes import ClockWrong, Unreadable, UsedCode, WrongCode

_log = logging.getLogger("mfaportal.verifier")


@dataclass(frozen=True, slots=True)
class Judgement:
    """Where a code fits: (app, step) pairs that are right now; else the nearest wrong time, if any."""

    right: tuple[tuple[int, int], ...] = ()
    elsewhere: tuple[int, ClockOff] | None = None
    unreadable: bool = False


class App(NamedTuple):
    """What judging a code takes of an app."""

    id: int
    account_id: int
    sealed_secret: bytes


def apps_of(session: Session, account_id: int) -> list[App]:
    """The account's apps, inside somebody's operation."""
    found = select(Authenticator.id, Authenticator.account_id, Authenticator.sealed_secret).where(
        Authenticator.account_id == account_id
    )
    return [App(*row) for row in session.execute(found.order_by(Authenticator.id))]


def judge(apps: Sequence[App], code: str, now: datetime) -> Judgement:
    """What six digits are to these apps. Every app is looked at, whichever fits."""
    right: list[tuple[int, int]] = []
    elsewhere: list[tuple[int, ClockOff]] = []
    broken = 0
    sealer = runtime().keys.sealer
    for app in apps:
        try:
            secret = sealer.open(owner_of(app.account_id), app.sealed_secret)
        except SealBroken:
            broken += 1
            _log.error("the secret of app %d does not open: is this the key ring the database was made with?", app.id)
            continue
        found = check(secret, code, now)
        if isinstance(found, ClockOff):
            elsewhere.append((app.id, found))
        elif found:
            right += [(app.id, step) for step in found.steps]
    nearest = min(elsewhere, key=lambda pair: abs(pair[1].seconds), default=None)
    return Judgement(tuple(right), nearest, unreadable=bool(apps) and broken == len(apps))


def take(
    session: Session, account_id: int, judgement: Judgement, now: datetime
) -> int | WrongCode | UsedCode | ClockWrong | Unreadable:
    """The number of the app whose step was taken just now, or what the code is instead.

    One conditional UPDATE: steps of an app only rise, so of parallel requests with one code exactly one gets it.
    """
    for app_id, step in judgement.right:
        taken = _TAKE.run(session, {"app": app_id, "account": account_id, "step": step, "now": now})
        if taken.number == 1:
            return app_id
    if judgement.right:
        return UsedCode()
    if judgement.elsewhere:
        return _explained(session, *judgement.elsewhere)
    return Unreadable() if judgement.unreadable else WrongCode()


def _explained(session: Session, app_id: int, off: ClockOff) -> ClockWrong | UsedCode:
    """Say how far the clock is off, and void a step that is still to come: "right in four minutes" helps a guesser.

    A step that the app has passed is an old code typed again; no clock is to blame.
    """
    passed = session.scalar(select(Authenticator.last_step).where(Authenticator.id == app_id))
    if passed is not None and passed >= off.step:
        return UsedCode()
    if off.seconds > 0:
        change(session, update(Authenticator).where(Authenticator.id == app_id).values(burned_step=off.step))
    return ClockWrong(off.seconds)


def _taking(_insert: Insert) -> Any:
    apps = Authenticator.metadata.tables[Authenticator.__tablename__]
    step = bindparam("step", type_=BigInteger)
    return (
        update(apps)
        .where(
            apps.c.id == bindparam("app", type_=BigInteger),
            apps.c.account_id == bindparam("account", type_=BigInteger),
            apps.c.last_step < step,
            apps.c.burned_step != step,
        )
        .values(last_step=step, last_used_at=bindparam("now", type_=Instant))
    )


_TAKE = PreparedChange(_taking)
