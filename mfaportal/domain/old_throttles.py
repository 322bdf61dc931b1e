"""Which counts of attempts say nothing any more: all of them lie behind the longest window, and none are in a row."""

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ColumnElement, case, cast, exists, null, or_

from ..models import Account, Login, Throttle
from ..rules.throttling import LIMITS, Kind

MODEL, KEY = Throttle, (Throttle.kind, Throttle.subject)
_LONGEST = max(window.length for limit in LIMITS.values() for window in limit.windows) + timedelta(minutes=1)
_IN_A_ROW = [kind for kind, limit in LIMITS.items() if limit.in_a_row is not None]
"""Kinds that stop for good after so many without a success: these are not forgotten while their subject is there."""
_OF_LOGINS = (Kind.CODE_OF_STEP_UP, Kind.CODE_OF_SET_UP)


def are_empty(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """In SQL. An attempt that lies further ahead than a window is long counts as little as one as far behind."""
    in_a_row = Throttle.kind.in_(_IN_A_ROW) & (Throttle.in_a_row > 0)
    there = or_(
        exists().where(Account.id == _number(Kind.CODE_OF_ACCOUNT)), exists().where(Login.id == _number(*_OF_LOGINS))
    )
    behind, ahead = Throttle.changed_at < now - _LONGEST, Throttle.changed_at > now + _LONGEST
    return behind & ~(in_a_row & there), ahead & ~(in_a_row & there)


def _number(*kinds: Kind) -> ColumnElement[int]:
    """The subject as a row's number, for kinds where it is one."""
    return case((Throttle.kind.in_(kinds), cast(Throttle.subject, BigInteger)), else_=null())
