"""A probe makes the gateway tell what it saw; nothing but a fresh one of this portal's, of that host, does."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from mfaportal.domain import probe_report
from mfaportal.plumbing import probes
from mfaportal.plumbing.keys import Keys
from mfaportal.plumbing.runtime import runtime
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.guarded import DATA, PROXY, TRUST, GuardedHost, guard
from tests.people import Cast

HOST = "data.example.org"
OTHER = "https://other.example.org"
OLD_KEY, NEW_KEY = "an-old-key-" + "0123456789abcdef" * 3, "a-new-key-" + "0123456789abcdef" * 3


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(**TRUST)


@pytest.fixture
def keys(app: Flask) -> Keys:
    with app.app_context():
        return runtime().keys


@pytest.fixture
def browser(browser: Browser) -> Browser:
    return without_cookies(browser)


def without_cookies(browser: Browser) -> Browser:
    """It sends the ones that a test says, rather than its own."""
    browser.client = browser.client.application.test_client(use_cookies=False)
    return browser


def sent(browser: Browser, value: str, at: str = "forward", **headers: str) -> Page:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    cookie = f"theme=dark; __Host-mfaportal-pass={value}"
    return GuardedHost(browser).ask("/a?b", at=at, headers={"Cookie": cookie, **named})


def seen(answer: Page) -> dict[str, Any]:
    """The report."""
    found: dict[str, Any] = answer.response.json["probe"]  # type: ignore[index]
    return found


@pytest.mark.parametrize("at", ["forward", "nginx"])
def test_a_probe_is_told_what_the_gateway_saw_and_nothing_about_anybody(
    app: Flask, people: Cast, browser: Browser, keys: Keys, clock: MovableClock, at: str
) -> None:
    guard(app, DATA)
    answer = sent(browser, probes.new_probe(keys, HOST, clock()), at)
    assert (answer.status, answer.response.headers["Cache-Control"]) == (403, "no-store")
    assert set(answer.response.json or ()) == {"probe", "signature"}
    assert seen(answer) == {
        "asked": f"/gateway/{at}",
        "peer": PROXY,
        "trusted": True,
        "known": True,
        "headers": {
            "X-Forwarded-Method": {"state": "seen", "text": "GET"},
            "X-Forwarded-Proto": {"state": "seen", "text": "https"},
            "X-Forwarded-Host": {"state": "seen", "text": HOST},
            "X-Forwarded-Uri": {"state": "seen", "text": "/a?b"},
        },
    }
    assert "Set-Cookie" not in answer.response.headers


def test_it_comes_before_every_other_refusal(
    app: Flask, people: Cast, browser: Browser, keys: Keys, clock: MovableClock
) -> None:
    probe = probes.new_probe(keys, HOST, clock())
    assert seen(sent(browser, probe))["known"] is False
    cookie = {"Cookie": f"__Host-mfaportal-pass-8443={probe}"}
    bare = browser.get("/gateway/forward", headers=cookie, environ_base={"REMOTE_ADDR": "192.0.2.1"})
    assert (bare.status, seen(bare)["trusted"], seen(bare)["peer"]) == (403, False, "192.0.2.1")
    assert {each["state"] for each in seen(bare)["headers"].values()} == {"missing"}
    long = seen(sent(browser, probe, X_Forwarded_Host="no host", X_Forwarded_Uri="/" + "a" * 5000))["headers"]
    assert long["X-Forwarded-Host"] == {"state": "malformed", "text": "not a host"}
    assert long["X-Forwarded-Uri"] == {"state": "seen", "text": "/" + "a" * 499}


def test_what_is_old_or_of_another_host_or_key_is_no_probe(
    app: Flask, people: Cast, browser: Browser, keys: Keys, clock: MovableClock, make_app: Callable[..., Flask]
) -> None:
    guard(app, DATA, OTHER)
    with make_app(MFAPORTAL_SECRET_KEY=NEW_KEY).app_context():
        strange = probes.new_probe(runtime().keys, HOST, clock())
    made = probes.new_probe(keys, HOST, clock())
    clock.advance(seconds=60)
    assert seen(sent(browser, made))["known"] is True
    other = probes.new_probe(keys, "other.example.org", clock())
    clock.advance(seconds=1)
    for value in (made, strange, other, "probe.", "probe.x.y", "probe." + "a" * 5000, made.removeprefix("probe.")):
        answer = sent(browser, value)
        assert (answer.status, answer.location.partition("?")[0]) == (302, "http://127.0.0.1:8000/log-in"), value
    fresh = probes.new_probe(keys, HOST, clock())
    elsewhere = GuardedHost(browser).ask("/", headers={"Cookie": f"theme={fresh}"})
    assert elsewhere.status == 302, "a probe is no probe under another cookie's name"


def test_a_key_that_only_verifies_is_good_for_probes(
    people: Cast, clock: MovableClock, make_app: Callable[..., Flask]
) -> None:
    with make_app(MFAPORTAL_SECRET_KEY=OLD_KEY).app_context():
        probe = probes.new_probe(runtime().keys, HOST, clock())
        assert runtime().keys.signing_fallbacks == ()
    app = make_app(**TRUST, MFAPORTAL_SECRET_KEY=f"{NEW_KEY},{OLD_KEY}")
    assert seen(sent(without_cookies(Browser(app, clock)), probe))["trusted"] is True


def test_a_report_counts_as_it_was_given_to_this_very_probe(
    app: Flask, people: Cast, browser: Browser, keys: Keys, clock: MovableClock
) -> None:
    guard(app, DATA)
    probe, other = probes.new_probe(keys, HOST, clock()), probes.new_probe(keys, "other.example.org", clock())
    body = sent(browser, probe).response.data
    with app.app_context():
        report = probe_report.read(probe, body)
        assert report is not None
        assert report.trusted
        for made_up in (body.replace(b"true", b"false"), b"{}", b"[]", b"\xff", b'{"probe": 1, "signature": 1}'):
            assert probe_report.read(probe, made_up) is None
        assert probe_report.read(other, body) is None
