"""Bad numbers, slugs and tokens in URLs: 404 (410 for a link), whoever asks."""

from urllib.parse import quote

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests.browser_client import Browser
from tests.input.scenes import Scene
from tests.input.values import BASE
from tests.people import PORTAL

NO_NUMBERS = (
    "0",
    "-1",
    "+1",
    "01",
    "1.0",
    "1e3",
    "0x1",
    "NaN",
    "true",
    " 1",
    "1 ",
    "1\n",
    "1\x00",
    "\uff11",
    "\u0661",
    "\u00b2",
    "\u2460",
    str(2**31 - 1),
    str(2**63 - 1),
    str(2**63),
    str(2**64),
    "9" * 18,
    "9" * 4_000,
)
"""The longest that fits into a database's number is there too: nobody has it."""
LEAD_BACK = {"access_invitations.again", "access_invitations.revoke", "installation_mail.try_again"}
"""Of one's own list, to which a GET leads whatever the number: step-up comes back by it."""
SENT_MEANWHILE = {"installation_mail.try_again"}
"""A mail that is not there any more waits for nothing, which the list says."""
NO_SLUGS = (
    "City-Data",
    "city_data",
    "-city-data",
    "city-data-",
    "city-data\n",
    "city-data\x00",
    "\uff43ity-data",
    "c" * 41,
    "..",
    ".",
    "%2e%2e",
    "' OR 1=1--",
    "nobody-has-this",
)


def _filled(rule: Rule, portal: str, number: str) -> str:
    path = rule.rule.replace("<slug:portal>", quote(portal, safe=""))
    for name in rule.arguments - {"portal"}:
        path = path.replace(f"<number:{name}>", quote(number, safe=""))
    return path


def _rules(app: Flask, converter: str) -> list[Rule]:
    found = [rule for rule in app.url_map.iter_rules() if f"<{converter}:" in rule.rule]
    assert found
    return found


@pytest.fixture
def everywhere(scene: Scene) -> list[Browser]:
    """The browsers of an operator, who may open everything, and of a stranger."""
    scene.log_in("operator", apps=1)
    return [scene.browser, Browser(scene.app, scene.clock)]


def _expect_404(browser: Browser, rule: Rule, path: str, csrf: str) -> str | None:
    """What is wrong with the answers, if anything. A stranger may be sent to log in, which says nothing either."""
    for method in sorted({"GET", "POST"} & (rule.methods or set())):
        right = {404} if csrf else {404, 303, 400}
        if csrf and rule.endpoint in (LEAD_BACK if method == "GET" else SENT_MEANWHILE):
            right = {303, 404}
        status = browser.open(method, path, data={"csrf_token": csrf} if method == "POST" else None).status
        if status not in right:
            return f"{method} {path[:80]}: {status}"
    return None


def test_no_bad_number_finds_anything(app: Flask, everywhere: list[Browser]) -> None:
    operator, stranger = everywhere
    csrf = operator.csrf("/account")
    faults = []
    for rule in _rules(app, "number"):
        for number in NO_NUMBERS:
            path = _filled(rule, PORTAL, number)
            faults += [_expect_404(operator, rule, path, csrf), _expect_404(stranger, rule, path, "")]
    assert not [fault for fault in faults if fault]


def test_no_bad_slug_finds_anything(app: Flask, everywhere: list[Browser]) -> None:
    operator, stranger = everywhere
    csrf = operator.csrf("/account")
    faults = []
    for rule in _rules(app, "slug"):
        for slug in NO_SLUGS:
            path = _filled(rule, slug, "1")
            faults += [_expect_404(operator, rule, path, csrf), _expect_404(stranger, rule, path, "")]
    assert not [fault for fault in faults if fault]


def test_the_app_of_somebody_else_is_not_found(scene: Scene, everywhere: list[Browser]) -> None:
    operator, _stranger = everywhere
    scene.give_app(scene.people.reader)
    csrf = operator.csrf("/account")
    for action in ("rename", "delete"):
        path = f"/account/security/methods/2/{action}"
        assert operator.get(path).status == 404
        assert operator.open("POST", path, data={"csrf_token": csrf, "name": "Mine"}).status == 404


@pytest.mark.parametrize("link", ["reset-password", "invitations"])
def test_a_bad_token_in_a_link_is_a_link_that_no_longer_works(scene: Scene, link: str) -> None:
    scene.seed()
    for value in BASE:
        if not value.text or value.whole_body == 413 or "/" in value.text or value.text in ("..", "."):
            continue
        token = value.encoded.decode("latin-1") if value.encoded else quote(value.text[:3_000], safe="")
        browser = Browser(scene.app, scene.clock)
        page = browser.get(f"/{link}/{token}", follow=True)
        assert page.status in (404, 410), value.what
        assert "<script>" not in page.html


def test_bad_static_paths_are_not_found(browser: Browser) -> None:
    for path in (
        "%00",
        "..%2fwsgi.py",
        "%2e%2e/wsgi.py",
        "a" * 3_000,
        "%ff",
        "portal.css%00",
        ".",
        "",
        "//portal.css/",
    ):
        assert browser.get(f"/static/{path}").status in (404, 308), path
