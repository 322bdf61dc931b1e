"""Bad values in queries: the search and the filters of Users, the wanted page, the welcome token."""

from urllib.parse import urlencode

import pytest

from mfaportal.rules.mfa_rule import MfaRule
from tests.browser_client import Browser
from tests.input.scenes import ACCESS, Scene
from tests.input.values import BASE, UNESCAPED
from tests.people import PASSWORD, set_rule

COOKIE_MAX = 4093
"""What browsers keep of a cookie, name and attributes included."""
ELSEWHERE = (
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "/%2f/evil.example",
    "http:evil.example",
    "javascript:alert(1)",
    "/\tevil.example",
    "/account\r\nSet-Cookie: a=b",
    "/account?next=//evil.example",
    "/account#//evil.example",
    "/log-in",
    "/log-out",
    "/healthz",
    "/static/portal.css",
    "/nowhere",
    "/account/" + "a" * 3_000,
    "/account?" + "\u4e2d\u6587" * 900,
    "/account?" + "".join(chr(0x4E00 + number * 7 % 20_000) for number in range(1_900)),
    "/account?" + "".join(chr(48 + number * number % 75) for number in range(1_990)).replace("\\", "~"),
)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        *((f"{ACCESS}/users", field) for field in ("q", "role", "mfa", "after", "unknown")),
        ("/installation/accounts", "state"),
        *(("/installation/activity", field) for field in ("person", "portal", "kind", "from", "to", "after")),
    ],
)
def test_a_bad_filter_finds_nobody_or_is_none(scene: Scene, path: str, field: str) -> None:
    scene.log_in("operator")
    for value in BASE:
        if value.text is None or len(value.text) > 20_000:
            continue
        query = value.in_body(field).decode("latin-1")
        page = scene.browser.get(f"{path}?{query}")
        assert page.status == 200, value.what
        assert not [text for text in UNESCAPED if text in page.html], value.what
    for query in (
        f"{field}=a&{field}=b",
        f"{field}[]=a",
        field,
        f"{field}={'9' * 400}",
        f"{field}=%EF%BC%91",
        "%",
        "&&=",
    ):
        assert scene.browser.get(f"{path}?{query}").status == 200, query


def test_the_search_takes_its_text_literally(scene: Scene) -> None:
    scene.log_in("admin")
    for text, found in (("%", False), ("_", False), ("eade", True), ("READER", True), ("*", False), ("\\", False)):
        page = scene.browser.get(f"{ACCESS}/users?{urlencode({'q': text})}")
        assert ("reader@example.org" in page.html) is found, text


@pytest.mark.parametrize(
    "wanted", [*ELSEWHERE, *[value.text for value in BASE if value.text and len(value.text) < 9_000]]
)
def test_no_wanted_page_leads_elsewhere_or_breaks_the_log_in(scene: Scene, wanted: str) -> None:
    person = scene.seed().reader
    phone = scene.give_app(person)
    browser = scene.browser
    path = f"/log-in?{urlencode({'next': wanted})}"
    page = browser.submit(path, email=person.email, password=PASSWORD)
    assert (page.status, page.location) == (303, "/log-in/code")
    _expect_cookie_fits(page.response.headers.get("Set-Cookie", ""))
    page = browser.submit("/log-in/code", code=phone.code(scene.clock()))
    _expect_here(page.location)
    for again in (browser.get(path), browser.submit(f"/confirm?{urlencode({'next': wanted})}", code="000000")):
        assert again.status in (303, 422)
        _expect_here(again.location)


def _expect_here(location: str) -> None:
    assert location in ("", "/") or location.startswith(("/account", "/log-in"))
    assert not location.startswith(("//", "/\\"))
    assert location.isascii()
    assert not any(char in location for char in "\r\n\t ")


def _expect_cookie_fits(cookie: str) -> None:
    assert cookie
    assert len(cookie) <= COOKIE_MAX


def test_somebody_led_to_set_up_still_gets_a_cookie_that_fits(scene: Scene) -> None:
    """The longest wanted page there may be, and all that strangers can put into a session beside it."""
    person = scene.seed().reader
    with scene.app.app_context():
        set_rule(MfaRule.EVERYONE, scene.clock)
    browser = scene.browser
    for link in ("reset-password", "invitations"):
        browser.get(f"/{link}/{'t' * 500}")
    page = browser.get("/log-in?" + urlencode({"next": ELSEWHERE[-1]}))
    page = browser.send(page, email=person.email, password=PASSWORD)
    assert page.location == "/log-in/set-up"
    _expect_cookie_fits(page.response.headers["Set-Cookie"])


def test_messages_that_nobody_reads_do_not_grow_the_cookie_beyond_what_fits(scene: Scene) -> None:
    """A program that posts and never follows; the newest are kept, for whoever looks at last."""
    scene.seed()
    scene.with_mail()
    page = scene.browser.get("/forgot-password")
    for _ in range(60):
        answer = scene.browser.send(page, email="nobody@example.org")
        assert answer.status == 303, "werkzeug warns of a cookie that browsers may drop"
        _expect_cookie_fits(answer.response.headers["Set-Cookie"])
    assert "a link is on its way" in scene.browser.get("/forgot-password").text


def test_a_bad_welcome_token_makes_nobody_welcome(browser: Browser) -> None:
    for value in BASE:
        if value.text is None or len(value.text) > 3_000:
            continue
        page = browser.get(f"/welcome?{value.in_body('token').decode('latin-1')}", follow=True)
        assert page.status == 200, value.what
        assert not [text for text in UNESCAPED if text in page.html], value.what
        _expect_cookie_fits(page.response.headers.get("Set-Cookie", "none"))
