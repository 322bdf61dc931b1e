"""Links that no longer work, or never did: used, expired, replaced by a newer one. A look at one uses nothing up."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from mfaportal.models import Account, Event, OneTimeLink
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.links import NEW, digest_of, is_gone, reset
from tests.people import Cast, Person
from tests.stored import stored


def test_it_works_once(
    app: Flask,
    browser: Browser,
    new_browser: Callable[[], Browser],
    people: Cast,
    reset_link: Callable[[Person], str],
) -> None:
    link = reset_link(people.reader)
    late = new_browser()
    page = late.get(link, follow=True)
    reset(browser, link)
    chosen = digest_of(app, people.reader)
    assert is_gone(late.send(page, password="somebody else's choice"))
    assert is_gone(new_browser().get(link, follow=True))
    assert digest_of(app, people.reader) == chosen


@pytest.mark.parametrize(("kind", "minutes"), [("reset", 30), ("invitation", 7 * 24 * 60)])
def test_it_expires(
    app: Flask,
    browser: Browser,
    people: Cast,
    clock: MovableClock,
    reset_link: Callable[[Person], str],
    invitation: str,
    kind: str,
    minutes: int,
) -> None:
    link = reset_link(people.reader) if kind == "reset" else invitation
    page = browser.get(link, follow=True)
    clock.advance(minutes=minutes, seconds=-1)
    assert browser.get(page.response.request.path).status == 200
    clock.advance(seconds=1)
    fields: dict[str, Any] = {"name": "New"} if kind == "invitation" else {}
    assert is_gone(browser.send(page, password=NEW, **fields))
    assert is_gone(browser.get(link, follow=True))
    assert stored(app, Event, kind="password:set") == []


def test_a_newer_link_voids_the_older_one(
    app: Flask,
    browser: Browser,
    new_browser: Callable[[], Browser],
    people: Cast,
    reset_link: Callable[[Person], str],
) -> None:
    old, new = reset_link(people.reader), reset_link(people.reader)
    others = reset_link(people.editor)
    assert is_gone(browser.get(old, follow=True))
    assert browser.get(new, follow=True).status == 200
    assert new_browser().get(others, follow=True).status == 200, "of another account, it stays"
    assert [link.used_at is None for link in stored(app, OneTimeLink, kind="reset")] == [False, True, True]


@pytest.mark.parametrize("path", ["/reset-password", "/invitation"])
def test_without_a_link_the_page_says_how_to_go_on(browser: Browser, people: Cast, path: str) -> None:
    assert is_gone(browser.get(path))
    csrf = browser.csrf()
    assert is_gone(browser.open("POST", path, data={"csrf_token": csrf, "password": NEW, "name": "Eve"}))


@pytest.mark.parametrize("token", ["x", "0" * 43, "x" * 4000, "%00", "..%5c", "é"])
def test_an_unknown_link_is_gone_like_a_used_one(browser: Browser, people: Cast, token: str) -> None:
    assert is_gone(browser.get(f"/reset-password/{token}", follow=True))
    assert is_gone(browser.get(f"/invitations/{token}", follow=True))


def test_a_link_of_one_kind_is_none_of_the_other(
    browser: Browser, people: Cast, reset_link: Callable[[Person], str], invitation: str
) -> None:
    assert is_gone(browser.get(reset_link(people.reader).replace("/reset-password/", "/invitations/"), follow=True))
    assert is_gone(browser.get(invitation.replace("/invitations/", "/reset-password/"), follow=True))


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_preview_of_a_link_uses_nothing_up(
    app: Flask,
    browser: Browser,
    new_browser: Callable[[], Browser],
    people: Cast,
    reset_link: Callable[[Person], str],
    method: str,
) -> None:
    link = reset_link(people.reader)
    before = (stored(app, OneTimeLink), stored(app, Account), len(stored(app, Event)))
    preview = new_browser()
    for path in (link, "/reset-password"):
        assert preview.open(method, path).status in (200, 303)
    assert (stored(app, OneTimeLink), stored(app, Account), len(stored(app, Event))) == before
    assert reset(browser, link).status == 303
