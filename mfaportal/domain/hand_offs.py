"""Hand-offs: how a login comes to a guarded host. Made on the portal's own host, taken once on the guarded one."""

from dataclasses import dataclass, replace

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from ..models import EventKind, Login, LoginPass
from ..models import identity as identities
from ..plumbing.db import change, reading, transaction
from ..plumbing.tokens import digest, new_token
from ..rules.access import Audience
from ..rules.lifetimes import HAND_OFF
from ..rules.stages import CLOCKS_APART, Stage
from ..rules.throttling import Kind
from . import audit, throttles
from .authority import require
from .caller import Caller
from .outcomes import PausedUntil
from .throttles import Subject


@dataclass(frozen=True, slots=True)
class HandOff:
    """The token that the browser takes along to the guarded host."""

    token: str


@dataclass(frozen=True, slots=True)
class PassGiven:
    """The token that the browser keeps for the guarded host."""

    token: str


class HandOffRefused:
    """Unknown, used, too old, of another host or another browser, or of a login that is over: one answer for all."""


def make(caller: Caller, host: str, browser_digest: bytes) -> HandOff | PausedUntil:
    """Begin to let the caller's login into a guarded host; the token, good for a minute, once, in that browser."""
    token = new_token()
    with transaction() as session:
        require(session, caller, Audience.ACCOUNT)
        # Any page may have it asked for, and each one that is taken leaves an event.
        paused = throttles.count(session, [Subject(Kind.HAND_OFF_OF_LOGIN, str(caller.login_id))], caller.now)
        if paused:
            return paused
        session.add(
            LoginPass(
                login_id=caller.login_id,
                host=host,
                hand_off_digest=digest(token),
                browser_digest=browser_digest,
                made_at=caller.now,
            )
        )
    return HandOff(token)


def take(
    caller: Caller, token: str, *, host: str, browser_digest: bytes, portal_id: int | None
) -> PassGiven | HandOffRefused:
    """Turn a hand-off into a pass, once, on the host and in the browser that it was made for.

    `portal_id`: whose page is wanted there, for the event.
    """
    if not _waits(token):
        return HandOffRefused()
    with transaction() as session:
        login = session.execute(
            select(Login.id, Login.account_id)
            .join(LoginPass, LoginPass.login_id == Login.id)
            .where(LoginPass.hand_off_digest == digest(token))
        ).first()
        if login is None or _stage(session, caller, login.id) is not Stage.COMPLETE:
            return HandOffRefused()
        given = new_token()
        if not _taken(session, caller, token, given, host=host, browser_digest=browser_digest):
            return HandOffRefused()
        _drop_older(session, caller, login.id, host)
        its = replace(caller, account_id=login.account_id, login_id=login.id)
        audit.record(
            session, its, EventKind.GUARDED_HOST_ENTERED, account_id=login.account_id, portal_id=portal_id, host=host
        )
    return PassGiven(given)


def _waits(token: str) -> bool:
    """Looked for without a lock: anybody may ask, and nobody who writes has to wait for that."""
    waits = select(LoginPass.id).where(LoginPass.hand_off_digest == digest(token), LoginPass.taken_at.is_(None))
    with reading() as session:
        return session.execute(waits).first() is not None


def _taken(session: Session, caller: Caller, token: str, given: str, *, host: str, browser_digest: bytes) -> bool:
    """Make the hand-off a pass: once, whoever else tries at the same time."""
    became = change(
        session,
        update(LoginPass)
        .where(
            LoginPass.hand_off_digest == digest(token),
            LoginPass.taken_at.is_(None),
            LoginPass.host == host,
            LoginPass.browser_digest == browser_digest,
            LoginPass.made_at > caller.now - HAND_OFF,
            LoginPass.made_at <= caller.now + CLOCKS_APART,
        )
        .values(taken_at=caller.now, token_digest=digest(given)),
    )
    return became == 1


def _stage(session: Session, caller: Caller, login_id: int) -> Stage:
    return identities.of_login(session, login_id, slug=None, now=caller.now, limits=caller.limits).stage


def _drop_older(session: Session, caller: Caller, login_id: int, host: str) -> None:
    """One pass a browser and host is enough; those of a moment ago are still on their way with other requests."""
    older = LoginPass.made_at < caller.now - HAND_OFF
    change(session, delete(LoginPass).where(LoginPass.login_id == login_id, LoginPass.host == host, older))
