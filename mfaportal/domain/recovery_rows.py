"""What several operations do to recovery codes: make a set, void it, count it, take one of it."""

import secrets
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from ..models import Account, Login, MailKind, RecoveryCode
from ..plumbing.db import change
from ..plumbing.digesting import UnknownKey
from ..plumbing.runtime import runtime
from ..rules.recovery_codes import A_SET, CODE_BYTES, LOW, code_of
from . import notices
from .caller import Caller
from .outcomes import Unreadable, UsedCode, WrongCode

_PURPOSE = "recovery"
_WORTH_A_MAIL = (LOW, 0)
"""How many are left when the owner is told to make new ones."""


def owner_of_shown(account_id: int) -> str:
    """What stands inside the sealed codes on a login's row, so that they are neither another account's nor a key."""
    return f"recovery-codes:{account_id}"


def digest_of(account_id: int, code: str, key: str) -> bytes:
    """The digest under which a code (16 characters) is kept. The account is part of it.

    Raises:
        UnknownKey: the ring has no digest key of this id.
    """
    return runtime().keys.digester.digest(_PURPOSE, f"{account_id}:{code}".encode(), key=key)


def draw_set() -> tuple[str, ...]:
    """Ten different codes, from the operating system's randomness, as they are shown."""
    codes: set[str] = set()
    while len(codes) < A_SET:
        codes.add(code_of(secrets.token_bytes(CODE_BYTES)))
    return tuple(codes)


def make_set(session: Session, caller: Caller, account_id: int) -> None:
    """Ten new codes in place of all others. They stay readable, sealed, on the caller's login alone."""
    _forget(session, account_id)
    codes = draw_set()
    keep(session, account_id, codes, caller.now)
    sealed = runtime().keys.sealer.seal(owner_of_shown(account_id), "\n".join(codes))
    change(session, update(Login).where(Login.id == caller.login_id).values(shown_codes=sealed, shown_at=caller.now))


def keep(session: Session, account_id: int, codes: tuple[str, ...], now: datetime) -> None:
    """Write the digests of these codes under the newest key."""
    key = runtime().keys.digester.newest
    digests = [digest_of(account_id, code.replace("-", ""), key) for code in codes]
    common = {"account_id": account_id, "key": key, "made_at": now}
    session.execute(insert(RecoveryCode), [{**common, "digest": digest} for digest in digests])


def void_all(session: Session, account_id: int) -> None:
    """No recovery code without an app: all of them go, and nobody counts as let in by one any more."""
    _forget(session, account_id)
    change(session, update(Login).where(Login.account_id == account_id).values(recovered_at=None))


def _forget(session: Session, account_id: int) -> None:
    change(session, delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    change(session, update(Account).where(Account.id == account_id).values(codes_saved_at=None))
    change(
        session,
        update(Login)
        .where(Login.account_id == account_id, Login.shown_codes.is_not(None))
        .values(shown_codes=None, shown_at=None),
    )


def count_left(session: Session, account_id: int) -> int:
    """How many of the account's codes have not been used."""
    unused = select(func.count()).where(RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None))
    return session.scalar(unused) or 0


def take(session: Session, account_id: int, code: str, now: datetime) -> int | WrongCode | UsedCode | Unreadable:
    """Take a code (16 characters) of the account; how many are left, or what the code is instead.

    One conditional UPDATE: of parallel requests with one code exactly one changes its row.
    """
    keys = session.scalars(select(RecoveryCode.key).where(RecoveryCode.account_id == account_id).distinct()).all()
    digests, unknown = [], False
    for key in keys:
        try:
            digests.append(digest_of(account_id, code, key))
        except UnknownKey:
            unknown = True
    mine = (RecoveryCode.account_id == account_id, RecoveryCode.digest.in_(digests))
    taken = change(session, update(RecoveryCode).where(*mine, RecoveryCode.used_at.is_(None)).values(used_at=now))
    if taken == 1:
        return count_left(session, account_id)
    if session.scalar(select(func.count()).where(*mine)):
        return UsedCode()
    return Unreadable() if unknown else WrongCode()


def tell_used(session: Session, caller: Caller, account_id: int, left: int) -> None:
    """Mail the owner that one was used, and, when few are left, that it is time for new ones."""
    notices.tell(session, caller, MailKind.RECOVERY_CODE_USED, account_id, left=left)
    if left in _WORTH_A_MAIL:
        notices.tell(session, caller, MailKind.CODES_LOW, account_id, left=left)
