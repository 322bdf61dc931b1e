"""The cast: people with stated rights in one portal, made by the same operations that the command line calls."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import select, update

from mfaportal.domain import access_security, accounts, recovery_rows
from mfaportal.domain.accounts import Newcomer
from mfaportal.domain.caller import Caller, Source
from mfaportal.domain.outcomes import Created
from mfaportal.models import Account, Authenticator, Portal
from mfaportal.models.authenticator import owner_of
from mfaportal.plumbing import passwords
from mfaportal.plumbing.db import db, reading, transaction
from mfaportal.plumbing.runtime import runtime
from mfaportal.plumbing.tokens import new_token
from mfaportal.rules.lifetimes import LoginLimits
from mfaportal.rules.mfa_rule import MfaRule
from mfaportal.rules.roles import MemberRole
from mfaportal.rules.totp import new_secret
from tests.clock import MovableClock
from tests.contents import contents
from tests.phone import Phone

PASSWORD = "correct horse battery staple"
PORTAL = "city-data"
DIGEST = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash(PASSWORD)
LIGHT = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
_LIGHT_DIGEST = LIGHT.hash(PASSWORD)
LIGHT_NOBODYS = LIGHT.hash(new_token())


@dataclass
class Person:
    """Somebody of the cast. `phone` is the app that they set up, if any; `codes` are their recovery codes."""

    id: int
    email: str
    name: str
    phone: Phone | None = None
    password: str = PASSWORD
    codes: tuple[str, ...] = ()


@dataclass
class Cast:
    reader: Person
    editor: Person
    admin: Person
    operator: Person

    @property
    def everybody(self) -> list[Person]:
        return [self.reader, self.editor, self.admin, self.operator]


_SEEDED: dict[object, tuple[Any, Cast]] = {}


def digest_now() -> str:
    """The cast's password as the portal would hash it in this test (see `light_hashes`)."""
    return _LIGHT_DIGEST if passwords._hasher is LIGHT else DIGEST


def on_the_command_line(clock: MovableClock) -> Caller:
    settings = runtime().settings
    return Caller(clock(), Source.COMMAND_LINE, LoginLimits(settings.login_idle, settings.login_max_age))


def seed(clock: MovableClock) -> Cast:
    """Name the first portal "City data" and make one person of each kind. Inside an app context.

    Where nothing has happened yet, the database that this gave before at the same time is put in place.
    """
    db.session.rollback()
    live = contents(runtime().settings.database_url)
    ((keys, happened),) = live.execute(_BEFORE)
    made = (clock(), digest_now(), keys, type(live))
    if happened or made not in _SEEDED:
        cast = _seed(clock)
        if not happened:
            _SEEDED[made] = (live.keep(), deepcopy(cast))
        return cast
    kept, cast = _SEEDED[made]
    live.put_back(kept)
    return deepcopy(cast)


_BEFORE = """SELECT (SELECT value FROM settings WHERE name = 'key-canary'),
    (SELECT count(*) FROM accounts) + (SELECT count(*) FROM events) + (SELECT count(*) FROM throttles)
    + (SELECT count(*) FROM settings WHERE name <> 'key-canary') + abs((SELECT count(*) FROM portals) - 1)
    + (SELECT count(*) FROM portals WHERE (slug, mfa_rule, sign_up, contact) <> ('portal', 'off', 'closed', ''))"""
"""With which keys the database is used, for one that was made with others does not do in its place; and whether
anything has happened in it."""


def _seed(clock: MovableClock) -> Cast:
    with transaction() as session:
        session.execute(update(Portal).values(name="City data", slug=PORTAL, visibility="private"))
    cast = {
        role: add_person(clock, f"{role}@example.org", role.capitalize(), role)
        for role in ("reader", "editor", "admin")
    }
    operator = add_person(clock, "operator@example.org", "Operator", None, operator=True)
    return Cast(cast["reader"], cast["editor"], cast["admin"], operator)


def add_person(
    clock: MovableClock,
    email: str,
    name: str,
    role: str | None,
    *,
    operator: bool = False,
    portal: str = PORTAL,
) -> Person:
    """An account with the cast's password, and a membership if there is a role."""
    newcomer = Newcomer(
        email, name, None, operator, portal if role else None, MemberRole(role) if role else MemberRole.READER
    )
    made = accounts.create(on_the_command_line(clock), newcomer)
    assert isinstance(made, Created)
    with transaction() as session:
        session.execute(update(Account).where(Account.id == made.account_id).values(password_digest=digest_now()))
    return Person(made.account_id, email, name)


def give_app(person: Person, clock: MovableClock, name: str = "My phone", *, codes: bool = False) -> Phone:
    """Put an app straight into the database, and recovery codes if asked: for tests not about setting up."""
    secret = new_secret()
    with transaction() as session:
        app = Authenticator(
            account_id=person.id,
            sealed_secret=runtime().keys.sealer.seal(owner_of(person.id), secret),
            added_at=clock(),
        )
        app.rename(name)
        session.add(app)
        if codes:
            person.codes = recovery_rows.draw_set()
            recovery_rows.keep(session, person.id, person.codes, clock())
    phone = Phone(secret)
    person.phone = person.phone or phone
    return phone


def set_rule(rule: MfaRule, clock: MovableClock, slug: str = PORTAL, *, apply_now: bool = False) -> None:
    """Raise or drop the portal's rule as an admin would, at the clock's time."""
    present = access_security.look(slug)
    assert present is not None
    access_security.change(
        on_the_command_line(clock), slug, visibility=present.visibility, rule=rule, apply_now=apply_now
    )


def apps_of(person: Person) -> list[Authenticator]:
    with reading() as session:
        return list(session.scalars(select(Authenticator).where(Authenticator.account_id == person.id)))
