"""Nobody is shown what they may not open: every link and every form of every page that one can reach, one by one."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from mfaportal.models import Account, Membership, Portal
from mfaportal.plumbing.db import transaction
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.crawl import Crawl
from tests.people import Cast, Person, add_person, give_app

SECOND = "second"


@pytest.fixture
def crowd(app: Flask, people: Cast, clock: MovableClock) -> Cast:
    """People in every state in the portal, and a second, public portal where the reader is editor."""
    with app.app_context():
        for number, role in enumerate(["reader", "editor", "admin"]):
            give_app(add_person(clock, f"more{number}@example.org", f"More {number}", role), clock)
        suspended = add_person(clock, "suspended@example.org", "Suspended", "reader")
        add_person(clock, "operator2@example.org", "Second operator", None, operator=True)
        give_app(people.editor, clock)
        give_app(people.editor, clock, "Another phone")
        with transaction() as session:
            session.execute(update(Account).where(Account.id == suspended.id).values(suspended_at=clock()))
    return people


def _second_portal(clock: MovableClock, person: Person | None = None, role: str = "editor") -> None:
    with transaction() as session:
        portal = Portal(slug=SECOND, name="Second", visibility="private", created_at=clock())
        session.add(portal)
        session.flush()
        if person is not None:
            session.add(Membership(account_id=person.id, portal_id=portal.id, role=role, since=clock()))


def _publish() -> None:
    with transaction() as session:
        session.execute(update(Portal).values(visibility="public"))


BACK = "/portals/city-data/backoffice"
REACHED = {
    "nobody": {"/log-in", "/forgot-password"},
    "reader": {"/", "/account", "/account/security", "/account/security/methods/add"},
    "editor": {"/", "/account", "/account/security/methods", BACK, "/portals/city-data/"},
    "admin": {"/", "/account", BACK, f"{BACK}/access/users", f"{BACK}/access/security"},
    "operator": {"/", "/account", BACK, f"{BACK}/access/users", "/installation/portals", "/installation/accounts"},
}


@pytest.mark.parametrize("several", [False, True], ids=["one portal", "two portals"])
@pytest.mark.parametrize("public", [False, True], ids=["private", "public"])
@pytest.mark.parametrize("who", REACHED)
def test_every_link_and_form_that_one_is_shown_one_may_use(
    app: Flask, crowd: Cast, browser: Browser, clock: MovableClock, who: str, public: bool, several: bool
) -> None:
    with app.app_context():
        if several:
            _second_portal(clock, crowd.reader)
        if public:
            _publish()
    if who != "nobody":
        browser.log_in(getattr(crowd, who))
    crawl = Crawl(browser)
    reached = crawl.walk(["/", "/log-in", "/portals/city-data/", "/nowhere", "/portals/nowhere/", BACK])
    assert crawl.wrong == []
    assert REACHED[who] <= reached


@pytest.mark.parametrize("who", ["admin", "operator"])
def test_admins_and_operators_reach_all_that_can_be_done_to_a_person(crowd: Cast, browser: Browser, who: str) -> None:
    browser.log_in(getattr(crowd, who))
    reached = Crawl(browser).walk([BACK])
    person = f"{BACK}/access/users/{crowd.reader.id}"
    of_admins = {f"{person}/role", f"{person}/remove"}
    of_operators = {
        f"{person}/{action}" for action in ("operator", "suspend", "end-logins", "reset-mfa", "reset-link")
    }
    assert of_admins <= reached
    assert (of_operators & reached) == (of_operators if who == "operator" else set())


@pytest.mark.parametrize("public", [False, True], ids=["private", "public"])
def test_whoever_is_in_the_middle_of_a_log_in_is_shown_that_step_and_the_way_out(
    app: Flask, crowd: Cast, new_browser: Callable[[], Browser], public: bool
) -> None:
    with app.app_context(), transaction() as session:
        session.execute(update(Portal).values(mfa_rule="everyone", visibility="public" if public else "private"))
    steps: tuple[tuple[Person, str, set[str]], ...] = (
        (crowd.editor, "/log-in/code", {"/log-in/recovery"}),
        (crowd.reader, "/log-in/set-up", set()),
    )
    for person, step, beside in steps:
        browser = new_browser()
        browser.give_password(person)
        crawl = Crawl(browser)
        reached = crawl.walk([step, "/nowhere"])
        assert crawl.wrong == []
        assert {path for path in reached if not path.startswith("/static/")} == {step, "/nowhere", "/"} | beside


def test_somebody_who_is_no_member_any_more_finds_a_way_on(app: Flask, crowd: Cast, browser: Browser) -> None:
    browser.log_in(crowd.reader)
    with app.app_context(), transaction() as session:
        session.execute(delete(Membership).where(Membership.account_id == crowd.reader.id))
    assert browser.get("/").status == 403
    crawl = Crawl(browser)
    reached = crawl.walk(["/", BACK])
    assert crawl.wrong == []
    assert {"/account", "/account/security"} <= reached


def test_a_stale_step_up_is_the_only_thing_that_stands_before_a_link(
    crowd: Cast, browser: Browser, clock: MovableClock
) -> None:
    browser.log_in(crowd.operator)
    clock.advance(minutes=30)
    crawl = Crawl(browser)
    crawl.walk(["/"])
    assert crawl.wrong
    assert {complaint.rpartition(" ")[2].partition("?")[0] for complaint in crawl.wrong} == {"/confirm"}


def _back_office(browser: Browser, path: str) -> str | None:
    """Where "Back office" in the bar leads."""
    page = browser.get(path)
    assert page.status == 200, page.text
    bar = page.html.partition("</header>")[0]
    return next(
        (
            part.partition('href="')[2].partition('"')[0]
            for part in bar.split("<a ")[1:]
            if ">Back office</a>" in part
        ),
        None,
    )


OTHER = f"/portals/{SECOND}/backoffice"


@pytest.mark.parametrize(
    ("who", "roles", "leads"),
    [
        # who, their roles in the two portals, and where "Back office" leads on: /account, one portal, the other
        ("reader", ("reader", None), (None, None, None)),
        ("reader", ("reader", "reader"), (None, None, None)),
        ("reader", ("reader", "editor"), (OTHER, None, OTHER)),
        ("editor", ("editor", None), (BACK, BACK, None)),
        ("editor", ("editor", "reader"), (BACK, BACK, None)),
        ("editor", ("editor", "editor"), (None, BACK, OTHER)),
        ("admin", ("admin", None), (BACK, BACK, None)),
        ("admin", ("admin", "editor"), (None, BACK, OTHER)),
        ("operator", (None, None), (None, BACK, OTHER)),
    ],
)
def test_back_office_leads_to_that_of_the_portal_one_looks_at_else_to_the_only_one_that_one_has(
    app: Flask,
    people: Cast,
    browser: Browser,
    clock: MovableClock,
    who: str,
    roles: tuple[str | None, str | None],
    leads: tuple[str | None, str | None, str | None],
) -> None:
    person = getattr(people, who)
    with app.app_context():
        _second_portal(clock, person if roles[1] else None, roles[1] or "")
        _publish()
    browser.log_in(person)
    pages = ("/account", "/portals/city-data/", f"/portals/{SECOND}/")
    assert tuple(_back_office(browser, page) for page in pages) == leads
    assert _back_office(browser, "/") == leads[0]


@pytest.mark.parametrize(("who", "leads"), [("reader", None), ("editor", BACK), ("admin", BACK), ("operator", BACK)])
def test_with_one_portal_back_office_leads_there_from_everywhere(
    people: Cast, browser: Browser, who: str, leads: str | None
) -> None:
    browser.log_in(getattr(people, who))
    assert {_back_office(browser, page) for page in ("/", "/account", "/portals/city-data/")} == {leads}


OF_ADMINS = ["Desk", "Datasets", "Users", "Requests", "Security", "Log in &amp; Sign up", "Activity"]


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("editor", ["Desk", "Datasets"]),
        ("admin", OF_ADMINS),
        ("operator", [*OF_ADMINS, "Portals", "Accounts", "Mail", "Activity"]),
    ],
)
def test_the_back_offices_menu_has_what_the_role_may_open(
    people: Cast, browser: Browser, who: str, words: list[str]
) -> None:
    browser.log_in(getattr(people, who))
    html = browser.get(BACK).html
    menu = html.partition('<nav class="menu"')[2].partition("</nav>")[0]
    assert [part.partition(">")[2].partition("<")[0] for part in menu.split("<li><a ")[1:]] == words


@pytest.mark.parametrize("who", ["nobody", "reader"])
def test_the_bar_offers_log_in_to_strangers_and_log_out_to_others(
    app: Flask, people: Cast, browser: Browser, who: str
) -> None:
    with app.app_context():
        _publish()
    if who != "nobody":
        browser.log_in(getattr(people, who))
    bar = browser.get("/").html.partition("</header>")[0]
    for words, of_strangers in ((">Log in</a>", True), (">Account</a>", False), (">Log out</button>", False)):
        assert (words in bar) is (of_strangers is (who == "nobody"))


def test_the_name_at_the_top_leads_home_for_those_who_may_go_there(
    app: Flask, people: Cast, browser: Browser
) -> None:
    assert '<span class="brand">' in browser.get("/log-in").html
    with app.app_context():
        _publish()
    assert '<a class="brand" href="/">' in browser.get("/log-in").html
    browser.log_in(people.reader)
    with app.app_context(), transaction() as session:
        assert session.scalar(select(Portal.slug)) == "city-data"
    assert '<a class="brand" href="/">' in browser.get("/account").html
