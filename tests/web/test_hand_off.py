"""From a guarded page to the log-in and back to exactly that page: one token, once, for one host and one browser."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select, update

from mfaportal.models import EventKind, Login, LoginPass
from mfaportal.plumbing.config import ROOT
from mfaportal.rules.mfa_rule import MfaRule
from mfaportal.rules.return_to import GUARDED_MAX
from tests import offer, rows
from tests.browser_client import ORIGIN, Browser, Page
from tests.clock import MovableClock
from tests.guarded import DATA, PROXY, TRUST, GuardedHost, guard, identity
from tests.people import Cast, give_app, set_rule
from tests.phone import Phone

COOKIE_MAX = 4093
LINE_MAX = int(re.findall(r"limit_request_line = (\d+)", (ROOT / "gunicorn.conf.py").read_text())[0])
TABLE = "/db/My%20table?_sort=n%C3%A4me&x=1,2&y=%2F"


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(**TRUST)


@pytest.fixture
def guarded(app: Flask, people: Cast, browser: Browser) -> GuardedHost:
    guard(app, DATA, back_office=("/admin",))
    return GuardedHost(browser)


def _until_enter(host: GuardedHost, uri: str = "/") -> str:
    """The address with the token, which the browser does not open yet."""
    page = host.ask(uri)
    while "token=" not in page.location:
        page = host.go(page.location)
    return page.location


def test_the_page_that_was_wanted_is_the_page_that_one_comes_back_to(
    app: Flask, guarded: GuardedHost, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        give_app(people.reader, clock)
    browser = guarded.browser
    log_in = guarded.ask(TABLE).location.removeprefix(ORIGIN)
    assert browser.give_password(people.reader, path=log_in).location == "/log-in/code"
    assert people.reader.phone is not None
    page = browser.submit("/log-in/code", code=people.reader.phone.code(clock()))
    assert page.location.startswith("/hand-off?to=https%3A%2F%2Fdata.example.org%2Fdb%2FMy%2520table")
    seen = []
    while page.status in (302, 303):
        seen.append(page.location)
        page = guarded.go(page.location if "://" in page.location else ORIGIN + page.location)
    assert seen[-1] == DATA + TABLE
    assert (page.status, identity(page)["Remote-User"]) == (200, people.reader.email)
    (event,) = rows.events(app, EventKind.GUARDED_HOST_ENTERED)
    assert (event.actor_id, event.details) == (people.reader.id, {"host": "data.example.org"})
    assert event.portal_id is not None


def test_set_up_and_its_recovery_codes_lie_on_the_way(
    app: Flask, guarded: GuardedHost, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock)
    browser = guarded.browser
    assert browser.give_password(people.reader, path=guarded.ask(TABLE).location.removeprefix(ORIGIN)).status == 303
    leads_to = "/hand-off?to%3D" + quote(quote(DATA + TABLE, safe=""), safe="")
    offer.set_up(browser, clock, leads_to=leads_to)
    codes = browser.get(f"{offer.CODES}?next={leads_to}")
    (on,) = re.findall(r'href="(/hand-off[^"]+)"', codes.html)
    page = guarded.follow(guarded.go(ORIGIN + on))
    assert (page.status, page.path) == (200, "/gateway/forward")


def test_who_is_logged_in_comes_through_without_a_question(guarded: GuardedHost, people: Cast) -> None:
    guarded.browser.log_in(people.reader)
    assert guarded.open(TABLE).status == 200


def test_the_forms_of_a_log_in_may_lead_on_to_the_guarded_host_and_to_no_other(
    app: Flask, guarded: GuardedHost, people: Cast, clock: MovableClock
) -> None:
    """Chromium holds the redirects after a form to the policy of the page that it stands on."""
    with app.app_context():
        give_app(people.reader, clock)
    log_in = guarded.ask(TABLE).location.removeprefix(ORIGIN)
    for page in (
        guarded.browser.get(log_in),
        guarded.browser.submit(log_in, email="x@example.org", password="wrong"),
    ):
        assert f"form-action 'self' {DATA};" in page.response.headers["Content-Security-Policy"]
    guarded.browser.give_password(people.reader, path=log_in)
    page = guarded.browser.get("/log-in/code")
    assert f"form-action 'self' {DATA};" in page.response.headers["Content-Security-Policy"]
    for elsewhere in ("https://other.example.org/", "/account", "https://data.example.org@other.example.org/"):
        page = Browser(app, clock).get(f"/log-in?next={elsewhere}")
        assert "form-action 'self';" in page.response.headers["Content-Security-Policy"], elsewhere


def test_a_hand_off_is_taken_once(guarded: GuardedHost, people: Cast) -> None:
    guarded.browser.log_in(people.reader)
    way = _until_enter(guarded, TABLE)
    page = guarded.go(way)
    assert (page.status, page.location) == (303, DATA + TABLE)
    set_cookie = page.response.headers.getlist("Set-Cookie")[0]
    assert re.fullmatch(r"__Host-mfaportal-pass=[\w-]{43}; Secure; HttpOnly; Path=/; SameSite=Lax", set_cookie)
    again = guarded.go(way)
    assert (again.status, again.location) == (303, DATA + TABLE), "to where one may go anyway"
    assert "Set-Cookie" not in again.response.headers
    guarded.browser.client.delete_cookie("__Host-mfaportal-pass", domain="data.example.org")
    assert guarded.go(way).status == 410
    guarded.own("/.mfaportal/enter?next=/")
    assert guarded.go(way).status == 410, "by whatever mark"


@pytest.mark.parametrize(("seconds", "status"), [(59, 303), (60, 410), (-61, 410)])
def test_a_hand_off_lives_for_a_minute(
    guarded: GuardedHost, people: Cast, clock: MovableClock, seconds: int, status: int
) -> None:
    guarded.browser.log_in(people.reader)
    way = _until_enter(guarded)
    clock.advance(seconds=seconds)
    assert guarded.go(way).status == status


def test_a_hand_off_is_no_use_in_another_browser_or_on_another_host(
    app: Flask, guarded: GuardedHost, people: Cast, clock: MovableClock
) -> None:
    guard(app, "https://files.example.org")
    guarded.browser.log_in(people.reader)
    way = _until_enter(guarded)
    thief = GuardedHost(Browser(app, clock))
    assert "keeps no cookies" in thief.go(way).text
    thief.own("/.mfaportal/enter?next=/")
    assert thief.go(way).status == 410
    files = GuardedHost(guarded.browser, "https://files.example.org")
    mark = guarded.browser.client.get_cookie("__Host-mfaportal-asked", "data.example.org")
    assert mark is not None
    guarded.browser.client.set_cookie("__Host-mfaportal-asked", mark.value, domain="files.example.org", secure=True)
    assert files.go(way.replace("data.", "files.")).status == 410
    assert guarded.go(way).status == 303, "and nobody has used it up"


def test_a_pass_opens_its_own_host_alone(app: Flask, guarded: GuardedHost, people: Cast, clock: MovableClock) -> None:
    guard(app, "https://files.example.org")
    guarded.browser.log_in(people.operator)
    guarded.open()
    held = guarded.browser.client.get_cookie("__Host-mfaportal-pass", "data.example.org")
    assert held is not None
    thief = GuardedHost(Browser(app, clock), "https://files.example.org")
    thief.browser.client.set_cookie("__Host-mfaportal-pass", held.value, domain="files.example.org", secure=True)
    assert thief.ask().status == 302
    thief.browser.client.set_cookie("mfaportal-8000", held.value, domain="127.0.0.1")
    assert thief.browser.get("/account").status == 303


@pytest.mark.parametrize("ends", ["log out", "end"])
def test_a_hand_off_of_a_login_that_is_over_is_refused(
    app: Flask, guarded: GuardedHost, people: Cast, clock: MovableClock, ends: str
) -> None:
    guarded.browser.log_in(people.reader)
    way = _until_enter(guarded)
    if ends == "log out":
        guarded.browser.log_out()
    else:
        with app.app_context():
            give_app(people.reader, clock)
            rows.put(app, update(Login).values(second_factor_at=None))
    assert guarded.go(way).status == 410
    assert [row.taken_at for row in rows.rows(app, select(LoginPass))] == [None]


def test_the_half_logged_in_have_no_hand_off(
    app: Flask, guarded: GuardedHost, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        give_app(people.reader, clock)
    guarded.browser.give_password(people.reader)
    page = guarded.browser.get(f"/hand-off?to={DATA}/&browser={'x' * 43}")
    assert (page.status, page.location) == (303, "/log-in/code")
    assert rows.rows(app, select(LoginPass)) == []


@pytest.mark.parametrize(
    "to",
    ["", "/", "https://other.example.org/", "http://data.example.org/", "https://data.example.org:444/",
     "https://data.example.org@other.example.org/", "//data.example.org/", "https://data.example.org\\.evil/",
     "https://data.example.org/a/../b", "javascript:alert(1)", "https://[::1", "https://data.example.org/%0d%0aX:y"],
)  # fmt: skip
def test_nobody_is_sent_to_an_address_that_is_not_guarded(guarded: GuardedHost, people: Cast, to: str) -> None:
    guarded.browser.log_in(people.reader)
    assert guarded.browser.client.get("/hand-off", query_string={"to": to}, base_url=ORIGIN).status_code == 404
    page = guarded.browser.client.get("/log-in", query_string={"next": to}, base_url=ORIGIN)
    assert (page.status_code, page.headers["Location"]) == (303, "/")
    way = f"/hand-off?to={quote(to, safe='')}"
    page = guarded.browser.client.get("/log-in", query_string={"next": way}, base_url=ORIGIN)
    assert (page.status_code, page.headers["Location"]) == (303, "/"), "nor by the page that leads on"


def test_a_part_of_some_page_begins_no_hand_off(app: Flask, guarded: GuardedHost, people: Cast) -> None:
    guarded.browser.log_in(people.reader)
    way = f"/hand-off?to={DATA}/&browser={'x' * 43}"
    for mode, status in [("no-cors", 403), ("cors", 403), ("navigate", 303)]:
        assert guarded.browser.get(way, headers={"Sec-Fetch-Mode": mode}).status == status
    assert len(rows.rows(app, select(LoginPass))) == 1


def test_a_page_that_is_too_long_to_remember_leads_to_the_first_one(guarded: GuardedHost, people: Cast) -> None:
    page = guarded.ask("/x?" + "%C3%A4" * 350)
    way = guarded.browser.give_password(people.reader, path=page.location.removeprefix(ORIGIN)).location
    assert parse_qs(urlsplit(way).query)["to"] == [DATA + "/x"]
    assert "?to=https%3A%2F%2Fdata.example.org%2F&" in _kept(guarded, "/" + "%25" * 600)
    assert guarded.ask("/" + "a" * 3000).location == f"{ORIGIN}/log-in?next=https%3A%2F%2Fdata.example.org%2F"


def test_the_longest_address_comes_back_exactly_and_bursts_neither_a_line_nor_a_cookie(
    app: Flask, guarded: GuardedHost, people: Cast, clock: MovableClock
) -> None:
    """By all ways: a link that holds the way to the page, which holds the address, and set-up in between."""
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock)
    start = "/x?" + "&=" * 350
    longest = start + "a" * (GUARDED_MAX - len(quote(DATA + start, safe="")))
    browser, seen = guarded.browser, []
    page = guarded.own(f"/.mfaportal/enter?next={quote(longest, safe='')}")
    while page.status in (302, 303):
        seen.append(page)
        page = guarded.go(page.location if "://" in page.location else ORIGIN + page.location)
    assert page.path.startswith("/log-in?next=/hand-off%3Fto%3D")
    seen.append(browser.send(page, email=people.reader.email, password=people.reader.password))
    seen.append(browser.get(seen[-1].location))
    key = seen[-1].html.partition('<code class="key"')[2].partition(">")[2].partition("<")[0]
    seen.append(browser.send(seen[-1], code=Phone(key).code(clock()), name="My phone"))
    seen.append(browser.get(seen[-1].location))
    page = browser.send(seen[-1], saved="yes")
    while page.status in (302, 303):
        seen.append(page)
        page = guarded.go(page.location if "://" in page.location else ORIGIN + page.location)
    assert (page.status, seen[-1].location) == (200, DATA + longest)
    assert max(len(each.location) for each in seen) < LINE_MAX - len("GET  HTTP/1.1")
    cookies = [cookie for each in seen for cookie in each.response.headers.getlist("Set-Cookie")]
    assert 3000 < max(map(len, cookies)) < COOKIE_MAX


def test_a_way_that_somebody_wrote_by_hand_is_no_longer_than_ours(guarded: GuardedHost, people: Cast) -> None:
    guarded.browser.log_in(people.reader)
    for way in ("/hand-off?to=" + DATA, "/log-in?next=" + DATA):
        page = guarded.go(f"{ORIGIN}{way}/x?{'=' * 1900}")
        while page.status in (302, 303):
            assert len(page.location) < LINE_MAX
            page = guarded.go(page.location if "://" in page.location else ORIGIN + page.location)
        assert page.status == 200, way


def _kept(host: GuardedHost, uri: str) -> str:
    """What stands in the session for a page that is short enough for a URL, and too long once it is quoted."""
    return host.browser.get("/log-in", query_string={"next": DATA + uri}).location + "&"


def test_a_guarded_host_serves_its_own_few_pages_and_nothing_else(guarded: GuardedHost) -> None:
    style = guarded.own("/.mfaportal/static/portal.css")
    style.response.close()
    assert style.status == 200
    mark = style.response.headers["X-Mfaportal"]
    assert re.fullmatch("[0-9a-f]{16}", mark)
    assert guarded.own("/.mfaportal/denied").status == 403
    for path in ("/", "/log-in", "/account", "/static/portal.css", "/hand-off?to=/", "/.mfaportal"):
        assert guarded.own(path).status == 400, path
    for path in ("/.mfaportal/", "/.mfaportal/log-in", "/.mfaportal/static/none.css"):
        page = guarded.own(path)
        assert page.status == 404, path
        assert "/.mfaportal/static/portal.css" in page.html
    for path in ("enter", "denied", "static/portal.css"):
        assert guarded.browser.get(f"/.mfaportal/{path}").status == 404
        assert GuardedHost(guarded.browser, "https://other.example.org").own(f"/.mfaportal/{path}").status == 400


def test_a_proxy_that_loses_the_cookie_ends_in_a_page_that_says_so(guarded: GuardedHost, people: Cast) -> None:
    guarded.browser.log_in(people.reader)
    guarded.open()

    def blind() -> Page:
        """The gateway never sees the pass, so the browser comes back to be let in."""
        return guarded.own("/.mfaportal/enter?next=/table")

    first = blind()
    assert (first.status, first.location) == (303, DATA + "/table")
    second = blind()
    assert second.status == 409
    assert "does not pass the browser's cookies on" in second.text


def test_a_proxy_that_keeps_our_paths_to_itself_ends_in_a_page_that_says_so(
    guarded: GuardedHost, people: Cast
) -> None:
    guarded.browser.log_in(people.reader)
    page = guarded.follow(guarded.ask("/.mfaportal/enter?next=/table"))
    assert page.status == 409
    assert "keeps /.mfaportal/ to itself" in page.text
    assert "/static/portal.css" in page.html


def test_a_proxy_that_hands_our_paths_over_as_its_own_ends_in_a_page_that_says_so(
    app: Flask, guarded: GuardedHost
) -> None:
    """Nginx sends its own upstream as `Host` where it is not told otherwise."""
    headers = {"X-Forwarded-Host": "data.example.org"}
    proxied = {"base_url": ORIGIN, "environ_base": {"REMOTE_ADDR": PROXY}, "headers": headers}
    page = guarded.browser.open("GET", "/.mfaportal/enter?next=/", **proxied)
    assert page.status == 409
    assert "It has to hand on the header Host" in page.text
    assert guarded.browser.get("/.mfaportal/enter?next=/", headers=headers).status == 404, "nobody trusts a browser"


def test_a_page_that_is_wanted_in_the_middle_of_a_log_in_is_kept(
    app: Flask, guarded: GuardedHost, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        give_app(people.reader, clock)
    guarded.browser.give_password(people.reader)
    assert guarded.follow(guarded.ask(TABLE)).path == "/log-in/code"
    assert people.reader.phone is not None
    way = guarded.browser.submit("/log-in/code", code=people.reader.phone.code(clock())).location
    assert guarded.follow(guarded.go(ORIGIN + way)).status == 200
    assert "db%2FMy%2520table" in way


def test_a_host_of_this_machine_may_do_without_encryption(app: Flask, people: Cast, browser: Browser) -> None:
    guard(app, "http://data.localhost:8080")
    host = GuardedHost(browser, "http://data.localhost:8080")
    browser.log_in(people.reader)
    page = host.go(_until_enter(host))
    assert page.response.headers.getlist("Set-Cookie")[0].startswith("mfaportal-pass-8080=")
    assert host.open().status == 200


def test_a_browser_and_host_have_one_pass_in_the_end(
    app: Flask, guarded: GuardedHost, people: Cast, clock: MovableClock
) -> None:
    guarded.browser.log_in(people.reader)
    ways = [_until_enter(guarded) for _tab in range(3)]
    assert [guarded.go(way).status for way in ways] == [303, 303, 303]
    assert len(rows.rows(app, select(LoginPass))) == 3
    clock.advance(minutes=2)
    guarded.go(_until_enter_anew(guarded))
    assert len(rows.rows(app, select(LoginPass))) == 1


def _until_enter_anew(host: GuardedHost) -> str:
    host.browser.client.delete_cookie("__Host-mfaportal-pass", domain="data.example.org")
    return _until_enter(host)
