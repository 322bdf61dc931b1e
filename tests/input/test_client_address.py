"""Whose address counts: the peer's, what a trusted proxy says, or nobody's where an undeclared proxy is between."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from mfaportal.web.client import client_address
from tests import databases
from tests.browser_client import ORIGIN, Browser
from tests.clock import MovableClock
from tests.people import seed

PROXIES = "10.0.0.1, 192.168.7.0/24, fd00::/8"
MakeApp = Callable[..., Flask]


def _address(app: Flask, peer: str, forwarded: str | None) -> str | None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    with app.test_request_context("/", base_url=ORIGIN, headers=headers, environ_base={"REMOTE_ADDR": peer}):
        return client_address()


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        # somebody who comes by themselves: what they write counts for nothing
        ("9.9.9.9", None, "9.9.9.9"),
        ("9.9.9.9", "198.51.100.1", "9.9.9.9"),
        ("9.9.9.9", "10.0.0.1", "9.9.9.9"),
        ("2620:fe::9", "198.51.100.1", "2620:fe::9"),
        ("10.0.0.2", "198.51.100.1", "10.0.0.2"),
        ("127.0.0.1", "198.51.100.1", "127.0.0.1"),
        # through a trusted proxy: the nearest address that is not a proxy's
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "203.0.113.66, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "203.0.113.66,198.51.100.1 , 192.168.7.30", "198.51.100.1"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("fd00::1", "2001:db8::2", "2001:db8::2"),
        ("10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "garbage, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, " * 5_000 + "198.51.100.7", "198.51.100.7"),
        # the proxy's own machine, or a client in a network of proxies
        ("10.0.0.1", None, "10.0.0.1"),
        ("192.168.7.30", "192.168.7.31", "192.168.7.31"),
        ("192.168.7.30", "192.168.7.99, 192.168.7.31", "192.168.7.99"),
        # a proxy that says nothing one could use: its address would be everybody's
        ("10.0.0.1", "", None),
        ("10.0.0.1", "unknown", None),
        ("10.0.0.1", "198.51.100.1, unknown", None),
        ("10.0.0.1", "1" * 5_000, None),
        ("10.0.0.1", "\u0661.1.1.1", None),
        # a socket in the file system has no address
        ("", "198.51.100.1", None),
    ],
)
def test_whose_address_counts(make_app: MakeApp, peer: str, forwarded: str | None, expected: str | None) -> None:
    app = make_app(MFAPORTAL_TRUSTED_PROXIES=PROXIES)
    if forwarded and not forwarded.isascii():
        forwarded = forwarded.encode().decode("latin-1")
    assert _address(app, peer, forwarded) == expected


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("127.0.0.1", "198.51.100.1", None),
        ("::1", "198.51.100.1", None),
        ("10.0.0.1", "198.51.100.1", None),
        ("fd00::1", "", None),
        ("127.0.0.1", None, "127.0.0.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("9.9.9.9", "198.51.100.1", "9.9.9.9"),
    ],
)
def test_without_a_trusted_proxy_a_near_one_hides_everybody(
    app: Flask, peer: str, forwarded: str | None, expected: str | None
) -> None:
    assert _address(app, peer, forwarded) == expected


def test_an_undeclared_proxy_is_told_of_once(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        assert _address(app, "127.0.0.1", "198.51.100.1") is None
        assert _address(app, "172.16.0.9", "198.51.100.1") is None
    lines = [record.getMessage() for record in caplog.records if record.name == "mfaportal.proxy"]
    assert len(lines) == 1
    assert "MFAPORTAL_TRUSTED_PROXIES" in lines[0]


def _throttled(instance: Path) -> set[str]:
    return {kind for (kind,) in databases.contents_of(instance).execute("SELECT kind FROM throttles")}


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "by_address"),
    [
        ("", "192.0.2.7", None, True),
        ("", "127.0.0.1", "198.51.100.1", False),
        ("127.0.0.1", "127.0.0.1", "198.51.100.1", True),
        ("127.0.0.1", "127.0.0.1", "unknown", False),
    ],
)
def test_attempts_count_by_address_only_where_there_is_one(
    make_app: MakeApp,
    clock: MovableClock,
    instance: Path,
    proxies: str,
    peer: str,
    forwarded: str | None,
    by_address: bool,
) -> None:
    app = make_app(MFAPORTAL_TRUSTED_PROXIES=proxies)
    with app.app_context():
        person = seed(clock).reader
    browser = Browser(app, clock)
    browser.address = peer
    page = browser.get("/log-in")
    form = {**page.form().fields, "email": person.email, "password": "a wrong password"}
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    assert browser.open("POST", "/log-in", data=form, headers=headers).status == 422
    kinds = {"password:address+account", "password:address"} if by_address else set()
    assert _throttled(instance) == {"password:account"} | kinds


def test_with_a_trusted_proxy_one_guesser_does_not_lock_out_another_address(
    make_app: MakeApp, clock: MovableClock
) -> None:
    app = make_app(MFAPORTAL_TRUSTED_PROXIES="127.0.0.1")
    with app.app_context():
        person = seed(clock).reader
    browser = Browser(app, clock)
    browser.address = "127.0.0.1"

    def tried(address: str, password: str) -> int:
        form = {**browser.get("/log-in").form().fields, "email": person.email, "password": password}
        return browser.open("POST", "/log-in", data=form, headers={"X-Forwarded-For": address}).status

    statuses = [tried("198.51.100.1", "a wrong password") for _ in range(6)]
    assert statuses == [422] * 5 + [429]
    assert tried("198.51.100.2", person.password) == 303
