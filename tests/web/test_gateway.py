"""What reverse proxies are told: who may, who that is, and never anything in favour of entry."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from mfaportal.domain import accounts, members, portals
from mfaportal.models import Account, EventKind, Login, LoginPass, Portal
from mfaportal.rules.mfa_rule import MfaRule
from mfaportal.rules.roles import MemberRole
from tests import rows
from tests.browser_client import ORIGIN, Browser
from tests.clock import MovableClock
from tests.guarded import DATA, STRANGER, TRUST, GuardedHost, guard, identity
from tests.people import PORTAL, Cast, add_person, give_app, on_the_command_line, set_rule

PROXIED_HEADERS = ["X-Forwarded-Method", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri"]


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(**TRUST)


@pytest.fixture
def guarded(app: Flask, people: Cast, browser: Browser) -> GuardedHost:
    guard(app, DATA, back_office=("/admin",))
    return GuardedHost(browser)


def test_each_role_gets_as_far_as_in_the_portal_itself(
    app: Flask, guarded: GuardedHost, people: Cast, clock: MovableClock
) -> None:
    """And is named with every role that theirs includes."""
    for person, groups, back in [
        (people.reader, "reader", 403),
        (people.editor, "editor,reader", 200),
        (people.admin, "admin,editor,reader", 200),
        (people.operator, "operator,admin,editor,reader", 200),
    ]:
        host = GuardedHost(Browser(app, clock))
        host.browser.log_in(person)
        page = host.open("/table?_sort=name&x=1,2")
        assert (page.status, page.html) == (200, "")
        assert identity(page) == {
            "Remote-User": person.email,
            "Remote-Name": person.name,
            "Remote-Email": person.email,
            "Remote-Groups": groups,
        }
        assert "Set-Cookie" not in page.response.headers
        assert host.ask("/table", at="nginx").status == 200
        for uri in ("/admin", "/admin/users?x", "/ADMIN", "/admin.json", "//admin", "/admin;x/y", "/%61dmin"):
            assert [host.ask(uri, at=at).status for at in ("nginx", "forward")] == [back, back], uri


def test_a_stranger_is_sent_to_log_in_and_told_so_in_three_ways(guarded: GuardedHost) -> None:
    page = guarded.ask("/table?a=1&b=%C3%B6")
    assert page.status == 302
    assert page.location == f"{ORIGIN}/log-in?next=https%3A%2F%2Fdata.example.org%2Ftable%3Fa%3D1%26b%3D%25C3%25B6"
    assert guarded.ask("/", at="nginx").status == 401
    for headers in (
        {"Accept": "application/json"},
        {"X-Requested-With": "XMLHttpRequest"},
        {"Sec-Fetch-Mode": "cors"},
        {"Upgrade": "websocket"},
    ):
        answer = guarded.ask("/", headers=headers)
        assert (answer.status, answer.response.json) == (401, {"error": "log_in_required"}), headers
    assert guarded.ask("/", method="HEAD").status == 302


def test_what_was_sent_without_a_login_is_said_not_to_be_saved(guarded: GuardedHost) -> None:
    page = guarded.ask("/table", method="POST")
    assert page.status == 401
    assert "was not saved" in page.text
    assert "/.mfaportal/static/portal.css" in page.html


def test_a_public_portal_lets_strangers_and_half_logged_in_people_pass_without_a_name(
    app: Flask, guarded: GuardedHost, people: Cast, clock: MovableClock
) -> None:
    rows.put(app, update(Portal).values(visibility="public"))
    page = guarded.ask("/", at="nginx")
    assert (page.status, identity(page)) == (200, STRANGER)
    assert guarded.ask("/admin").status == 302
    guarded.browser.log_in(people.editor)
    assert guarded.open("/admin").status == 200
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock, apply_now=True)
    page = guarded.ask("/")
    assert (page.status, identity(page)) == (200, STRANGER), "the login is half one now"
    assert guarded.ask("/admin").status == 302


def test_somebody_who_is_no_member_is_nobody_here(app: Flask, guarded: GuardedHost, clock: MovableClock) -> None:
    with app.app_context():
        portals.create(on_the_command_line(clock), "Elsewhere", "elsewhere")
        outsider = add_person(clock, "outsider@example.org", "Outsider", "reader", portal="elsewhere")
    guarded.browser.log_in(outsider)
    page = guarded.open("/table")
    assert page.status == 403
    assert "no member of City data" in page.text
    assert guarded.ask("/", headers={"Accept": "application/json"}).response.json == {"error": "forbidden"}
    assert guarded.ask("/", at="nginx").status == 403
    rows.put(app, update(Portal).values(visibility="public", sign_up="approval"))
    page = guarded.ask("/")
    assert (page.status, identity(page)) == (200, STRANGER), "the application is told of members only"
    denied = guarded.ask("/admin")
    assert denied.status == 403
    assert f'href="{ORIGIN}/portals/city-data/request-access"' in denied.html
    assert guarded.own("/.mfaportal/denied?next=/admin").status == 403


def test_under_a_prefix_a_long_path_leads_to_the_first_page_of_the_prefix(
    app: Flask, people: Cast, browser: Browser
) -> None:
    """The host's own first page is nobody's."""
    guard(app, f"{DATA}/wiki", f"{DATA}/app")
    long = "a" * 3000
    host = GuardedHost(browser)
    for prefix in ("app", "wiki"):
        page = host.ask(f"/{prefix}/{long}")
        assert page.location == f"{ORIGIN}/log-in?next=https%3A%2F%2Fdata.example.org%2F{prefix}%2F"
        assert f"?next=https%3A//data.example.org/{prefix}/" in host.ask(f"/{prefix}/{long}", method="POST").html
        way_in = browser.get("/log-in", query_string={"next": f"{DATA}/{prefix}/{long}"})
        assert f"form-action 'self' {DATA};" in way_in.response.headers["Content-Security-Policy"]


def test_who_may_not_open_a_long_path_is_told_whose_it_is_all_the_same(
    app: Flask, people: Cast, clock: MovableClock
) -> None:
    guard(app, f"{DATA}/wiki", f"{DATA}/app", back_office=("/admin",))
    rows.put(app, update(Portal).values(visibility="public", sign_up="approval"))
    with app.app_context():
        portals.create(on_the_command_line(clock), "Elsewhere", "elsewhere")
        outsider = add_person(clock, "outsider@example.org", "Outsider", "reader", portal="elsewhere")
    for person, words, way_on in [
        (outsider, "no member of City data", f"{ORIGIN}/portals/city-data/request-access"),
        (people.reader, "the editors and admins of City data", f"{DATA}/app/"),
    ]:
        host = GuardedHost(Browser(app, clock))
        host.browser.log_in(person)
        for path in ("/app/admin", "/app/admin/" + "a" * 3000):
            page = host.open(path)
            assert page.status == 403
            assert words in page.text, path
            assert f'href="{way_on}"' in page.html


@pytest.mark.parametrize("at", ["nginx", "forward"])
def test_a_name_of_any_kind_is_a_header(app: Flask, people: Cast, clock: MovableClock, at: str) -> None:
    guard(app, DATA)
    rows.put(app, update(Account).where(Account.id == people.reader.id).values(name="Zoë 東京\u2028\x85x"))
    host = GuardedHost(Browser(app, clock))
    host.browser.log_in(people.reader)
    host.open()
    sent = identity(host.ask(at=at))["Remote-Name"]
    assert sent.encode("latin-1").decode() == "Zoë 東京  x"


def test_the_end_of_a_login_is_the_end_of_its_passes(
    app: Flask, people: Cast, clock: MovableClock, guarded: GuardedHost
) -> None:
    person = people.reader

    def in_the_app(change: Callable[..., object], *arguments: object) -> None:
        with app.app_context():
            change(on_the_command_line(clock), *arguments)

    for ends in (
        lambda host: host.browser.log_out(),
        lambda _host: in_the_app(accounts.end_logins, person.id),
        lambda _host: in_the_app(accounts.suspend, person.id),
    ):
        host = GuardedHost(Browser(app, clock))
        host.browser.log_in(person)
        assert host.open().status == 200
        ends(host)
        assert (host.ask().status, host.ask(at="nginx").status) == (302, 401)
    in_the_app(accounts.restore, person.id)
    guarded.browser.log_in(person)
    guarded.open()
    in_the_app(members.remove, PORTAL, person.id)
    assert guarded.ask(at="nginx").status in (401, 403)


def test_a_pass_is_good_as_long_as_the_login(
    app: Flask, guarded: GuardedHost, people: Cast, clock: MovableClock
) -> None:
    guarded.browser.log_in(people.reader)
    guarded.open()
    for _ in range(5):
        clock.advance(hours=4)
        assert guarded.ask().status == 200, "its use keeps the login alive"
    clock.advance(hours=4, seconds=1)
    assert guarded.ask().status == 302, "a day after the password"


def test_an_answer_takes_one_statement_and_writes_once_a_minute(
    app: Flask, guarded: GuardedHost, people: Cast, clock: MovableClock
) -> None:
    guarded.browser.log_in(people.reader)
    guarded.open()
    for seconds, statements in [(0, 1), (30, 1), (31, 2), (1, 1)]:
        clock.advance(seconds=seconds)
        with rows.counted_statements(app) as seen:
            page = guarded.ask("/asset.css", at="nginx")
        assert page.status == 200
        assert len(seen) == statements, seen
    (login,) = rows.rows(app, select(Login))
    assert login.last_seen_at == clock() - timedelta(seconds=1)


@pytest.mark.parametrize("header", PROXIED_HEADERS)
@pytest.mark.parametrize("value", [None, "", " ", "GET, GET", "a,b", "\u00e9"])
def test_what_a_proxy_does_not_say_plainly_is_refused(
    guarded: GuardedHost, people: Cast, header: str, value: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    guarded.browser.log_in(people.operator)
    guarded.open()
    caplog.clear()
    if (header, value) == ("X-Forwarded-Uri", "a,b"):
        value = "/a,/b\\"
    for at in ("nginx", "forward"):
        assert guarded.ask(at=at, headers={header: value}).status == 403
    assert header in caplog.text
    assert "é" not in caplog.text


def test_an_address_that_nobody_guards_is_refused(
    guarded: GuardedHost, people: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    guarded.browser.log_in(people.operator)
    guarded.open()
    for host, proto in [
        ("other.example.org", "https"),
        ("data.example.org:8443", "https"),
        ("data.example.org", "http"),
    ]:
        answer = guarded.ask(headers={"X-Forwarded-Host": host, "X-Forwarded-Proto": proto})
        assert answer.status == 403
        assert f"no portal guards {proto}://{host}" in caplog.text
    assert guarded.ask(headers={"X-Forwarded-Host": "DATA.example.org.:443"}).status == 200


def test_only_trusted_proxies_are_told_anything(
    make_app: Callable[..., Flask], guarded: GuardedHost, people: Cast, clock: MovableClock,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    guarded.browser.log_in(people.reader)
    guarded.open()
    headers = dict(zip(PROXIED_HEADERS, ["GET", "https", "data.example.org", "/"], strict=True))
    for at in ("nginx", "forward"):
        answer = guarded.browser.open("GET", f"/gateway/{at}", base_url=DATA, headers=headers)
        assert answer.status == 403
        assert "Remote-User" not in answer.response.headers
    assert "192.0.2.7 asks the gateway and is no trusted proxy" in caplog.text
    nobody_trusted = make_app()
    answer = Browser(nobody_trusted, clock).open("GET", "/gateway/nginx", headers=headers)
    assert answer.status == 403
    assert "set MFAPORTAL_TRUSTED_PROXIES=192.0.2.7" in caplog.text


def test_a_reader_who_becomes_an_editor_sees_the_back_office_at_the_next_log_in(
    app: Flask, guarded: GuardedHost, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        give_app(people.reader, clock)
    guarded.browser.log_in(people.reader)
    assert guarded.open("/admin").status == 403
    with app.app_context():
        members.change_role(on_the_command_line(clock), PORTAL, people.reader.id, MemberRole.EDITOR)
    assert guarded.ask("/admin").status == 302
    clock.advance(seconds=31)
    guarded.browser.log_in(people.reader)
    assert guarded.open("/admin").status == 200
    assert len(rows.rows(app, select(LoginPass))) == 2
    assert len(rows.events(app, EventKind.GUARDED_HOST_ENTERED)) == 2


def test_what_is_wrong_is_said_once_a_minute_and_each_thing_by_itself(
    guarded: GuardedHost, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Every part of every page asks."""
    for _ in range(3):
        guarded.ask(headers={"X-Forwarded-Host": None})
        guarded.ask(headers={"X-Forwarded-Uri": None})
    assert [record.message.rpartition(": ")[2] for record in caplog.records] == [
        "X-Forwarded-Host is missing",
        "X-Forwarded-Uri is missing",
    ]
    clock.advance(minutes=1)
    guarded.ask(headers={"X-Forwarded-Host": None})
    assert len(caplog.records) == 3


def test_a_host_that_is_not_ours_is_bound_to_nothing(make_app: Callable[..., Flask], clock: MovableClock) -> None:
    """HSTS is for a year, and for whatever lies below: that is for whoever runs the host to say."""
    app = make_app(MFAPORTAL_PUBLIC_URL="https://portal.example.org", **TRUST)
    guard(app, DATA, slug="portal")
    host = GuardedHost(Browser(app, clock))
    for page in (host.ask(), host.ask(method="POST"), host.own("/.mfaportal/denied"), host.own("/.mfaportal/none")):
        assert page.status in (302, 401, 403, 404)
        assert "Strict-Transport-Security" not in page.response.headers
        assert page.response.headers["X-Content-Type-Options"] == "nosniff"
    own = host.browser.get("/log-in", base_url="https://portal.example.org")
    assert "Strict-Transport-Security" in own.response.headers
