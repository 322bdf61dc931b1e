"""Two portals with different admins: whoever is reader, editor or admin of the first reaches nothing of the second.

Every address is asked for and every form is sent, with the second portal's slug, numbers and fields, alone and mixed
with the first one's. The list is the URL map itself, so what is added later is walked, too.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import Client, TestResponse

from mfaportal.models import AccessRequest, Dataset, Invitation, Login, Mail, Portal
from mfaportal.plumbing.db import db, transaction
from tests import thief
from tests.browser_client import ORIGIN, Browser
from tests.clock import MovableClock
from tests.contents import Contents, contents
from tests.cookies import SESSION, cookie_of
from tests.people import PORTAL, Cast, Person, add_person, apps_of, give_app

SECOND = "harbour"
SECRETS = ("quay", "tide")
"""In every name, title and message of the second portal, and nowhere else."""
COUNTERS = {"events", "throttles"}
LEADS_BACK = {
    ("GET", "access_invitations.again"),  # to one's own list, whatever the number
    ("GET", "access_invitations.revoke"),
    ("POST", "front_office.withdraw_request"),  # of one's own request, and there is none
}
"""Answered with a redirect: also where the path names something that is none of one's business."""


@dataclass
class Harbour:
    """The second portal: its admin, who is in it, and the values and fields that name what is in it."""

    admin: Person
    portal_id: int
    people: set[int]
    values: dict[str, list[Any]]
    fields: dict[str, str]


@pytest.fixture
def harbour(app: Flask, people: Cast, clock: MovableClock) -> Harbour:
    with app.app_context():
        with transaction() as session:
            portal = Portal(slug=SECOND, name="Harbour", visibility="private", created_at=clock())
            session.add(portal)
        admin = add_person(clock, "admin@quay.example", "Quay Admin", "admin", portal=SECOND)
        member = add_person(clock, "member@harbour.example", "Tide Member", "reader", portal=SECOND)
        asker = add_person(clock, "asker@tide.example", "Tide Asker", None)
        give_app(admin, clock, "Quay phone")
        Browser(app, clock).log_in(member)
        filled = _fill(portal.id, asker, clock)
        with transaction() as session:
            login = session.scalar(select(func.max(Login.id)))
        values = {"account_id": [admin.id, member.id, asker.id], "app_id": [apps_of(admin)[0].id], **filled}
    fields = {
        **thief.FIELDS,
        "requests": str(filled["request_id"][0]),
        "decision": "accept",
        "login": str(login),
        "others": "1",
        "portal_id": str(portal.id),
        "portal": SECOND,
        "slug": SECOND,
        "account_id": str(member.id),
        "email": member.email,
        "emails": member.email,
        "dataset": "quays",
    }
    return Harbour(admin, portal.id, {admin.id, member.id, asker.id}, values, fields)


def _fill(portal_id: int, asker: Person, clock: MovableClock) -> dict[str, list[Any]]:
    """An open request, an invitation, a dataset, and a mail that waits."""
    with transaction() as session:
        request = AccessRequest(
            portal_id=portal_id, account_id=asker.id, message="Tide tables, please", made_at=clock()
        )
        invitation = Invitation(
            portal_id=portal_id,
            email="invited@quay.example",
            role="reader",
            token_digest=b"x" * 32,
            made_at=clock(),
            expires_at=clock().replace(year=2100),
        )
        dataset = Dataset(
            portal_id=portal_id,
            slug="quays",
            title="Depth at the quay",
            title_key="depth at the quay",
            visibility="public",
            added_at=clock(),
            changed_at=clock(),
        )
        mail = Mail(
            kind="app-added",
            recipient="asker@tide.example",
            account_id=asker.id,
            message_id="<1@tide.example>",
            made_at=clock(),
            dies_at=clock().replace(year=2100),
            next_try_at=clock().replace(year=2099),
            tries=1,
        )
        session.add_all([request, invitation, dataset, mail])
        session.flush()
        return {
            "request_id": [request.id],
            "invitation_id": [invitation.id],
            "dataset": [dataset.slug],
            "mail_id": [mail.id],
        }


@dataclass(frozen=True)
class Answer:
    """Whether it tells of the second portal, and whether anything there has changed."""

    status: int
    told: bool
    changed: bool


@dataclass(frozen=True)
class Address:
    endpoint: str
    path: str
    names_theirs: bool
    """Whether something of the second portal stands in the path."""


@dataclass
class Trespasser:
    """A browser that sends what it is told to; after each POST the database is put back as it was."""

    app: Flask
    harbour: Harbour
    cookie: str
    csrf: str
    database: Contents

    def __post_init__(self) -> None:
        self.client = Client(self.app, TestResponse, use_cookies=False)
        self.kept = self.database.keep()
        self.before = self.rows()

    def addresses(self, method: str) -> Iterator[Address]:
        """Every address, filled with what is in the second portal; below a portal also with the first's slug."""
        adapter = self.app.url_map.bind("127.0.0.1:8000")
        known = {**self.harbour.values, "token": ["x" * 43], "filename": ["portal.css"]}
        for rule in self.app.url_map.iter_rules():
            if method not in (rule.methods or ()):
                continue
            names = sorted(rule.arguments)
            slugs = [SECOND] if names == ["portal"] else [SECOND, PORTAL]
            assert set(names) <= {*known, "portal"}, f"{rule}: say here which {names} the second portal has"
            for values in product(*(slugs if name == "portal" else known[name] for name in names)):
                filled = dict(zip(names, values, strict=True))
                path = adapter.build(rule.endpoint, filled, method=method)
                names_theirs = filled.get("portal") == SECOND or not self.harbour.values.keys().isdisjoint(names)
                yield Address(rule.endpoint, path, names_theirs)

    def send(self, method: str, path: str) -> Answer:
        data = {**self.harbour.fields, "csrf_token": self.csrf} if method == "POST" else None
        headers = {"Cookie": f"{SESSION}={self.cookie}"}
        with self.client.open(path, method=method, base_url=ORIGIN, headers=headers, data=data) as answer:
            text = answer.get_data().decode().lower()
        told = any(secret in text for secret in SECRETS)
        changed = method == "POST" and self.rows() != self.before
        if method == "POST":
            self.database.put_back(self.kept)
        return Answer(answer.status_code, told, changed)

    def rows(self) -> list[tuple[str, Any]]:
        """Everything that belongs to the second portal or to its people."""
        found: list[tuple[str, Any]] = []
        portals, people = f"= {self.harbour.portal_id}", f"IN ({', '.join(map(str, sorted(self.harbour.people)))})"
        for name, table in db.metadata.tables.items():
            theirs = {"portal_id": portals, "account_id": people}
            theirs |= {"portals": {"id": portals}, "accounts": {"id": people}}.get(name, {})
            known = {column: which for column, which in theirs.items() if column in table.columns}
            where = " OR ".join(f"{column} {which}" for column, which in known.items())
            if where and name not in COUNTERS:
                order = ", ".join(column.name for column in table.primary_key)
                statement = f"SELECT * FROM {name} WHERE {where} ORDER BY {order}"  # noqa: S608  # numbers only
                found += [(name, row) for row in self.database.execute(statement)]
        return found


Come = Callable[[Person], Trespasser]


@pytest.fixture
def come(app: Flask, people: Cast, harbour: Harbour, clock: MovableClock, database_url: str) -> Come:
    def come(person: Person) -> Trespasser:
        browser = Browser(app, clock)
        browser.log_in(person)
        csrf = browser.csrf("/account")
        return Trespasser(app, harbour, cookie_of(browser), csrf, contents(database_url))

    return come


def test_the_second_portals_own_admin_sees_and_changes_what_the_others_must_not(come: Come, harbour: Harbour) -> None:
    """Else the walks below would prove nothing."""
    admin = come(harbour.admin)
    telling = {each.endpoint for each in admin.addresses("GET") if admin.send("GET", each.path).told}
    changing = {each.endpoint for each in admin.addresses("POST") if admin.send("POST", each.path).changed}
    assert {"access_users.index", "access_users.one", "access_users.role", "people_csv.users"} <= telling
    assert {"access_activity.index", "access_activity.as_csv"} <= telling
    assert {"access_users.role", "access_users.remove", "access_security.edit"} <= changing


@pytest.mark.parametrize("who", ["reader", "editor", "admin"])
def test_nobody_of_the_first_portal_sees_or_changes_anything_of_the_second(
    come: Come, people: Cast, who: str
) -> None:
    trespasser = come(getattr(people, who))
    faults = []
    for method in ("GET", "POST"):
        for address in trespasser.addresses(method):
            answer = trespasser.send(method, address.path)
            what = f"{address.endpoint}: {method} {address.path} ({answer.status})"
            closed = {403, 404} | ({303} if (method, address.endpoint) in LEADS_BACK else set())
            if address.names_theirs and answer.status not in closed:
                faults.append(f"{what} is neither forbidden nor unknown")
            if answer.status == 400 or answer.status >= 500:
                faults.append(f"{what}: nothing was tried")
            if answer.told:
                faults.append(f"{what} tells of the second portal")
            if answer.changed:
                faults.append(f"{what} changes something of the second portal")
    assert faults == []
