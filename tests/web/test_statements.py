"""What a page costs in SQL: one statement for who is asking, and the page's own, which don't grow with the people."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from flask import Flask
from sqlalchemy import insert

from mfaportal.models import Account, Authenticator, Membership
from mfaportal.plumbing.db import transaction
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.databases import on_postgresql
from tests.datasets import add as add_dataset
from tests.people import Cast, Person, apps_of, give_app
from tests.phone import Phone
from tests.tracing import traced

BACK = "/portals/city-data/backoffice"
USERS, SECURITY = f"{BACK}/access/users", f"{BACK}/access/security"
PORTALS, ACCOUNTS = "/installation/portals", "/installation/accounts"


class Trace:
    """What reaches the database, whoever sends it, but for the words that open and close transactions."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def of(self, browser: Browser, path: str) -> tuple[Page, list[str]]:
        with traced(self._app) as seen:
            page = browser.get(path, buffered=True)
        return page, _without_echoes(seen)


@pytest.fixture
def trace(app: Flask, people: Cast) -> Trace:
    return Trace(app)


def _is_identity(statement: str) -> bool:
    return "member_since" in statement


GUARDED = [
    # page, who looks, statements of its own beside the one that says who they are
    ("/", "reader", 2),
    ("/portals/city-data/", "reader", 2),
    ("/?q=e&after=trees", "reader", 2),
    ("/portals/city-data/datasets/trees", "reader", 1),
    ("/portals/city-data/datasets/trees/file", "reader", 1),
    ("/log-in", "nobody", 0),
    ("/log-in", "reader", 0),
    ("/forgot-password", "nobody", 0),
    ("/log-in/code", "at the code", 0),
    ("/account", "at the code", 0),
    ("/account", "reader", 1),
    ("/account/portals/city-data/leave", "reader", 1),
    ("/account/delete", "reader", 1),
    ("/account/delete", "operator", 2),
    ("/account", "nobody", 0),
    ("/account/security", "editor", 0),
    ("/account/security", "reader", 2),
    ("/log-in/recovery", "at the code", 0),
    ("/account/security/password", "reader", 0),
    ("/account/security/logins", "reader", 1),
    ("/account/security/recovery-codes", "reader", 2),
    ("/account/security/recovery-codes/download", "reader", 1),
    ("/account/security/methods/{app}/replace", "reader", 4),
    ("/account/security/methods", "reader", 1),
    ("/account/security/methods/add", "reader", 3),
    ("/account/security/methods/{app}/rename", "reader", 1),
    ("/account/security/methods/{app}/delete", "reader", 2),
    ("/confirm", "reader", 0),
    (BACK, "reader", 0),
    (BACK, "editor", 0),
    (BACK, "admin", 1),
    (BACK, "operator", 1),
    (USERS, "admin", 3),  # who stands on the page, what is said of them, and the counts
    (f"{USERS}?q=e&role=reader&mfa=missing", "admin", 2),
    (f"{USERS}.csv", "admin", 5),
    (f"{USERS}/{{person}}", "operator", 1),
    (f"{USERS}/{{person}}/role", "admin", 1),
    (f"{USERS}/{{person}}/reset-mfa", "operator", 1),
    (f"{USERS}/invite", "admin", 1),
    (SECURITY, "admin", 3),
    (f"{BACK}/access/requests", "admin", 2),
    (f"{BACK}/access/requests?history=1&after=7", "admin", 1),
    (f"{BACK}/access/signup", "admin", 1),
    ("/account/security/activity", "reader", 1),
    (f"{BACK}/access/activity", "admin", 2),  # which events, and what they say
    (f"{BACK}/access/activity?person=e&kind=people&from=2000-01-01&to=2100-01-01&after=9999", "admin", 4),
    (f"{BACK}/access/activity.csv", "admin", 6),
    ("/installation/mail", "operator", 2),
    ("/installation/activity?person=e&portal=city-data", "operator", 4),
    ("/installation/activity.jsonl", "operator", 5),
    ("/installation/activity.csv", "operator", 5),
    (PORTALS, "operator", 2),
    (f"{PORTALS}/new", "operator", 0),
    (f"{PORTALS}/city-data", "operator", 3),
    (f"{PORTALS}/city-data/delete", "operator", 2),
    (ACCOUNTS, "operator", 3),
    (f"{ACCOUNTS}/{{person}}", "operator", 2),
    (f"{ACCOUNTS}/{{person}}/reset-mfa", "operator", 2),
    (f"{BACK}/datasets?q=e&after=trees", "editor", 1),
    (f"{BACK}/datasets/new", "editor", 0),
    (f"{BACK}/datasets/trees", "editor", 1),
    (f"{BACK}/datasets/trees/delete", "editor", 1),
    ("/portals/not-there/", "reader", 0),
]


@pytest.fixture
def come(
    app: Flask, people: Cast, clock: MovableClock, new_browser: Callable[[], Browser]
) -> Callable[[str], Browser]:
    """Come as one of the cast; the reader has an app, the others have none."""
    with app.app_context():
        give_app(people.reader, clock)
        add_dataset(clock, "Trees")

    def come(who: str) -> Browser:
        browser = new_browser()
        if who == "at the code":
            browser.give_password(people.reader)
        elif who != "nobody":
            browser.log_in(getattr(people, who))
        browser.get("/log-in")  # where it is asked once whether this is a first start
        browser.get("/account")  # takes the flash and loads what is loaded once
        return browser

    return come


@pytest.mark.parametrize(("path", "who", "own"), GUARDED)
def test_who_is_asking_costs_one_statement_and_the_page_only_its_own(
    app: Flask, people: Cast, trace: Trace, come: Callable[[str], Browser], path: str, who: str, own: int
) -> None:
    browser = come(who)
    with app.app_context():
        path = path.format(app=apps_of(people.reader)[0].id, person=people.editor.id)
    page, statements = trace.of(browser, path)
    assert page.status in (200, 303, 403, 404)
    listed = "\n".join(statements)
    assert sum(map(_is_identity, statements[:1])) == 1, f"identity is not asked first:\n{listed}"
    assert 1 + own <= len(statements) <= 1 + own + _of_a_search(path), listed


def _of_a_search(path: str) -> int:
    """PostgreSQL judges by a sample how many fit, and brings their numbers before anything is read of them."""
    return 4 if on_postgresql() and re.search("q=|person=", path) else 0


def test_every_guarded_page_is_in_the_table(app: Flask) -> None:
    with app.test_request_context():
        adapter = app.url_map.bind("127.0.0.1:8000")
    filled = [path.partition("?")[0].format(app=7, person=7) for path, _who, _own in GUARDED]
    listed = {adapter.match(path, method="GET")[0] for path in filled}
    pages = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    alike = {  # one view for all of them, with one page: `reset_mfa` and `role` stand for it
        "access_users.remove",
        "access_users.operator",
        "access_users.suspend",
        "access_users.restore",
        "access_users.end_logins",
        "access_users.reset_link",
        "access_invitations.again",  # these two only lead back to the list
        "access_invitations.revoke",
        "installation_accounts.operator",
        "installation_accounts.suspend",
        "installation_accounts.restore",
        "installation_accounts.end_logins",
        "installation_accounts.reset_link",
        "installation_mail.try_again",  # and these
        "installation_mail.try_all_again",
    }
    public = {
        "gateway.for_nginx",  # these are counted in tests/web/test_gateway.py
        "gateway.for_others",
        "guarded_host.enter",
        "guarded_host.denied",
        "guarded_host.static",
        "hand_off.hand_off",
        "static",
        "health.alive",
        "health.ready",
        "auth.welcome",
        "auth.reset_password",
        "auth.open_reset_link",
        "auth.invitation",
        "auth.open_invitation",
        "auth.confirm_address",
        "auth.open_address_link",
        "auth.confirm_email",
        "auth.open_email_link",
        "front_office.request_access",
    }
    assert pages - alike - public == listed | {"auth.set_up"}


@pytest.fixture
def phone(app: Flask, people: Cast, clock: MovableClock) -> Phone:
    """The reader's."""
    with app.app_context():
        return give_app(people.reader, clock)


JOURNEY = [
    # step, statements: the first log-in ever, one from another browser later, and one more within the hour
    ("GET the log-in page", (1, 1, 1)),
    ("POST the password", (4, 4, 4)),
    ("GET the page for the code", (1, 1, 1)),
    ("POST the code", (7, 10, 7)),  # its owner is told of a new browser once an hour
    ("GET the page", (1, 1, 1)),
]


def test_a_log_in_costs_fourteen_statements_with_the_page_that_was_wanted(
    app: Flask, people: Cast, clock: MovableClock, new_browser: Callable[[], Browser], phone: Phone
) -> None:
    new_browser().get("/log-in")  # whether this is a first start is asked once
    found = []
    for _log_in in range(3):
        clock.advance(seconds=30)
        browser = new_browser()
        found.append([len(_without_echoes(step)) for step in _journey(app, browser, people.reader, phone)])
    assert list(zip(*found, strict=True)) == [counts for _step, counts in JOURNEY]
    assert [sum(counts) for counts in found] == [14, 17, 14]


def _journey(app: Flask, browser: Browser, person: Person, phone: Phone) -> Iterator[list[str]]:
    """The statements of each request, as a browser makes them one after the other."""
    wanted = "/account/security/password"
    with traced(app) as seen:
        page = browser.get(f"/log-in?next={wanted}")
    yield seen
    with traced(app) as seen:
        answer = browser.send(page, email=person.email, password=person.password)
    yield seen
    with traced(app) as seen:
        page = browser.get(answer.location)
    yield seen
    with traced(app) as seen:
        answer = browser.send(page, code=phone.code(browser.clock()))
    yield seen
    with traced(app) as seen:
        page = browser.get(answer.location)
    assert (page.path, page.status) == (wanted, 200)
    yield seen


def _without_echoes(statements: list[str]) -> list[str]:
    """SQLite tells of an INSERT once more for each trigger that it sets off."""
    together = pairwise(["", *statements])
    return [later for before, later in together if later != before or not later.startswith("INSERT")]


def test_what_is_counted_waits_for_the_disk_with_what_comes_of_it(
    app: Flask, people: Cast, clock: MovableClock, browser: Browser, phone: Phone
) -> None:
    """Each step commits twice and waits once: a step whose attempt is lost with the power was answered to nobody."""
    browser.give_password(people.reader)
    page = browser.get("/log-in/code")
    with traced(app, all_of_them=True) as seen:
        browser.send(page, code=phone.code(clock()))
    assert [_waits(words) for words in seen if "synchronous" in words or "READ WRITE" in words] == [False, True], seen


def _waits(words: str) -> bool:
    return "synchronous = NORMAL" not in words and "synchronous_commit = off" not in words


def test_the_set_up_page_asks_again_inside_its_operation(
    app: Flask, people: Cast, trace: Trace, browser: Browser
) -> None:
    with app.app_context(), transaction() as session:
        session.connection().exec_driver_sql("UPDATE portals SET mfa_rule = 'everyone'")
    browser.give_password(people.editor)
    _page, first = trace.of(browser, "/log-in/set-up")
    _page, again = trace.of(browser, "/log-in/set-up")
    assert [_is_identity(statement) for statement in first] == [True, True, False, False]
    assert [_is_identity(statement) for statement in again] == [True, True, False]
    assert first[-1].startswith("UPDATE logins SET pending_secret")


@pytest.mark.parametrize(
    ("path", "statements"),
    [
        ("/static/portal.css", 0),
        ("/healthz", 0),
        ("/readyz", 1),
        (f"/reset-password/{'x' * 43}", 0),
        (f"/invitations/{'x' * 43}", 0),
        (f"/confirm-address/{'x' * 43}", 0),
        (f"/confirm-email/{'x' * 43}", 0),
        ("/nowhere", 0),
        ("/portals/city-data", 0),
    ],
)
def test_what_is_the_same_for_everybody_asks_nobody_who_they_are(
    trace: Trace, come: Callable[[str], Browser], path: str, statements: int
) -> None:
    for who in ("nobody", "at the code", "operator"):
        _page, found = trace.of(come(who), path)
        assert len(found) == statements, found
        assert not any(map(_is_identity, found))


def test_a_page_that_is_looked_at_a_minute_later_notes_that_in_one_more_statement(
    trace: Trace, come: Callable[[str], Browser], clock: MovableClock
) -> None:
    browser = come("admin")
    clock.advance(seconds=59)
    assert len(trace.of(browser, "/account/security")[1]) == 1
    clock.advance(seconds=1)
    assert len(trace.of(browser, "/account/security")[1]) == 2
    assert len(trace.of(browser, "/account/security")[1]) == 1


def _add_members(people: int, portal_of: Person, clock: MovableClock) -> None:
    """So many readers and editors, a third of them with an app, in three statements."""
    with transaction() as session:
        portal_id = session.query(Membership).filter_by(account_id=portal_of.id).one().portal_id
        first = (session.query(Account).order_by(Account.id.desc()).first() or Account(id=0)).id + 1
        numbers = range(first, first + people)
        now = clock()
        session.execute(
            insert(Account),
            [
                {"id": n, "email": f"p{n}@example.org", "name": f"P {n}", "name_key": f"p {n}", "created_at": now}
                for n in numbers
            ],
        )
        roles = ["reader", "editor"]
        session.execute(
            insert(Membership),
            [{"account_id": n, "portal_id": portal_id, "role": roles[n % 2], "since": now} for n in numbers],
        )
        session.execute(
            insert(Authenticator),
            [
                {"account_id": n, "name": "App", "name_key": "app", "sealed_secret": b"", "added_at": now}
                for n in numbers
                if n % 3 == 0
            ],
        )


@pytest.mark.parametrize(
    ("path", "statements"), [(USERS, 4), (f"{USERS}?mfa=missing", 3), (f"{USERS}?q=p+1", 5), (SECURITY, 4), (BACK, 2)]
)
def test_a_thousand_members_cost_as_many_statements_as_ten(
    app: Flask,
    people: Cast,
    trace: Trace,
    come: Callable[[str], Browser],
    clock: MovableClock,
    path: str,
    statements: int,
) -> None:
    browser = come("admin")
    for more in (10, 990):
        with app.app_context():
            _add_members(more, people.reader, clock)
        page, found = trace.of(browser, path)
        assert page.status == 200
        assert statements <= len(found) <= statements + _of_a_search(path), "\n".join(found)
