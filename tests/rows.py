"""What the database holds, beside what a page says; and facts put there that no form makes."""

from typing import TypeVar

from flask import Flask
from sqlalchemy import Select, insert, select
from sqlalchemy.sql.dml import UpdateBase

from mfaportal.models import Account, Authenticator, Event, EventKind, Login, Membership, Portal
from mfaportal.plumbing.db import reading, transaction
from mfaportal.rules.names import key_of
from tests.clock import MovableClock
from tests.people import PORTAL, Person
from tests.tracing import traced

Row = TypeVar("Row")
counted_statements = traced
"""The statements that read or write, as the database's driver hears them."""


def rows(app: Flask, statement: Select[Row]) -> list[Row]:
    """What a SELECT finds."""
    with app.app_context(), reading() as session:
        return list(session.scalars(statement))


def put(app: Flask, statement: UpdateBase) -> None:
    """Change rows by hand."""
    with app.app_context(), transaction() as session:
        session.execute(statement)


def account(app: Flask, person: Person) -> Account:
    (found,) = rows(app, select(Account).where(Account.id == person.id))
    return found


def portal(app: Flask, slug: str = PORTAL) -> Portal:
    (found,) = rows(app, select(Portal).where(Portal.slug == slug))
    return found


def apps(app: Flask, person: Person) -> list[Authenticator]:
    return rows(app, select(Authenticator).where(Authenticator.account_id == person.id).order_by(Authenticator.id))


def role(app: Flask, person: Person, slug: str = PORTAL) -> str | None:
    """The membership's role in a portal, None without one."""
    statement = (
        select(Membership.role)
        .join(Portal, Portal.id == Membership.portal_id)
        .where(Membership.account_id == person.id, Portal.slug == slug)
    )
    return next(iter(rows(app, statement)), None)


def live_logins(app: Flask, person: Person) -> list[Login]:
    """The logins that nothing has ended, oldest first."""
    statement = select(Login).where(Login.account_id == person.id, Login.ended_at.is_(None))
    return rows(app, statement.order_by(Login.id))


def events(app: Flask, kind: EventKind) -> list[Event]:
    """The events of a kind, oldest first."""
    return rows(app, select(Event).where(Event.kind == kind).order_by(Event.id))


def add_crowd(app: Flask, clock: MovableClock, names: list[str], role: str = "reader") -> list[int]:
    """Members of the portal in numbers, put in at once; their numbers. Nobody of them can log in."""
    with app.app_context(), transaction() as session:
        portal_id = session.scalars(select(Portal.id).where(Portal.slug == PORTAL)).one()
        people = [
            {
                "email": f"crowd-{role}-{number:04}@example.org",
                "name": name,
                "name_key": key_of(name),
                "created_at": clock(),
            }
            for number, name in enumerate(names)
        ]
        ids = list(session.scalars(insert(Account).returning(Account.id, sort_by_parameter_order=True), people))
        memberships = [{"account_id": each, "portal_id": portal_id, "role": role, "since": clock()} for each in ids]
        session.execute(insert(Membership), memberships)
    return ids
