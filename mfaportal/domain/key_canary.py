"""Whether this key ring is the one that the database was used with, told at the start rather than at somebody's code.

The database keeps a fingerprint of each key that it needs: the newest ones, and older ones while something is still
sealed under them. A ring that lacks one, or has another key under its name, is another ring; one that has more is the
same after a rotation.
"""

import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Authenticator
from ..models.authenticator import owner_of
from ..models.setting import KEY_CANARY
from ..plumbing.db import reading, transaction
from ..plumbing.key_ring import fingerprint_name
from ..plumbing.runtime import runtime
from ..plumbing.sealing import SealBroken
from . import setting_rows
from .caller import Caller

_TRIED = 20
"""How many apps are opened where there is no fingerprint yet."""


def trouble() -> str | None:
    """What is wrong with the key ring, as one sentence; None when it is the database's. One statement."""
    with reading() as session:
        return _trouble(session)


def settle(caller: Caller) -> str | None:  # noqa: ARG001  # whoever starts the portal
    """The same, and where all is well, note the fingerprints of the newest keys if they are not noted yet."""
    with reading() as session:
        wrong, noted = _trouble(session), _noted(session) or {}
    if wrong is not None or _needed().items() <= noted.items():
        return wrong
    with transaction() as session:
        note(session)
    return None


def note(session: Session, *, forget_older: bool = False) -> None:
    """Keep the fingerprints of the newest keys, inside somebody's operation; those noted before stay unless told."""
    noted = {} if forget_older else _noted(session) or {}
    setting_rows.put(session, KEY_CANARY, json.dumps(noted | _needed()))


def _needed() -> dict[str, str]:
    """Fingerprints of what new things go under, and of all that digests were made with."""
    ring = runtime().keys.ring.keys()
    older = {fingerprint_name("seal", name) for name in list(ring.seal)[1:]}
    return {name: value for name, value in ring.fingerprints().items() if name not in older}


def _trouble(session: Session) -> str | None:
    noted, found = _noted(session), runtime().keys.ring.keys().fingerprints()
    if noted is None:
        return None if _apps_open(session) else _sentence("does not open what this database holds")
    missing = [name for name in noted if name not in found]
    if missing:
        return _sentence(f"lacks the key “{missing[0]}”, with which this database was used")
    if any(noted[name] != found[name] for name in noted):
        return _sentence("is not the one that this database was used with")
    return None


def _sentence(what: str) -> str:
    return f"MFAPORTAL_KEYRING: {runtime().keys.ring.path} {what}; put the right one back, from a backup if need be."


def _noted(session: Session) -> dict[str, str] | None:
    value = setting_rows.value_of(session, KEY_CANARY)
    return None if value is None else json.loads(value)


def _apps_open(session: Session) -> bool:
    """Of a database that was used before fingerprints were kept: whether any of its newest apps opens."""
    newest = select(Authenticator.account_id, Authenticator.sealed_secret).order_by(Authenticator.id.desc())
    rows = session.execute(newest.limit(_TRIED)).all()
    return not rows or any(_opens(*row) for row in rows)


def _opens(account_id: int, sealed: bytes) -> bool:
    try:
        runtime().keys.sealer.open(owner_of(account_id), sealed)
    except SealBroken:
        return False
    return True
