"""What a whole log-in brings with it: the account's last log-in is noted, and its owner told of a new browser."""

from typing import Any, NamedTuple

from sqlalchemy import BigInteger, String, bindparam, literal, select, update
from sqlalchemy.orm import Session

from ..models import Account, EventKind, MailKind, Throttle
from ..models.throttle import unpacked
from ..plumbing.db import Instant
from ..plumbing.prepared_change import Insert, PreparedChange
from ..rules.throttling import LIMITS, Kind, Paused, counted
from . import audit, devices, notices, throttles
from .caller import Caller
from .throttle_rows import Subject

ACCOUNT: Any = bindparam("account", type_=BigInteger)
_TOLD = Kind.TOLD_OF_BROWSER


class Notes(NamedTuple):
    """An account before a log-in: when the last one was, its password's digest, when its owner was told last."""

    last_login_at: int | None
    password_digest: str | None
    told: str | None


def columns() -> list[Any]:
    """In the order of `Notes`: they may be asked along with something else."""
    of_account = (Account.last_login_at, Account.password_digest)
    told = select(Throttle.attempts).where(
        Throttle.kind == literal(_TOLD.value, String), Throttle.subject == bindparam("whose", type_=String)
    )
    return [
        *(select(column).where(Account.id == ACCOUNT).scalar_subquery() for column in of_account),
        told.scalar_subquery(),
    ]


def about(account_id: int) -> dict[str, Any]:
    """What `columns` want to know."""
    return {"account": account_id, "whose": str(account_id)}


def read(session: Session, account_id: int) -> Notes:
    """What to hand to `write`, where it was not asked along."""
    return Notes(*_READ.run(session, about(account_id)).rows[0])


def write(
    session: Session,
    caller: Caller,
    account_id: int,
    before: Notes,
    *,
    factors: list[str],
    device: str | None,
    told: bool = False,
) -> str:
    """Note it; the mark that the browser keeps from now on.

    `device`: the mark that the browser brought. Without a good one the owner is mailed, unless it is the first log-in
    ever, or they are `told` otherwise.
    """
    is_first = before.last_login_at is None
    if not is_first and not told and not devices.is_known(device, before.password_digest):
        _tell(session, caller, account_id, before.told)
    _NOTE.run(session, {"account": account_id, "now": caller.now})
    audit.record(session, caller, EventKind.LOGIN_COMPLETED, account_id=account_id, factors=factors)
    return devices.mark_of(before.password_digest)


def _tell(session: Session, caller: Caller, account_id: int, told: str | None) -> None:
    """Not again and again: else whoever has the password fills the owner's mailbox."""
    if told and isinstance(counted(unpacked(told, 0), LIMITS[_TOLD], caller.now), Paused):
        return
    if throttles.count(session, [Subject(_TOLD, str(account_id))], caller.now) is None:
        notices.tell(session, caller, MailKind.NEW_BROWSER, account_id)


def _noting(_insert: Insert) -> Any:
    accounts = Account.metadata.tables[Account.__tablename__]
    return update(accounts).where(accounts.c.id == ACCOUNT).values(last_login_at=bindparam("now", type_=Instant))


_READ = PreparedChange(lambda _insert: select(*columns()))
_NOTE = PreparedChange(_noting)
