"""Accounts: made, named, suspended, unlocked. Passwords are chosen by their owner only (see `links`)."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..models import Account, EventKind, LinkKind, MailKind, Membership, Portal, Setting
from ..models.account import new_account
from ..models.setting import WELCOMED
from ..plumbing.addresses import normalise
from ..plumbing.db import reading, transaction
from ..plumbing.passwords import hash_password
from ..plumbing.runtime import runtime
from ..rules.access import Audience
from ..rules.lifetimes import STEP_UP, STEP_UP_GRACE
from ..rules.names import PERSON_MAX, PORTAL_MAX, clean_name, slug_from
from ..rules.roles import MemberRole
from ..rules.stages import Stage
from ..rules.throttling import Kind
from . import account_rows, audit, devices, invitation_rows, link_rows, login_rows, notices, request_rows, throttles
from .authority import require
from .caller import Caller
from .outcomes import AccountRefusal, Created, Done, LoggedIn, PortalRefusal, WelcomeRefusal
from .throttles import Subject

_WITHIN = STEP_UP + STEP_UP_GRACE


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What is known of an account to be made. A membership goes with a portal's slug and a role."""

    email: str
    name: str
    password: str | None = None
    operator: bool = False
    portal: str | None = None
    role: MemberRole = MemberRole.READER


def none_yet() -> bool:
    """Whether the installation still waits for its first account."""
    here = runtime()
    if not here.in_use:
        with reading() as session:
            here.in_use = not account_rows.no_account(session)
    return not here.in_use


def welcome(
    caller: Caller, newcomer: Newcomer, portal_name: str
) -> LoggedIn | WelcomeRefusal | AccountRefusal | PortalRefusal:
    """Make the first operator, name the first portal, and log the operator in. Works once, ever."""
    checked = _checked(newcomer)
    title = clean_name(portal_name, PORTAL_MAX)
    if isinstance(checked, AccountRefusal):
        return checked
    if title is None:
        return PortalRefusal.BAD_NAME
    if newcomer.password is None:
        raise TypeError("the first operator comes with a password")
    password_digest = hash_password(newcomer.password)
    try:
        with transaction() as session:
            if not account_rows.no_account(session):
                return WelcomeRefusal.TOO_LATE
            session.add(Setting(name=WELCOMED, value="yes"))
            session.flush()
            account = _add(session, caller, checked, password_digest, operator=True)
            portal = session.scalars(select(Portal).order_by(Portal.id).limit(1)).one()
            portal.name, portal.slug = title, slug_from(title)
            login, token = login_rows.begin(session, caller, account.id)
            login.confirmed_at = account.last_login_at = caller.now
            audit.record(session, caller, EventKind.LOGIN_COMPLETED, account_id=account.id, factors=["password"])
            return LoggedIn(token, Stage.COMPLETE, account.id, account.email, devices.mark_of(password_digest))
    except IntegrityError:
        return WelcomeRefusal.TOO_LATE


def create(caller: Caller, newcomer: Newcomer) -> Created | AccountRefusal:
    """Make an account (command line); without a password the answer carries an invitation's token."""
    checked = _checked(newcomer)
    if isinstance(checked, AccountRefusal):
        return checked
    password_digest = hash_password(newcomer.password) if newcomer.password is not None else None
    with transaction() as session:
        require(session, caller, Audience.OPERATORS, confirmed_within=_WITHIN)
        portal_id = None
        if newcomer.portal is not None:
            portal_id = session.scalar(select(Portal.id).where(Portal.slug == newcomer.portal))
            if portal_id is None:
                return AccountRefusal.UNKNOWN_PORTAL
        if session.scalar(select(Account.id).where(Account.email == checked.email)) is not None:
            return AccountRefusal.EXISTS
        account = _add(session, caller, checked, password_digest, operator=newcomer.operator)
        request_rows.close_for_email(session, caller, account.email)
        if portal_id is not None:
            session.add(Membership(account_id=account.id, portal_id=portal_id, role=newcomer.role, since=caller.now))
            invitation_rows.close(session, portal_id, account.id)
            audit.record(
                session,
                caller,
                EventKind.MEMBER_ADDED,
                account_id=account.id,
                portal_id=portal_id,
                role=newcomer.role,
            )
        if password_digest is not None:
            return Created(account.id)
        return Created(account.id, link_rows.make(session, caller, LinkKind.INVITATION, account.id))


def rename(caller: Caller, name: str) -> Done | AccountRefusal:
    """Change one's own name."""
    cleaned = clean_name(name, PERSON_MAX)
    if cleaned is None:
        return AccountRefusal.BAD_NAME
    with transaction() as session:
        require(session, caller, Audience.ACCOUNT)
        account = session.get_one(Account, caller.account_id)
        if account.name == cleaned:
            return AccountRefusal.NO_CHANGE
        account.rename(cleaned)
        audit.record(session, caller, EventKind.ACCOUNT_RENAMED, account_id=account.id)
    return Done()


def suspend(caller: Caller, account_id: int, reason: str = "") -> Done | AccountRefusal:
    """Stop an account from logging in and end all its logins; the last operator stays."""
    with transaction() as session:
        account = _of_others(session, caller, account_id)
        if isinstance(account, AccountRefusal):
            return account
        if account.suspended_at is not None:
            return AccountRefusal.NO_CHANGE
        if account.is_operator and not account_rows.another_operator(session, account_id):
            return AccountRefusal.LAST_OPERATOR
        account.suspended_at = caller.now
        login_rows.end_of_account(session, caller, account_id)
        link_rows.void(session, account_id, caller.now, LinkKind.EMAIL)
        audit.record(session, caller, EventKind.ACCOUNT_SUSPENDED, account_id=account_id, reason=reason)
    return Done()


def restore(caller: Caller, account_id: int) -> Done | AccountRefusal:
    """Let a suspended account log in again."""
    with transaction() as session:
        account = _of_others(session, caller, account_id)
        if isinstance(account, AccountRefusal):
            return account
        if account.suspended_at is None:
            return AccountRefusal.NO_CHANGE
        account.suspended_at = None
        audit.record(session, caller, EventKind.ACCOUNT_RESTORED, account_id=account_id)
    return Done()


def end_logins(caller: Caller, account_id: int) -> int | AccountRefusal:
    """End all live logins of an account; how many there were. One's own present login stays."""
    with transaction() as session:
        account = _of_others(session, caller, account_id, even_oneself=True)
        if isinstance(account, AccountRefusal):
            return account
        but = caller.login_id if account_id == caller.account_id else None
        ended = login_rows.end_of_account(session, caller, account_id, but=but)
        link_rows.void(session, account_id, caller.now, LinkKind.EMAIL)  # a thief may have asked for it
        audit.record(session, caller, EventKind.LOGINS_ENDED, account_id=account_id, logins=ended)
        return ended


def change_operator(caller: Caller, account_id: int, *, operator: bool) -> Done | AccountRefusal:
    """Make somebody an operator, or no longer; the last one who is not suspended stays. Ends their other logins."""
    with transaction() as session:
        account = _of_others(session, caller, account_id, even_oneself=True)
        if isinstance(account, AccountRefusal):
            return account
        if account.is_operator == operator:
            return AccountRefusal.NO_CHANGE
        if not operator and not account_rows.another_operator(session, account_id):
            return AccountRefusal.LAST_OPERATOR
        account.is_operator = operator
        but = caller.login_id if account_id == caller.account_id else None
        login_rows.end_of_account(session, caller, account_id, but=but)
        audit.record(session, caller, EventKind.OPERATOR_CHANGED, account_id=account_id, operator=operator)
        notices.tell(session, caller, MailKind.ROLE_CHANGED, account_id, operator=operator)
    return Done()


def unlock(caller: Caller, account_id: int) -> Done | AccountRefusal:
    """Lift the stop on codes, also the one after a hundred wrong ones in a row."""
    with transaction() as session:
        account = _of_others(session, caller, account_id, even_oneself=True)
        if isinstance(account, AccountRefusal):
            return account
        throttles.clear(
            session,
            [
                Subject(Kind.CODE_OF_ACCOUNT, str(account_id)),
                throttles.of_email(Kind.PASSWORD_TO_ACCOUNT, account.email),
            ],
        )
        audit.record(session, caller, EventKind.ACCOUNT_UNLOCKED, account_id=account_id)
    return Done()


def id_of(email: str) -> int | None:
    """The number of the account with this e-mail."""
    with reading() as session:
        return session.scalar(select(Account.id).where(Account.email == (normalise(email) or "")))


def _of_others(
    session: Session, caller: Caller, account_id: int, *, even_oneself: bool = False
) -> Account | AccountRefusal:
    """The account that an operator wants to act on; oneself only where that is harmless."""
    require(session, caller, Audience.OPERATORS, confirmed_within=_WITHIN)
    account = session.get(Account, account_id)
    if account is None:
        return AccountRefusal.UNKNOWN
    if account_id == caller.account_id and not even_oneself:
        return AccountRefusal.ONESELF
    return account


def _checked(newcomer: Newcomer) -> Newcomer | AccountRefusal:
    email, name = normalise(newcomer.email), clean_name(newcomer.name, PERSON_MAX)
    if email is None:
        return AccountRefusal.BAD_EMAIL
    if name is None:
        return AccountRefusal.BAD_NAME
    return Newcomer(email, name)


def _add(
    session: Session, caller: Caller, newcomer: Newcomer, password_digest: str | None, *, operator: bool
) -> Account:
    account = new_account(
        email=newcomer.email,
        name=newcomer.name,
        password_digest=password_digest,
        operator=operator,
        now=caller.now,
    )
    session.add(account)
    session.flush()
    audit.record(session, caller, EventKind.ACCOUNT_CREATED, account_id=account.id, operator=operator)
    return account
