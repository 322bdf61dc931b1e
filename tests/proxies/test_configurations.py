"""What is shipped for nginx and Caddy, as it stands: who gets through, and what the application is told."""

from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import update

from mfaportal.models import Portal, Visibility
from mfaportal.plumbing.db import transaction
from tests.people import PORTAL, give_app
from tests.proxies.applications import FILE, Echo, Seen
from tests.proxies.conftest import DATA, FILES, SOCKET, Guarded
from tests.proxies.deployed import PORTAL_HOST
from tests.proxies.fronts import Front
from tests.proxies.playing import logged_in
from tests.proxies.traveller import Traveller
from tests.proxies.tricks import SIGNS
from tests.server import free_port

pytestmark = pytest.mark.slow
IDENTITY = ("Remote-User", "Remote-Name", "Remote-Email", "Remote-Groups")
UPLOAD = 20 * 1024 * 1024
LIES = [
    *[(name, "operator@example.org") for name in (*IDENTITY, *(name.replace("-", "_") for name in IDENTITY))],
    *[(name, "operator@example.org") for name in ("REMOTE_USER", "remote_user", "Remote-USER", "X-Forwarded-User")],
    ("X-Forwarded-For", "192.0.2.1"),
    ("X_Forwarded_For", "192.0.2.1"),
    ("X-Real-IP", "192.0.2.1"),
    ("Forwarded", "for=192.0.2.1;host=evil.test"),
    ("X-Forwarded-Host", "evil.test"),
    ("X-Forwarded-Proto", "gopher"),
    ("X-Forwarded-Method", "TRACE"),
    ("X-Forwarded-Uri", "/public"),
    ("X-Forwarded-Prefix", "/evil"),
    ("X-Script-Name", "/evil"),
    ("X-Original-URL", "/admin"),
    ("X-Original-URI", "/admin"),
    ("X-Rewrite-URL", "/admin"),
    *[(f"Remote{sign}User", "operator@example.org") for sign in SIGNS],
    *[(f"X{sign}Forwarded{sign}For", "192.0.2.1") for sign in SIGNS],
    *[(f"X{sign}Original{sign}URL", "/admin/evil") for sign in SIGNS],
]
"""What a client may say about itself, and what the application must not hear."""
COOKIES = {
    "<pass>; theme=dark; session=1": "theme=dark; session=1",
    "theme=dark; <pass>; session=1": "theme=dark; session=1",
    "theme=dark; session=1; <pass>": "theme=dark; session=1",
    "<pass>": "",
    "a=1; <pass>; mfaportal-8000=x; b=2; mfaportal-device=y; c=3; __Host-mfaportal=z": "a=1; b=2; c=3",
    "<pass>;a=1;MFAPORTAL-odd=1;   __host-mfaportal-x=2;b=3": "a=1;b=3",
    "<pass>; not-mfaportal=1; x__Host-mfaportal=2": "not-mfaportal=1; x__Host-mfaportal=2",
}
"""What a browser sends, and what the application sees."""
NOT_FOR_BROWSERS = (
    "/gateway/forward",
    "//gateway/nginx",
    "/gateway%2fforward",
    "/%67ateway/nginx",
    "/x/../gateway/nginx",
    "/.mfaportal/denied",
)
LONG = {
    "separators": "/page?" + "a=1&" * 400,
    "more separators": "/page?" + "a=1&" * 425,
    "nothing but separators": "/page?" + "&=" * 900,
    "letters": "/page?of=" + "a" * 1900,
    "encoded letters": "/page?of=" + "%C3%A4" * 600,
    "a long path": "/" + "a" * 3000,
    "a long path of signs": "/" + "&=" * 1800,
}
"""Addresses that are long, or get long where one stands in a link within a link."""
AS_LONG_AS_MAY_BE = "/page?of=" + "&=" * 370
"""Comes back to the letter."""


def _last(application: Echo) -> Seen:
    seen = application.seen.pop()
    application.seen.clear()
    return seen


def test_the_proxy_finds_nothing_wrong_with_its_configuration(front: Front) -> None:
    found = front.check()
    assert found.returncode == 0, found.stderr
    assert "[warn]" not in found.stderr
    assert "deprecated" not in found.stderr
    assert "not formatted" not in found.stderr


def test_a_stranger_is_sent_to_log_in_and_nothing_that_they_post_reaches_the_application(
    guarded: Guarded, front: Front, application: Echo
) -> None:
    application.seen.clear()
    page = front.get(FILES, "/page?of=1", {"Cookie": "theme=dark"})
    assert page.status == 302
    assert page.header("Location").startswith(f"{front.url(PORTAL_HOST)}/log-in?next=https%3A%2F%2F{FILES}")
    chunks = {"Transfer-Encoding": "chunked"}, b"1000\r\n" + b"c" * 0x1000 + b"\r\n0\r\n\r\n"
    for method, (headers, body) in (("POST", ({}, b"a=1")), ("PUT", ({}, b"x" * 90_000)), ("POST", chunks)):
        refused = front.get(FILES, "/form", headers, method=method, body=body)
        assert refused.status == 401
        assert b"not saved" in refused.body
    assert front.get(FILES, "/page", {"X-Requested-With": "XMLHttpRequest"}).json == {"error": "log_in_required"}
    if front.name == "nginx":  # answers at once; Caddy waits for the body, to throw it away
        headers = {"Content-Length": str(UPLOAD), "Expect": "100-continue"}
        assert front.get(FILES, "/form", headers, method="POST").status == 401
    assert not application.seen


def test_nothing_that_a_client_says_about_itself_reaches_the_application(
    guarded: Guarded, front: Front, application: Echo
) -> None:
    reader = guarded.people.reader
    answer = front.get(FILES, "/page", [("Cookie", guarded.cookie(reader, FILES)), *LIES])
    assert answer.status == 200
    seen = _last(application)
    told = [(name, value) for name in IDENTITY for value in seen.all(name)]
    assert told == list(zip(IDENTITY, (reader.email, reader.name, reader.email, "reader"), strict=True))
    assert seen.all("X-Forwarded-For") == ["127.0.0.1"]
    assert seen.all("X-Forwarded-Proto") == ["https"]
    assert seen.all("X-Forwarded-Host") == seen.all("Host") == [f"{FILES}:{front.site.port}"]
    assert "operator" not in str(seen.headers)
    assert "evil" not in str(seen.headers)
    assert "192.0.2.1" not in str(seen.headers)
    gone = ("Forwarded", "X-Forwarded-Uri", "X-Forwarded-Method", "X-Original-URL", "X-Original-URI", "X-Rewrite-URL")
    assert [seen.all(name) for name in gone] == [[]] * len(gone)


def test_at_a_public_portal_a_stranger_is_nobody_whatever_they_say(
    guarded: Guarded, front: Front, application: Echo
) -> None:
    with transaction() as session:
        session.execute(update(Portal).where(Portal.slug == PORTAL).values(visibility=Visibility.PUBLIC))
    assert front.get(FILES, "/page", LIES).status == 200
    seen = _last(application)
    assert {value for name in IDENTITY for value in seen.all(name)} <= {""}
    assert front.get(FILES, "/admin/users", LIES).status == 302
    assert not application.seen


def test_the_application_sees_its_own_cookies_and_none_of_ours(
    guarded: Guarded, front: Front, application: Echo
) -> None:
    its_pass = guarded.cookie(guarded.people.reader, FILES)
    for sent, left in COOKIES.items():
        assert front.get(FILES, "/page", {"Cookie": sent.replace("<pass>", its_pass)}).status == 200
        assert "".join(_last(application).all("Cookie")).strip("; ") == left, sent


def test_a_pass_hidden_among_many_cookies_of_ours_does_not_get_through_either(
    guarded: Guarded, front: Front, application: Echo
) -> None:
    many = "; ".join(f"a{number}=1; mfaportal-{number}=2" for number in range(30))
    cookie = guarded.cookie(guarded.people.reader, FILES)
    assert front.get(FILES, "/page", {"Cookie": f"{many}; last=1; {cookie}"}).status == 200
    assert "mfaportal" not in str(_last(application).headers)
    two = front.get(FILES, "/page", [("Cookie", "a=1"), ("Cookie", f"{cookie}; b=2")])
    if two.status == 200:  # two headers are nothing that a browser sends
        assert "mfaportal" not in str(_last(application).headers)


def test_ranges_large_uploads_and_the_application_s_own_refusals_go_through(
    guarded: Guarded, front: Front, application: Echo
) -> None:
    known = {"Cookie": guarded.cookie(guarded.people.reader, FILES)}
    part = front.get(FILES, "/file.bin", {**known, "Range": "bytes=1000-1999"})
    assert (part.status, part.body) == (206, FILE[1000:2000])
    assert part.header("Content-Range") == f"bytes 1000-1999/{len(FILE)}"
    assert front.get(FILES, "/upload", known, method="POST", body=b"u" * UPLOAD).json["length"] == UPLOAD
    chunks = b"10000\r\n" + b"c" * 0x10000 + b"\r\n0\r\n\r\n"
    streamed = front.get(FILES, "/upload", {**known, "Transfer-Encoding": "chunked"}, method="PUT", body=chunks)
    assert streamed.json["length"] == 0x10000
    for status in (401, 403):
        own = front.get(FILES, f"/own-{status}", known)
        assert (own.status, own.body) == (status, b"the application's own words")


def test_a_reader_at_a_back_office_path_gets_our_page_and_an_editor_the_application_s(
    guarded: Guarded, front: Front, application: Echo
) -> None:
    application.seen.clear()
    people = guarded.people
    refused = front.get(FILES, "/admin/users", {"Cookie": guarded.cookie(people.reader, FILES)})
    assert refused.status == 403
    assert b"/.mfaportal/static/" in refused.body
    for wants in ({"Accept": "application/json"}, {"X-Requested-With": "XMLHttpRequest"}):
        script = front.get(FILES, "/admin/users", {"Cookie": guarded.cookie(people.reader, FILES), **wants})
        assert (script.status, script.json) == (403, {"error": "forbidden"})
    assert not application.seen
    let_in = front.get(FILES, "/admin/users?page=2", {"Cookie": guarded.cookie(people.editor, FILES)})
    assert let_in.json["path"] == "/admin/users?page=2"
    assert front.get(FILES, "/x", {"Cookie": guarded.cookie(people.reader, DATA)}).status == 302  # another host's
    table = front.get(DATA, "/harbour/ships.json?_shape=array", {"Cookie": guarded.cookie(people.reader, DATA)})
    assert [ship["name"] for ship in table.json] == ["Ada", "Grace", "Hedy"]


def test_our_own_corner_of_a_guarded_host_needs_no_pass_and_never_reaches_the_application(
    guarded: Guarded, front: Front, application: Echo
) -> None:
    application.seen.clear()
    denied = front.get(FILES, "/.mfaportal/denied")
    assert denied.status == 403
    assert denied.header("X-Mfaportal")
    for path in ("/.mfaportal/", "/.mfaportal/../admin", "/.mfaportal/%2e%2e/admin", "/%2Emfaportal/denied"):
        assert front.get(FILES, path).status in {302, 400, 403, 404}, path
    assert not application.seen


def test_what_proxies_ask_is_not_there_for_browsers(guarded: Guarded, front: Front) -> None:
    asked = {
        "X-Forwarded-Method": "GET",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": f"{FILES}:{front.site.port}",
        "X-Forwarded-Uri": "/",
        "Cookie": guarded.cookie(guarded.people.reader, FILES),
    }
    for path in NOT_FOR_BROWSERS:
        assert front.get(PORTAL_HOST, path, asked).status in {308, 404}, path
    assert front.get(PORTAL_HOST, "/log-in").status == 200


def test_the_portal_is_asked_about_the_host_that_the_proxy_has_chosen_and_no_other(
    guarded: Guarded, front: Front, application: Echo
) -> None:
    """A pass for one host must not open what stands behind another's name, or behind none."""
    application.seen.clear()
    cookie = guarded.cookie(guarded.people.reader, DATA)
    data, files = f"{DATA}:{front.site.port}", f"{FILES}:{front.site.port}"
    for target, host in ((f"https://{files}/x", data), ("/x", f"nowhere.example.test:{front.site.port}")):
        answer = front.get(FILES, target, [("Host", host), ("Cookie", cookie)])
        assert answer.status != 200 or not answer.body, (target, host)
    assert not application.seen
    shouted = front.get(FILES, "/harbour.json", [("Host", data.upper()), ("Cookie", cookie)])
    assert shouted.status == 200  # Datasette's
    assert not application.seen


@pytest.mark.parametrize("path", LONG.values(), ids=LONG.keys())
def test_a_stranger_with_a_long_address_comes_to_the_log_in_by_each_way(
    guarded: Guarded, front: Front, path: str
) -> None:
    """Neither the proxy nor the portal finds the answer, or the question that it leads to, too long."""
    stranger = Traveller(front)
    page = stranger.open(FILES, path)
    assert (page.status, len(stranger.way)) == (200, 2), stranger.way
    assert b'name="password"' in page.body
    page = stranger.open(FILES, f"/.mfaportal/enter?next={quote(path, safe='')}"[:4000])
    assert page.status == 200, stranger.way
    assert b'name="password"' in page.body


@pytest.mark.parametrize("path", [*LONG.values(), AS_LONG_AS_MAY_BE], ids=[*LONG.keys(), "as long as may be"])
def test_somebody_with_a_long_address_comes_back_as_near_to_it_as_may_be(
    app: Flask, guarded: Guarded, front: Front, application: Echo, path: str
) -> None:
    host, reader = f"{FILES}:{front.site.port}", guarded.people.reader
    held = logged_in(app, reader, host, f"{DATA}:{front.site.port}", guarded.clock())
    somebody = Traveller(front)
    name, _, value = held["<SESSION>"].partition("=")
    somebody.held[PORTAL_HOST][name] = value
    assert somebody.open(FILES, path).status == 200, somebody.way
    nearest = (path, path.partition("?")[0], "/")
    assert _last(application).path in (nearest[:1] if path == AS_LONG_AS_MAY_BE else nearest)
    assert somebody.open(FILES, path).status == 200
    assert _last(application).path == path, "with the pass nothing stands in any link"


def test_the_page_that_is_wanted_waits_for_the_code_however_long_its_address(
    guarded: Guarded, front: Front, application: Echo
) -> None:
    """The portal's answer holds it in a cookie, and is larger than what nginx takes unless it is told."""
    reader = guarded.people.reader
    give_app(reader, guarded.clock)
    somebody = Traveller(front)
    page = somebody.open(FILES, AS_LONG_AS_MAY_BE)
    path = somebody.way[-1].removeprefix(front.url(PORTAL_HOST))
    answer = somebody.send(PORTAL_HOST, path, page, {"email": reader.email, "password": reader.password})
    assert (answer.status, answer.header("Location")) == (303, "/log-in/code")
    page = somebody.open(PORTAL_HOST, "/log-in/code")
    assert reader.phone is not None
    answer = somebody.send(PORTAL_HOST, "/log-in/code", page, {"code": reader.phone.code(guarded.clock())})
    assert somebody.open(PORTAL_HOST, answer.header("Location")).status == 200
    assert _last(application).path == AS_LONG_AS_MAY_BE
    again = "/page?of=" + "a" * 3900  # what somebody with a pass is sent to at once
    assert somebody.open(FILES, f"/.mfaportal/enter?next={again}").status == 200
    assert _last(application).path == again


@pytest.mark.parametrize("broken", ["down", "another"])
def test_a_portal_that_is_down_or_is_none_lets_nobody_in(
    guarded: Guarded, broken: str, tmp_path: Path, application: Echo
) -> None:
    """`another`: something else listens where the portal should, and answers that it does not understand."""
    application.seen.clear()
    site, cookie = guarded.front.site, {"Cookie": guarded.cookie(guarded.people.operator, FILES)}
    elsewhere = free_port() if broken == "down" else site.applications[SOCKET]
    alone = type(guarded.front)(
        tmp_path / "etc", replace(site, port=free_port(), http_port=free_port(), portal_port=elsewhere)
    )
    try:
        alone.start()
        for method in ("GET", "POST"):
            assert alone.get(FILES, "/page", cookie, method=method).status >= 400
    finally:
        alone.stop()
    assert not application.seen


@pytest.mark.needs("nginx")
@pytest.mark.parametrize("front", ["nginx"], indirect=True)
def test_plain_http_leads_to_https_and_to_no_application(front: Front) -> None:
    """Caddy does it by itself on port 80, which the tests may not have."""
    connection = HTTPConnection("127.0.0.1", front.site.http_port, timeout=10)
    connection.request("GET", "/admin?x=1", headers={"Host": FILES})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Location"]) == (301, f"https://{FILES}/admin?x=1")
    connection.close()
