"""A portal to look at: people in every state, with random passwords and set-up keys that are told once."""

import secrets
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Account, Authenticator, EventKind, Membership, Portal, Setting
from ..models.account import new_account
from ..models.authenticator import owner_of
from ..models.setting import WELCOMED
from ..plumbing.db import transaction
from ..plumbing.passwords import hash_password
from ..plumbing.runtime import runtime
from ..rules.mfa_rule import MfaRule, changed
from ..rules.names import slug_from
from ..rules.roles import MemberRole
from ..rules.totp import new_secret
from . import audit, demo_datasets, demo_requests, recovery_rows
from .account_rows import no_account
from .caller import Caller
from .stored_files import settled

PORTAL = "Harbour data"
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
"""32 characters that nobody takes for another: 5 bits each."""


class Meets(Enum):
    """What somebody meets once their password is right."""

    NOTHING = "nothing"
    CODE = "code"
    SET_UP = "set-up"
    SUSPENDED = "suspended"
    NO_PORTAL = "no portal"
    WAITING = "waiting"
    DECLINED = "declined"

    @property
    def has_account(self) -> bool:
        """Those who asked for access and are not accepted have none."""
        return self not in (Meets.WAITING, Meets.DECLINED)


@dataclass(frozen=True, slots=True)
class _Part:
    """Somebody to be made. `role` None and no operator: an account that may enter nothing."""

    email: str
    name: str
    meets: Meets
    role: MemberRole | None = None
    operator: bool = False
    apps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DemoApp:
    name: str
    secret: str


@dataclass(frozen=True, slots=True)
class DemoPerson:
    email: str
    name: str
    password: str
    apps: tuple[DemoApp, ...]
    meets: Meets


@dataclass(frozen=True, slots=True)
class Demo:
    """The portal that was filled, and how to log in as each of its people."""

    portal: str
    rule: MfaRule
    people: tuple[DemoPerson, ...]


class DemoRefusal(Enum):
    NOT_EMPTY = "not empty"


_PHONE, _TABLET = "My phone", "My tablet"
_READER, _EDITOR, _ADMIN = MemberRole.READER, MemberRole.EDITOR, MemberRole.ADMIN
_CAST = (
    _Part("reader@example.org", "Demo reader", Meets.NOTHING, _READER),
    _Part("reader-with-app@example.org", "Demo reader with an app", Meets.CODE, _READER, apps=(_PHONE,)),
    _Part(
        "reader-with-two-apps@example.org", "Demo reader with two apps", Meets.CODE, _READER, apps=(_PHONE, _TABLET)
    ),
    _Part("editor@example.org", "Demo editor", Meets.SET_UP, _EDITOR),
    _Part("editor-with-app@example.org", "Demo editor with an app", Meets.CODE, _EDITOR, apps=(_PHONE,)),
    _Part("admin@example.org", "Demo admin", Meets.SET_UP, _ADMIN),
    _Part("admin-with-app@example.org", "Demo admin with an app", Meets.CODE, _ADMIN, apps=(_PHONE,)),
    _Part("operator@example.org", "Demo operator", Meets.SET_UP, operator=True),
    _Part("operator-with-app@example.org", "Demo operator with an app", Meets.CODE, operator=True, apps=(_PHONE,)),
    _Part("suspended@example.org", "Demo suspended editor", Meets.SUSPENDED, _EDITOR, apps=(_PHONE,)),
    _Part("no-portal@example.org", "Demo person in no portal", Meets.NO_PORTAL),
    _Part("waiting@example.org", "Demo person who waits for access", Meets.WAITING),
    _Part("declined@example.org", "Demo person who was declined", Meets.DECLINED),
)


def fill(caller: Caller) -> Demo | DemoRefusal:
    """Fill the first portal of an installation without accounts; all of it or nothing (command line)."""
    passwords = {part.email: _new_password() for part in _CAST}
    digests = {email: hash_password(password) for email, password in passwords.items()}
    with settled() as noted, transaction() as session:
        if not no_account(session):
            return DemoRefusal.NOT_EMPTY
        session.add(Setting(name=WELCOMED, value="yes"))
        portal = _open_portal(session, caller)
        demo_datasets.fill(session, caller, portal.id, noted)
        demo_requests.open_to_requests(session, caller, portal)
        people = tuple(
            DemoPerson(part.email, part.name, passwords[part.email], apps, part.meets)
            for part in _CAST
            for apps in [_put_in(session, caller, part, digests[part.email], portal.id)]
        )
        return Demo(portal.name, MfaRule(portal.mfa_rule), people)


def _put_in(
    session: Session, caller: Caller, part: _Part, password_digest: str, portal_id: int
) -> tuple[DemoApp, ...]:
    """Somebody with an account, or who asks for one; their apps."""
    if not part.meets.has_account:
        declined = part.meets is Meets.DECLINED
        asking = demo_requests.Asking(part.email, part.name, password_digest, declined)
        demo_requests.add(session, caller, portal_id, asking)
        return ()
    account = _add(session, caller, part, password_digest, portal_id)
    return tuple(_give_app(session, caller, account.id, name) for name in part.apps)


def _open_portal(session: Session, caller: Caller) -> Portal:
    """The first portal under a name of its own, with a rule that covers some of its people and not others."""
    portal = session.scalars(select(Portal).order_by(Portal.id).limit(1)).one()
    slug = slug_from(PORTAL)
    if session.scalar(select(Portal.id).where(Portal.slug == slug)) is None:
        portal.slug = slug
    rule = changed(portal.rule, MfaRule.BACK_OFFICE, caller.now, apply_now=False)
    audit.record(
        session,
        caller,
        EventKind.PORTAL_ACCESS_CHANGED,
        portal_id=portal.id,
        rule=[portal.mfa_rule, rule.rule],
        visibility=[portal.visibility, portal.visibility],
        apply_now=False,
    )
    portal.name, portal.rule = PORTAL, rule
    return portal


def _add(session: Session, caller: Caller, part: _Part, password_digest: str, portal_id: int) -> Account:
    account = new_account(
        email=part.email, name=part.name, password_digest=password_digest, operator=part.operator, now=caller.now
    )
    session.add(account)
    session.flush()
    audit.record(session, caller, EventKind.ACCOUNT_CREATED, account_id=account.id, operator=part.operator)
    if part.role is not None:
        session.add(Membership(account_id=account.id, portal_id=portal_id, role=part.role, since=caller.now))
        audit.record(
            session, caller, EventKind.MEMBER_ADDED, account_id=account.id, portal_id=portal_id, role=part.role
        )
    if part.meets is Meets.SUSPENDED:
        account.suspended_at = caller.now
        audit.record(session, caller, EventKind.ACCOUNT_SUSPENDED, account_id=account.id, reason="demo")
    return account


def _give_app(session: Session, caller: Caller, account_id: int, name: str) -> DemoApp:
    """An app whose key is known: the person who looks at the demo types it into a real one."""
    secret = new_secret()
    app = Authenticator(
        account_id=account_id,
        sealed_secret=runtime().keys.sealer.seal(owner_of(account_id), secret),
        added_at=caller.now,
    )
    app.rename(name)
    session.add(app)
    session.flush()
    audit.record(session, caller, EventKind.AUTHENTICATOR_ADDED, account_id=account_id, app=app.id)
    if not recovery_rows.count_left(session, account_id):
        recovery_rows.keep(session, account_id, recovery_rows.draw_set(), caller.now)
        audit.record(session, caller, EventKind.RECOVERY_CODES_MADE, account_id=account_id)
    return DemoApp(name, secret)


def _new_password() -> str:
    """80 random bits in four groups, which a person can type."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))
