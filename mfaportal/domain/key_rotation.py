"""A new key for secrets at rest, and everything sealed again under it, while people go on logging in.

In small transactions, each row only if it is still what was read: it can be killed at any point and run again.
Whoever seals looks at the ring each time, so nothing new goes under an old key once the new one is there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ..models import Authenticator, EventKind, EventSeal, Login, Mail, MailJob, RecoveryCode
from ..plumbing.db import change, reading, transaction
from ..plumbing.runtime import runtime
from ..plumbing.sealing import SealBroken, sealed_under
from ..rules.access import Audience
from ..rules.lifetimes import STEP_UP, STEP_UP_GRACE
from . import audit, key_canary
from .authority import require
from .caller import Caller

_AT_ONCE = 100
_WITHIN = STEP_UP + STEP_UP_GRACE
_SEALED: tuple[tuple[Any, Any], ...] = (
    (Login, Login.pending_secret),
    (Login, Login.shown_codes),
    (Authenticator, Authenticator.sealed_secret),
    (Mail, Mail.sealed),
    (MailJob, MailJob.sealed),
)
"""Every column that holds something sealed; a test holds the list against the models."""


@dataclass(frozen=True, slots=True)
class KeyListed:
    """A key of the ring. `uses`: how many texts are sealed under it, or digests made with it."""

    kind: str
    id: str
    made_at: datetime | None
    uses: int
    newest: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """How far sealing again has come: how many were done, how many are left, how many no key opens."""

    done: int
    left: int
    broken: int


def keys() -> list[KeyListed]:
    """The keys of the ring, newest first, and how much each is used."""
    ring = runtime().keys.ring.keys()
    with reading() as session:
        seal = {name: _under(session, name) for name in ring.seal}
        digest = {name: _digests(session, name) for name in ring.digest}
    return [
        KeyListed(key.kind, key.id, key.made_at, uses[key.id], newest=number == 0)
        for of_kind, uses in ((ring.seal, seal), (ring.digest, digest))
        for number, key in enumerate(of_kind.values())
    ]


def is_unfinished() -> bool:
    """Whether an earlier rotation left something under an older key."""
    with reading() as session:
        return len(runtime().keys.ring.keys().seal) > 1 and _left(session) > 0


def begin(caller: Caller) -> str:
    """Put a new key into the ring, and note its fingerprint; its id. From now on everybody seals under it.

    Raises:
        SettingError: the ring's file cannot be replaced.
    """
    with transaction() as session:
        require(session, caller, Audience.OPERATORS, confirmed_within=_WITHIN)
        name = runtime().keys.ring.add_seal_key(caller.now)
        key_canary.note(session)
        audit.record(session, caller, EventKind.KEYS_ROTATED, key=name, step="begun")
    return name


def seal_again(caller: Caller) -> Iterator[Progress]:
    """Seal again whatever is not under the newest key, a hundred at a time, until nothing is left that opens."""
    done = broken = 0
    while True:
        before, broken = done, 0
        for model, column in _SEALED:
            after = 0
            while found := _batch(caller, model, column, after):
                after, renewed, failed = found
                done, broken = done + renewed, broken + failed
                with reading() as session:
                    yield Progress(done, max(0, _left(session) - broken), broken)
        if done == before:
            return


def finish(caller: Caller, progress: Progress) -> None:
    """Note that it is done: older keys are not needed any more, but for what no key opens, and for older backups."""
    ring = runtime().keys.ring.keys()
    with transaction() as session:
        require(session, caller, Audience.OPERATORS, confirmed_within=_WITHIN)
        if not _left(session):
            key_canary.note(session, forget_older=True)
        facts: dict[str, Any] = {"key": next(iter(ring.seal)), "sealed": progress.done, "broken": progress.broken}
        audit.record(session, caller, EventKind.KEYS_ROTATED, step="finished", **facts)


def _batch(caller: Caller, model: Any, column: Any, after: int) -> tuple[int, int, int] | None:
    """Seal the next rows again: the last row's number, how many were done, how many no key opens.

    Opened and sealed before the transaction, so that nobody who logs in waits for it.
    """
    statement = select(model.id, column).where(model.id > after, _not_newest(column)).order_by(model.id)
    with reading() as session:
        rows = session.execute(statement.limit(_AT_ONCE)).all()
    if not rows:
        return None
    renewed = [(row_id, sealed, _renewed(sealed)) for row_id, sealed in rows]
    with transaction() as session:
        require(session, caller, Audience.OPERATORS, confirmed_within=_WITHIN)
        done = sum(_replace(session, model, column, *row) for row in renewed if row[2] is not None)
    return rows[-1][0], done, sum(row[2] is None for row in renewed)


def _renewed(sealed: bytes) -> bytes | None:
    try:
        return runtime().keys.sealer.renew(sealed)
    except SealBroken:
        return None


def _replace(session: Session, model: Any, column: Any, row_id: int, sealed: bytes, renewed: bytes | None) -> int:
    """Unless somebody has changed it meanwhile: theirs is newer, and sealed under the new key already."""
    return change(session, update(model).where(model.id == row_id, column == sealed).values({column.key: renewed}))


def _not_newest(column: Any) -> Any:
    begins = sealed_under(runtime().keys.sealer.newest)
    return column.is_not(None) & (func.substr(column, 1, len(begins)) != begins)


def _left(session: Session) -> int:
    counts = [select(func.count()).select_from(model).where(_not_newest(column)) for model, column in _SEALED]
    return sum(session.scalar(count) or 0 for count in counts)


def _under(session: Session, name: str) -> int:
    begins = sealed_under(name)
    counts = [
        select(func.count()).select_from(model).where(func.substr(column, 1, len(begins)) == begins)
        for model, column in _SEALED
    ]
    return sum(session.scalar(count) or 0 for count in counts)


def _digests(session: Session, name: str) -> int:
    counts = [select(func.count()).select_from(made).where(made.key == name) for made in (RecoveryCode, EventSeal)]
    return sum(session.scalar(count) or 0 for count in counts)
