"""Apps once they are set up: listed, renamed, deleted, reset. How they come to be is `set_up`."""

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..models import Account, Authenticator, EventKind, LinkKind, MailKind
from ..models.identity import Identity
from ..plumbing.db import change, reading, transaction
from ..rules.access import Audience
from ..rules.lifetimes import STEP_UP, STEP_UP_GRACE
from ..rules.names import APP_MAX, clean_name
from ..rules.throttling import Kind
from . import audit, link_rows, login_rows, notices, recovery_rows, throttles
from .authority import require
from .caller import Caller, Source
from .outcomes import AccountRefusal, AppsReset, DeleteRefusal, Done, NameRefusal
from .throttles import Subject

_WITHIN = STEP_UP + STEP_UP_GRACE


def apps_of(account_id: int) -> list[Authenticator]:
    """The account's apps, oldest first."""
    with reading() as session:
        return list(
            session.scalars(
                select(Authenticator).where(Authenticator.account_id == account_id).order_by(Authenticator.id)
            )
        )


def rename(caller: Caller, app_id: int, name: str) -> Done | NameRefusal | DeleteRefusal:
    """Give one of one's own apps another name."""
    cleaned = clean_name(name, APP_MAX)
    if cleaned is None:
        return NameRefusal.BAD
    try:
        with transaction() as session:
            require(session, caller, Audience.ACCOUNT)
            app = _own(session, caller, app_id)
            if app is None:
                return DeleteRefusal.GONE
            before = app.name
            app.rename(cleaned)
            session.flush()
            audit.record(session, caller, EventKind.AUTHENTICATOR_RENAMED, account_id=app.account_id, app=app.id)
            notices.tell(session, caller, MailKind.APP_RENAMED, app.account_id, app=cleaned, before=before)
    except IntegrityError:
        return NameRefusal.TAKEN
    return Done()


def delete_app(caller: Caller, app_id: int, *, end_others: bool) -> Done | DeleteRefusal:
    """Delete one of one's own apps; its codes fail at once. The last one of somebody whom a rule covers stays.

    Without any app there are no recovery codes either.
    """
    with transaction() as session:
        session.scalars(select(Account.id).where(Account.id == caller.account_id).with_for_update()).one()
        identity = require(session, caller, Audience.ACCOUNT, confirmed_within=_WITHIN)
        app = _own(session, caller, app_id)
        if app is None:
            return DeleteRefusal.GONE
        if last_of_covered(session, identity):
            return DeleteRefusal.LAST_OF_COVERED
        account_id = app.account_id
        session.delete(app)
        session.flush()
        if end_others:
            login_rows.end_of_account(session, caller, account_id, but=caller.login_id)
        audit.record(session, caller, EventKind.AUTHENTICATOR_DELETED, account_id=account_id, app=app_id)
        notices.tell(session, caller, MailKind.APP_DELETED, account_id, app=app.name)
        if not _count(session, account_id):
            recovery_rows.void_all(session, account_id)
    return Done()


def last_of_covered(session: Session, identity: Identity | None) -> bool:
    """Whether the account has one app only and a rule covers it."""
    if identity is None or identity.account is None or not identity.account.covered:
        return False
    return _count(session, identity.account.id) <= 1


def _count(session: Session, account_id: int) -> int:
    return session.scalar(select(func.count()).where(Authenticator.account_id == account_id)) or 0


def _own(session: Session, caller: Caller, app_id: int) -> Authenticator | None:
    return session.scalars(
        select(Authenticator).where(Authenticator.id == app_id, Authenticator.account_id == caller.account_id)
    ).one_or_none()


def reset(caller: Caller, account_id: int, reason: str, *, new_password_too: bool) -> AppsReset | AccountRefusal:
    """Take all apps from somebody who lost them, and end all their logins.

    With `new_password_too` the old password is void and the answer carries a link's token: otherwise whoever stole
    the password could set up first. Never oneself; another operator on the command line only.
    """
    with transaction() as session:
        require(session, caller, Audience.OPERATORS, confirmed_within=_WITHIN)
        account = session.get(Account, account_id)
        if account is None:
            return AccountRefusal.UNKNOWN
        if account_id == caller.account_id:
            return AccountRefusal.ONESELF
        if account.is_operator and caller.source is Source.WEB:
            return AccountRefusal.AN_OPERATOR
        gone = change(session, delete(Authenticator).where(Authenticator.account_id == account_id))
        recovery_rows.void_all(session, account_id)
        login_rows.end_of_account(session, caller, account_id)
        throttles.clear(session, [Subject(Kind.CODE_OF_ACCOUNT, str(account_id))])
        audit.record(session, caller, EventKind.MFA_RESET, account_id=account_id, reason=reason, apps=gone)
        notices.tell(session, caller, MailKind.MFA_RESET, account_id, new_password=new_password_too)
        token = None
        link_rows.void(session, account_id, caller.now, *(() if new_password_too else (LinkKind.EMAIL,)))
        if new_password_too:
            account.password_digest = None
            link, token = link_rows.add(session, caller, LinkKind.RESET, account_id)
            if notices.mail_works():
                link_rows.mail_reset(session, caller, link, token, by_operator=True)
        return AppsReset(gone, token)
