"""No list scans a table, none sorts all of one, and five times as many rows cost no page more.

The statements are those that the pages send, each list with each filter, and those of upkeep, files and mail jobs.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, insert, select

from mfaportal.domain import access_security, event_people, event_places, mail_jobs, mail_list, people_search, upkeep
from mfaportal.models import AccessRequest, Account, Authenticator, Event, Login, Mail, MailJob, Membership, Portal
from mfaportal.plumbing import migrations
from mfaportal.plumbing.db import Base, db, reading, transaction
from mfaportal.rules.mfa_rule import MfaRule
from mfaportal.rules.names import key_of
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.people import PORTAL, Cast, give_app, on_the_command_line
from tests.stored import stored

GROWING = {
    "access_requests", "accounts", "authenticators", "events", "logins", "mails", "memberships", "portal_people",
    "recovery_codes", "throttles", "invitations", "one_time_links", "login_passes", "event_seals",
}  # fmt: skip
"""Tables that a scan of is too much; whatever else there is stays small."""
ONE_ROW = re.compile(
    r"rowid=\?|autoindex_(accounts|memberships|logins)_\d \((email|account_id|token_digest)=\?( AND portal_id=\?)?\)"
    r"|ix_portal_people_account_id \(account_id=\? AND portal_id=\?|autoindex_authenticators_1 \(account_id=\?\)"
    r"|ix_logins_account_id \(account_id=\?"
)
"""Accesses that find one row, or the few of one account."""
P = "/portals/city-data/backoffice/access"
TEXTS = ("q=kim", "q=person", "q=zzz", "q=a", "q=kim+1", "q=example.org", "q=%E6%9D%8E")
FILTERS = ("", "role=reader", "role=editor", "role=admin", "role=operator", "mfa=set_up", "mfa=not_set_up",
           "mfa=missing", "role=reader&mfa=set_up", "role=reader&mfa=missing")  # fmt: skip
DAYS = ("", "from=2026-01-01", "to=2026-01-01", "from=2020-01-01&to=2020-02-01", "from=2026-03-03&to=2026-03-04")
PEOPLE = ("", "person=kim", "person=zzz", "person=a", "person=350", "person=example.org", "person=admin@")
KINDS = ("", "kind=people", "kind=datasets", "kind=settings", "kind=logins")
FILES = (
    f"{P}/users.csv",
    f"{P}/users.csv?q=kim&mfa=missing",
    f"{P}/activity.csv?kind=people&person=kim&from=2025-01-01",
    "/installation/activity.csv",
    "/installation/activity.jsonl?person=zzz",
)


def lists() -> list[str]:
    """The address of every list, with every filter and some of them together; first and further pages."""
    users = [f"{P}/users?{filters}&{text}" for filters in FILTERS[::3] for text in TEXTS]
    users += [f"{P}/users?{filters}" for filters in FILTERS]
    users += [f"{P}/users?{filters}&after=60" for filters in FILTERS] + [f"{P}/users?q=person&after=60"]
    states = ("", "state=suspended", "state=operator", "state=no_portal")
    accounts = [f"/installation/accounts?{state}&{text}" for state in states for text in ("", "after=60", *TEXTS)]
    filters = [f"{days}&{kind}&{person}" for days in DAYS for kind in KINDS for person in PEOPLE]
    events = [f"{where}/activity?{each}" for where in (P, "/installation") for each in filters[::6]]
    events += [f"/installation/activity?portal=city-data&{each}" for each in filters[::20]]
    events += [f"{P}/activity?after=50", "/installation/activity?after=50", "/account/security/activity?after=50"]
    others = ("/", "/portals/city-data", "/account", "/account/security", "/account/security/logins",
              "/account/security/activity", "/portals/city-data/backoffice", f"{P}/requests",
              f"{P}/requests?after=50",
              f"{P}/requests?history", f"{P}/requests?history&after=50", f"{P}/security", f"{P}/users/40",
              f"{P}/users/invite", f"{P}/signup", "/installation/portals", "/installation/accounts/40",
              "/installation/mail", "/installation/mail?before=50")  # fmt: skip
    return [*users, *accounts, *events, *others]


def grow(app: Flask, clock: MovableClock, first: int, last: int, apart: timedelta) -> None:
    """People with these numbers, what they did, asked for, and were sent; the clock goes on as they do it."""
    now, numbers = clock(), range(first, last)
    clock.advance(seconds=apart.total_seconds() * len(numbers))
    old = {each: now - timedelta(days=each % 90) for each in numbers}
    with app.app_context(), transaction() as session:
        portal = session.scalars(select(Portal.id)).first()
        for table, rows in (
            (Account, (_person(each, now) for each in numbers)),
            (Membership, (_member(each, portal, now) for each in numbers if each % 30)),
            (Authenticator, (_app(each, now) for each in numbers if each % 2)),
            (Login, (_login(each, now, old[each]) for each in numbers)),
            (AccessRequest, (_request(each, portal, old[each]) for each in numbers)),
            (Mail, (_mail(each, now) for each in numbers)),
            (
                Event,
                (_event(each, step, portal, now + apart * (each - first)) for each in numbers for step in range(6)),
            ),
        ):
            session.execute(insert(table), list(rows))


Row = dict[str, Any]


def _person(number: int, now: datetime) -> Row:
    name = f"Kim {number}" if number % 9 else f"Lee {number}"
    suspended = now if number % 50 == 0 else None
    facts = {"email": f"person{number}@example.org", "name": name, "name_key": key_of(name), "password_digest": "x"}
    return {"id": number, "created_at": now, "suspended_at": suspended, **facts}


def _member(number: int, portal: int | None, now: datetime) -> Row:
    role = "editor" if number % 4 == 0 else "reader"
    return {"account_id": number, "portal_id": portal, "role": role, "since": now}


def _app(number: int, now: datetime) -> Row:
    return {"account_id": number, "name": "x", "name_key": "x", "sealed_secret": b"", "added_at": now}


def _login(number: int, now: datetime, began: datetime) -> Row:
    facts = {"token_digest": number.to_bytes(32), "last_seen_at": now, "ended_at": now if number % 3 else None}
    return {"account_id": number, "password_at": began, "browser": "", **facts}


def _request(number: int, portal: int | None, made: datetime) -> Row:
    state = ("open", "declined", "unconfirmed", "decoy")[number % 4]
    facts = {"email": f"s{number // 5}@example.org", "name": "S", "message": "", "reason": "", "made_at": made}
    return {"portal_id": portal, "state": state, "decided_at": made if state == "declined" else None, **facts}


def _mail(number: int, now: datetime) -> Row:
    sent, waits = (now, None) if number % 2 else (None, now)
    facts = {"kind": "rule-raised", "recipient": "a@example.org", "message_id": f"<{number}>", "made_at": now}
    return {"dies_at": now, "tries": int(number % 100 == 0), "sent_at": sent, "next_try_at": waits, **facts}


def _event(number: int, step: int, portal: int | None, at: datetime) -> Row:
    rare = number % 400 == 0
    kind = "dataset:added" if rare else ("login:completed", "membership:added", "login:ended")[step % 3]
    where: Row = {
        "portal_id": portal if rare or step % 3 == 1 else None,
        "source": "web",
        "browser": "",
        "details": {},
    }
    return {"kind": kind, "at": at, "actor_id": number, "account_id": number if step % 2 else 1, **where}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts as few is less here, so that some hundred people are very many."""
    for module, name, few in (
        (people_search, "FEW", 40),
        (event_people, "FEW", 20),
        (event_people, "_SOME", 200),
        (mail_list, "COUNTED", 50),
        (mail_jobs, "LOOKED_AT", 60),
        (event_places, "_LOOKED_FIRST", 60),
        (event_places, "_LOOKED_AT", 100),
    ):
        monkeypatch.setattr(module, name, few)


@pytest.fixture
def operator(app: Flask, people: Cast, clock: MovableClock, browser: Browser, small: None) -> Browser:
    with app.app_context():
        give_app(people.operator, clock)
    grow(app, clock, 10, 400, timedelta(hours=6))
    browser.log_in(people.operator)
    return browser


Statement = tuple[str, Any]


@contextmanager
def sent(app: Flask) -> Iterator[list[Statement]]:
    """What SQLAlchemy sends inside; identity, which goes past it, is asked for by itself."""
    with app.app_context():
        engine = db.engine
    statements: list[Statement] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        statements.append((statement, values))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def plan(app: Flask, statement: Statement) -> list[tuple[int, int, str]]:
    """Number, parent and words of each step."""
    with app.app_context():
        connection = db.engine.raw_connection()
        rows = connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement[0]}", statement[1]).fetchall()
        connection.close()
    return [(row[0], row[1], row[3]) for row in rows]


def faults(sql: str, steps: list[tuple[int, int, str]]) -> list[str]:
    """Scans of tables that grow, and sorts of more than a few rows. The first of an index may be taken as is."""
    wrong, first_ones = [], "WHERE" not in sql and "LIMIT" in sql
    for number, parent, words in steps:
        table = re.match(r"SCAN (\w+)(?!.* ix_event_seals_kept)", words)  # the first of those that are left
        if table and not first_ones and re.sub(r"_\d+$", "", table[1]) in GROWING:
            wrong.append(words)
        if words.startswith("USE TEMP B-TREE"):
            beside = [step for step in steps if step[1] == parent and step[0] < number]
            sorted_rows = [step[2] for step in beside if step[2].startswith("SEARCH") and not ONE_ROW.search(step[2])]
            wrong += [f"{words}: {each}" for each in sorted_rows if each.split()[1] in GROWING]
    return wrong


@pytest.mark.sqlite_only(reason="plans of PostgreSQL are read below")
def test_no_list_scans_a_table_or_sorts_all_of_it(app: Flask, operator: Browser, clock: MovableClock) -> None:
    with sent(app) as statements:
        for path in (*lists(), *FILES):
            assert operator.get(path, follow=True).status == 200, path
        _work(app, clock)
    read = {
        sql: (sql, values) for sql, values in statements if sql.startswith(("SELECT", "UPDATE", "DELETE", "WITH"))
    }
    assert stored(app, Mail) == [], "upkeep had something to do"
    assert len(read) > 150
    plans = {sql: plan(app, statement) for sql, statement in read.items()}
    wrong = {sql: found for sql, steps in plans.items() if (found := faults(sql, steps))}
    assert not wrong, "\n".join(f"{found}\n   {sql}" for sql, found in wrong.items())
    used = {index for steps in plans.values() for step in steps for index in re.findall(r"INDEX (ix_\w+)", step[2])}
    assert of_this_issue() - used == set(), "and each of them is good for something"


def of_this_issue() -> set[str]:
    """The indexes that migration 0005 makes."""
    tables = Base.metadata.tables.values()
    indexes = {str(index.name) for table in tables for index in table.indexes}
    with_lists = {str(index.name) for index in Base.metadata.tables["portal_people"].indexes}
    return with_lists | {
        name for name in indexes if name in (migrations.FOLDER / "versions" / "0005_scale.py").read_text()
    }


def _work(app: Flask, clock: MovableClock) -> None:
    """A raised rule, the mails about it, and upkeep: at once, and when most has had its time."""
    with app.app_context():
        caller = on_the_command_line(clock)
        access_security.change(caller, PORTAL, visibility=None, rule=MfaRule.EVERYONE, apply_now=False)
        job = stored(app, MailJob)[-1].id
        rounds = sum(iter(lambda: mail_jobs.work(on_the_command_line(clock), job), False))
        assert rounds > 2
        upkeep.run(on_the_command_line(clock))
        clock.advance(days=200)
        upkeep.run(on_the_command_line(clock))


def steps(app: Flask, browser: Browser, path: str) -> int:
    """Hundreds of steps of SQLite's machine that a page takes."""
    taken = 0

    def step() -> int:
        nonlocal taken
        taken += 1
        return 0

    def count(connection: Any, *_more: object) -> None:
        connection.set_progress_handler(step, 100)

    with app.app_context():
        engine = db.engine
        engine.dispose()
    event.listen(engine, "checkout", count)
    try:
        assert browser.get(path, follow=True).status == 200
    finally:
        event.remove(engine, "checkout", count)
        engine.dispose()
    return taken


@pytest.mark.sqlite_only(reason="its machine's steps can be counted")
def test_five_times_as_many_rows_cost_no_list_more_steps(app: Flask, operator: Browser, clock: MovableClock) -> None:
    """But for what is searched by walking, whose steps have a limit, which is as far away in both."""
    paths = [path for path in lists()[::3] if "after=" not in path]
    before = {path: steps(app, operator, path) for path in paths}
    grow(app, clock, 400, 2000, timedelta(milliseconds=100))
    after = {path: steps(app, operator, path) for path in paths}
    more = {path: (before[path], after[path]) for path in paths if after[path] > before[path] * 1.5 + 30}
    assert more == {}


@pytest.mark.postgresql_only(reason="plans of SQLite are read above")
def test_no_list_has_to_scan_a_table_of_postgresql(app: Flask, operator: Browser, clock: MovableClock) -> None:
    """With scans forbidden there is another way for each statement: the one that a million rows make it take."""
    with sent(app) as statements:
        for path in (*lists(), *FILES):
            assert operator.get(path, follow=True).status == 200, path
        _work(app, clock)
    read = {sql: values for sql, values in statements if sql.startswith(("SELECT", "UPDATE", "DELETE", "WITH"))}
    assert len(read) > 150
    with app.app_context(), reading() as session:
        connection = session.connection()
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        scans = {sql: _scanned(connection, sql, values) for sql, values in read.items()}
    assert {sql: tables for sql, tables in scans.items() if tables} == {}


def _scanned(connection: Any, sql: str, values: Any) -> set[str]:
    """The tables that grow of which the plan reads every row."""
    (answer,) = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sql}", values).one()
    nodes, found = [answer[0]["Plan"]], set()
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if node["Node Type"] == "Seq Scan":
            found.add(node["Relation Name"])
    return found & GROWING
