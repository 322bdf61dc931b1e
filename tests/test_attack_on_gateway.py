"""Attacks on the gateway: each name says what must not be possible."""

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import thread_time
from urllib.parse import quote, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from mfaportal.domain import cleansing, portals
from mfaportal.models import EventKind, GuardedAddress, LoginPass, Portal
from mfaportal.rules.cookie_names import on_guarded_host
from tests import offer, rows
from tests.browser_client import ORIGIN, Browser
from tests.clock import MovableClock
from tests.cookies import SESSION, TOKEN, held_by
from tests.guarded import DATA, PROXY, STRANGER, TRUST, GuardedHost, guard, identity
from tests.links import NEW
from tests.people import PASSWORD, Cast, add_person, on_the_command_line
from tests.proxies import passes
from tests.proxies.certificates import Certificates
from tests.proxies.deployed import PORTAL_HOST, Site
from tests.proxies.fronts import Nginx
from tests.server import Server, free_port
from tests.stored import cookie_of, plant_cookie
from tests.tracing import traced

FILES = "https://files.example.org"
PASS = "__Host-mfaportal-pass"
HOSTILE = "/" + "%EF%B7%BA" * 860 + "/x%252525252525253by%EF%BC%9Bz/x;y%3fz"
"""One request line that nginx and gunicorn take: 59 readings, each eighteen times as long as what was sent."""


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(**TRUST)


@pytest.fixture
def guarded(app: Flask, people: Cast, browser: Browser) -> GuardedHost:
    guard(app, DATA, FILES, back_office=("/admin",))
    return GuardedHost(browser)


def held(browser: Browser, host: str = "data.example.org", name: str = PASS) -> str:
    """The value of a cookie of a guarded host."""
    cookie = browser.client.get_cookie(name, host)
    assert cookie is not None
    return cookie.value


def asked_with(app: Flask, cookies: str, uri: str = "/", origin: str = DATA) -> TestResponse:
    """What the gateway says to a request with just this `Cookie` header."""
    parts = urlsplit(origin)
    headers = {
        "Cookie": cookies,
        "X-Forwarded-Method": "GET",
        "X-Forwarded-Proto": parts.scheme,
        "X-Forwarded-Host": parts.netloc,
        "X-Forwarded-Uri": uri,
    }
    client = app.test_client(use_cookies=False)
    return client.get("/gateway/nginx", base_url=origin, headers=headers, environ_base={"REMOTE_ADDR": PROXY})


def with_a_pass_of_their_own(app: Flask, clock: MovableClock, owner: Browser) -> GuardedHost:
    """A thief who copied the owner's portal cookie for a moment, and got a pass by it in another browser."""
    thief = GuardedHost(Browser(app, clock))
    plant_cookie(thief.browser, cookie_of(owner))
    assert thief.open("/table").status == 200
    return thief


# --- a stranger -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["https://x\r\nSet-Cookie: a=b/", "https://\u20ac/", "https://x\x00/"])
def test_a_stranger_cannot_make_the_log_in_answer_500_by_the_page_that_they_want(
    guarded: GuardedHost, to: str
) -> None:
    wanted = quote("/hand-off?to=" + quote(to, safe=""), safe="")
    page = guarded.browser.get(f"/log-in?next={wanted}")
    assert page.status == 200
    page.response.headers["Content-Security-Policy"].encode("latin-1")


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/",
        "https://x; report-uri https:",
        "https://x; script-src-elem * 'unsafe-inline'; connect-src *",
    ],
)
def test_a_link_to_the_log_in_cannot_add_anything_to_its_policy_but_a_guarded_origin(
    guarded: GuardedHost, to: str
) -> None:
    wanted = quote("/hand-off?to=" + quote(to, safe=""), safe="")
    page = guarded.browser.get(f"/log-in?next={wanted}")
    assert "form-action 'self';" in page.response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("wanted", ["//evil.example/login", "///evil.example/login"])
def test_a_page_of_a_guarded_host_cannot_be_made_to_lead_to_somebody_else_s_host(
    guarded: GuardedHost, wanted: str
) -> None:
    """A link with a token that is none: the button "Try again" stands on a page of the portal's."""
    page = guarded.own(f"/.mfaportal/enter?token={'x' * 43}&next={quote(wanted, safe='')}")
    assert page.status == 410
    assert f'href="{wanted}"' not in page.html


def test_a_stranger_cannot_fill_the_memory_with_paths(guarded: GuardedHost) -> None:
    """Asked 256 times with another path each, every worker would keep all their readings."""
    guarded.ask("/")
    tail = "/x%252525252525253by%EF%BC%9Bz/x;y%3fz"
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(3):
            body = "/".join(f"{(number + each) % 997:02x}" for each in range(2500))
            guarded.ask(("/" + body)[:7900] + tail)
        kept = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert kept < 3_000_000, f"{kept} bytes are kept of three requests"


def test_a_stranger_cannot_keep_a_worker_busy_with_one_path(guarded: GuardedHost) -> None:
    guarded.ask("/")
    begun = thread_time()
    guarded.ask(HOSTILE)
    took = thread_time() - begun
    assert took < 0.05, f"one question of a stranger took {took:.2f} s"


def test_a_stranger_with_a_token_that_is_none_cannot_keep_others_from_writing(
    app: Flask, guarded: GuardedHost
) -> None:
    """Nothing counts these questions; each would take the one lock for writing and wait for it."""
    guarded.own("/.mfaportal/enter?next=/")
    with traced(app, all_of_them=True) as begun:
        assert guarded.own(f"/.mfaportal/enter?token={'x' * 43}&next=/").status == 410
    assert begun, "the statements were seen"
    assert not [statement for statement in begun if "IMMEDIATE" in statement or "READ WRITE" in statement]


@pytest.mark.parametrize("where", ["gateway", "portal", "guarded"])
def test_a_cookie_of_strange_bytes_cannot_make_an_answer_500(app: Flask, guarded: GuardedHost, where: str) -> None:
    """A neighbour of the portal's host may set it for their common domain: whoever has it would be locked out."""
    client = app.test_client(use_cookies=False)
    cookie = {"Cookie": f"\xff\xfe=\xff; a=\xc3; {PASS}=\xff; {SESSION}=\xff; x=probe.\xff"}
    if where == "gateway":
        status = asked_with(app, cookie["Cookie"]).status_code
    elif where == "portal":
        status = client.get("/log-in", base_url=ORIGIN, headers=cookie).status_code
    else:
        status = client.get("/.mfaportal/enter", base_url=DATA, headers=cookie).status_code
    assert status < 500


# --- an application that has gone bad -------------------------------------------------------------------------------


def test_hand_offs_that_nobody_takes_do_not_pile_up(app: Flask, guarded: GuardedHost, people: Cast) -> None:
    """Guarded hosts and the portal are mostly of one site: an image's address on one of them carries the cookie."""
    guarded.browser.log_in(people.reader)
    for _ in range(60):
        guarded.browser.get(f"/hand-off?to={DATA}/&browser={'x' * 43}")
    assert len(rows.rows(app, select(LoginPass.id))) <= 30


def test_a_bad_application_cannot_fill_the_log_of_events_under_its_visitors_names(
    app: Flask, guarded: GuardedHost, people: Cast
) -> None:
    """It sets the mark of its own host itself, so it can have a hand-off made and taken as often as it likes."""
    guarded.browser.log_in(people.reader)
    for _ in range(40):
        page = guarded.ask("/")
        while "token=" not in page.location and page.status in (302, 303):
            page = guarded.go(page.location)
        if page.status == 303:
            guarded.go(page.location)
        guarded.browser.client.delete_cookie(PASS, domain="data.example.org")
    assert len(rows.events(app, EventKind.GUARDED_HOST_ENTERED)) <= 30


@pytest.mark.parametrize("asked", [{"Upgrade": "websocket"}, {"method": "POST"}, {"method": "DELETE"}])
def test_the_pages_of_one_guarded_host_cannot_act_on_another_with_their_visitors_passes(
    guarded: GuardedHost, people: Cast, asked: dict[str, str]
) -> None:
    """They are of one site, so SameSite=Lax lets the pass go along; and a script may read what a WebSocket says."""
    guarded.browser.log_in(people.editor)
    files = GuardedHost(guarded.browser, FILES)
    assert files.open("/").status == 200
    headers = {name: value for name, value in asked.items() if name != "method"}
    for fetched in ({}, {"Sec-Fetch-Site": "same-site"}):
        for at in ("nginx", "forward"):
            page = files.ask(
                "/chat", at=at, method=asked.get("method", "GET"), headers={**headers, "Origin": DATA, **fetched}
            )
            assert page.status in (401, 403), (at, fetched)
    own = files.ask("/chat", method=asked.get("method", "GET"), headers={**headers, "Origin": FILES})
    assert own.status == 200, "its own pages may"


@pytest.mark.parametrize("blank", ["\u2000", "\u3000", "\x85", "\xa0", "\x0b", "\x1f"])
def test_a_neighbour_cannot_plant_a_pass_or_a_session_by_a_name_that_only_some_take_for_ours(
    app: Flask, guarded: GuardedHost, people: Cast, clock: MovableClock, blank: str
) -> None:
    """Browsers hold `__Host-` to the host, but no name with a blank before it that some parsers strip."""
    guarded.browser.log_in(people.operator)
    guarded.open()
    planted = f"{blank}{PASS}={held(guarded.browser)}".encode().decode("latin-1")
    assert asked_with(app, planted).status_code == 401
    own = GuardedHost(Browser(app, clock))
    own.browser.log_in(people.reader)
    own.open()
    both = f"{planted}; {PASS}={held(own.browser)}"
    assert asked_with(app, both).headers["Remote-User"] == people.reader.email
    session = f"{blank}{SESSION}={cookie_of(guarded.browser)}".encode().decode("latin-1")
    client = app.test_client(use_cookies=False)
    assert client.get("/account", base_url=ORIGIN, headers={"Cookie": session}).status_code == 303


def test_nothing_else_that_a_browser_or_an_application_sees_is_a_pass(
    app: Flask, guarded: GuardedHost, people: Cast
) -> None:
    """Not the portal's session, not its token, not the hand-off's token after it was taken, not the mark."""
    browser = guarded.browser
    browser.log_in(people.operator)
    page = guarded.ask("/")
    while "token=" not in page.location:
        page = guarded.go(page.location)
    mark = held(browser, name="__Host-mfaportal-asked")
    token = page.location.rpartition("token=")[2]
    assert len(token) == 43
    for value in (token, mark, held_by(browser)[TOKEN], cookie_of(browser)):
        assert asked_with(app, f"{PASS}={value}").status_code == 401
    guarded.go(page.location)
    for value in (token, mark, held_by(browser)[TOKEN], cookie_of(browser)):
        assert asked_with(app, f"{PASS}={value}").status_code == 401
    assert asked_with(app, f"{PASS}={held(browser)}").status_code == 200


def test_a_member_of_one_portal_cannot_enter_another_on_the_same_host(
    app: Flask, people: Cast, clock: MovableClock, browser: Browser
) -> None:
    """One pass for the host; whose place it is says the path, and nobody is named to the neighbour."""
    with app.app_context():
        portals.create(on_the_command_line(clock), "Elsewhere", "elsewhere")
        outsider = add_person(clock, "outsider@example.org", "Outsider", "admin", portal="elsewhere")
    guard(app, f"{DATA}/a", back_office=("/admin",))
    guard(app, f"{DATA}/b", slug="elsewhere")
    host = GuardedHost(browser)
    browser.log_in(outsider)
    assert host.open("/b/admin").status == 200, "Elsewhere has no back office there"
    assert [host.ask(uri, at="nginx").status for uri in ("/a/", "/a/admin", "/a", "/", "/b%2f..%2fa")] == [403] * 5
    rows.put(app, update(Portal).where(Portal.slug == "city-data").values(visibility="public"))
    page = host.ask("/a/table", at="nginx")
    assert (page.status, identity(page)) == (200, STRANGER)
    assert host.ask("/a/admin", at="nginx").status == 403


# --- a network peer beside the proxy --------------------------------------------------------------------------------


def test_a_peer_beside_the_proxy_cannot_ask_with_a_good_pass_or_act_as_the_proxy(
    app: Flask, guarded: GuardedHost, people: Cast
) -> None:
    guarded.browser.log_in(people.operator)
    guarded.open()
    for at in ("nginx", "forward"):
        page = guarded.browser.open(
            "GET",
            f"/gateway/{at}",
            base_url=DATA,
            environ_base={"REMOTE_ADDR": "192.0.2.81"},
            headers={
                "X-Forwarded-Method": "GET",
                "X-Forwarded-Proto": "https",
                "X-Forwarded-Host": "data.example.org",
                "X-Forwarded-Uri": "/",
                "X-Forwarded-For": PROXY,
                "X-Real-Ip": PROXY,
                "Forwarded": f"for={PROXY}",
            },
        )
        assert (page.status, page.response.headers.get("Remote-User")) == (403, None)


# --- somebody whose rights are gone ---------------------------------------------------------------------------------


def test_a_stolen_cookie_leaves_no_pass_behind_when_the_owner_changes_the_password(
    app: Flask, guarded: GuardedHost, people: Cast, clock: MovableClock
) -> None:
    """The owner's login has a new token, and the stolen one is dead; so must be what was got by it."""
    owner = guarded.browser
    owner.log_in(people.editor)
    thief = with_a_pass_of_their_own(app, clock, owner)
    assert owner.submit("/account/security/password", current_password=PASSWORD, password=NEW).status == 303
    assert thief.browser.get("/account").status == 303, "the stolen cookie is dead"
    assert thief.ask("/admin", at="nginx").status == 401


def test_a_stolen_cookie_leaves_no_hand_off_behind_when_the_owner_changes_the_password(
    app: Flask, guarded: GuardedHost, people: Cast, clock: MovableClock
) -> None:
    owner = guarded.browser
    owner.log_in(people.editor)
    thief = GuardedHost(Browser(app, clock))
    plant_cookie(thief.browser, cookie_of(owner))
    page = thief.ask("/admin")
    while "token=" not in page.location:
        page = thief.go(page.location)
    assert owner.submit("/account/security/password", current_password=PASSWORD, password=NEW).status == 303
    assert thief.go(page.location).status == 410


def test_a_stolen_cookie_leaves_no_pass_behind_when_the_owner_sets_up_an_app(
    app: Flask, guarded: GuardedHost, people: Cast, clock: MovableClock
) -> None:
    owner = guarded.browser
    owner.log_in(people.editor)
    thief = with_a_pass_of_their_own(app, clock, owner)
    page = owner.get("/account/security/methods/add")
    assert owner.send(page, code=offer.Offer(page).phone.code(clock()), name="My phone").status == 303
    assert thief.browser.get("/account").status == 303, "the stolen cookie is dead"
    assert thief.ask("/admin", at="nginx").status == 401


def test_a_pass_got_while_the_clock_was_ahead_is_not_believed_once_it_is_put_right(
    app: Flask, guarded: GuardedHost, people: Cast, clock: MovableClock
) -> None:
    clock.advance(days=365)
    guarded.browser.log_in(people.editor)
    assert guarded.open("/admin").status == 200
    clock.advance(days=-365)
    assert guarded.ask("/admin", at="nginx").status == 401
    clock.advance(days=300)
    assert guarded.ask("/admin", at="nginx").status == 401


def test_a_restored_backup_brings_no_pass_and_no_hand_off_back(
    app: Flask, guarded: GuardedHost, people: Cast, clock: MovableClock
) -> None:
    guarded.browser.log_in(people.editor)
    guarded.open()
    way = guarded.own("/.mfaportal/enter?next=/").location
    files = GuardedHost(guarded.browser, FILES)
    page = files.ask("/")
    while "token=" not in page.location:
        page = files.go(page.location)
    with app.app_context():
        cleansing.after_restore(on_the_command_line(clock), "then", void_recovery_codes=False)
    assert guarded.ask("/", at="nginx").status == 401
    assert files.go(page.location).status == 410
    assert way.startswith(DATA)


def test_an_address_that_another_portal_has_taken_over_is_that_portal_s_at_once(
    app: Flask, guarded: GuardedHost, people: Cast, clock: MovableClock
) -> None:
    """With passes and hand-offs that were made before."""
    with app.app_context():
        portals.create(on_the_command_line(clock), "Elsewhere", "elsewhere")
    guarded.browser.log_in(people.admin)
    guarded.open()
    elsewhere = rows.portal(app, "elsewhere")
    rows.put(app, update(GuardedAddress).values(portal_id=elsewhere.id))
    assert guarded.ask("/", at="nginx").status == 403


# --- nginx ----------------------------------------------------------------------------------------------------------


class _Bad(BaseHTTPRequestHandler):
    """An application that answers with a header for nginx; and its neighbour, which says who asks it for what."""

    def do_GET(self) -> None:
        bad = getattr(self.server, "bad", False)
        body = b"its own" if bad else f"the neighbour's, for {self.headers.get('Remote-User')}".encode()
        self.send_response(200)
        if bad:
            self.send_header("X-Accel-Redirect", "/other/secret")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def _serving(*, bad: bool) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Bad)
    server.bad = bad  # type: ignore[attr-defined]
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


class _TwoApplications(Nginx):
    """What is shipped, with a second application on the same host, as the files say that it is done."""

    neighbour = 0

    def configure(self) -> None:
        super().configure()
        file = self.folder / "mfaportal-site.conf"
        own = f"""    location /other/ {{
        include snippets/mfaportal-application.conf;
        proxy_pass http://127.0.0.1:{self.neighbour};
    }}
"""
        text = file.read_text()
        start = text.rindex("    location / {")
        file.write_text(text[:start] + own + text[start:])


@pytest.mark.slow
@pytest.mark.needs("nginx")
def test_an_application_behind_nginx_cannot_have_another_portal_s_pages_shown_to_whom_it_likes(
    app: Flask, people: Cast, clock: MovableClock, server: Server, tmp_path: Path
) -> None:
    """By X-Accel-Redirect, nginx asks the gateway about the path that came, and the neighbour for another one."""
    host, port = "data.example.test", free_port()
    netloc = f"{host}:{port}"
    with app.app_context():
        portals.create(on_the_command_line(clock), "Elsewhere", "elsewhere")
    guard(app, f"https://{netloc}")
    guard(app, f"https://{netloc}/other", slug="elsewhere")
    server.settings |= {
        "MFAPORTAL_PUBLIC_URL": f"https://{PORTAL_HOST}:{port}",
        "MFAPORTAL_TRUSTED_PROXIES": "127.0.0.1",
    }
    server.start(workers=1)
    certificates = Certificates(tmp_path / "certificates", [host, PORTAL_HOST])
    with _serving(bad=True) as bad, _serving(bad=False) as neighbour:
        nginx = _TwoApplications(tmp_path / "etc", Site(port, free_port(), server.port, {host: bad}, certificates))
        nginx.neighbour = neighbour
        try:
            nginx.start()
            with app.app_context():
                token = passes.give(people.reader, netloc, datetime.now(UTC))
            cookie = {"Cookie": f"{on_guarded_host('pass', 'https', netloc)}={token}"}
            assert nginx.get(host, "/other/secret", cookie).status == 403
            answer = nginx.get(host, "/page", cookie)
            assert answer.body == b"its own"
        finally:
            nginx.stop()
