"""No place for a password: the form that it came with is there again, with what was typed; nothing was counted."""

from collections.abc import Callable

import pytest

from mfaportal.plumbing.hash_slots import HashSlots, _Waiter
from mfaportal.plumbing.machine import Plan
from mfaportal.plumbing.runtime import runtime
from mfaportal.web.page import BUSY
from tests.input.bench import Bench
from tests.input.forms import FORMS, FormCase, Kind
from tests.input.scenes import Scene
from tests.people import PASSWORD

FULL = Plan(at_once=0, waiting=0, patience=0)
WITH_PASSWORD = [case for case in FORMS if {Kind.PASSWORD, Kind.NEW_PASSWORD} & set(case.fields.values())]
TYPED = (Kind.EMAIL, Kind.NAME, Kind.MESSAGE_OR_NOTHING)


@pytest.mark.parametrize("case", WITH_PASSWORD, ids=str)
def test_where_there_is_no_place_the_form_comes_back_and_nothing_was_counted(
    case: FormCase, scene: Scene, bench: Callable[[FormCase], Bench]
) -> None:
    opened = bench(case)
    before = opened.page()
    with scene.app.app_context():
        runtime().hash_slots = HashSlots(FULL)
    page = opened.send(opened.body())
    assert (page.status, page.response.headers["Retry-After"], BUSY in page.text) == (503, "5", True), page.text
    assert page.form().fields.keys() == before.form().fields.keys()
    for name, kind in case.fields.items():
        typed = opened.form.good[name]
        assert (typed in page.html) == (kind in TYPED) or kind is Kind.TOKEN, name
    assert not opened.database.changes()
    json = opened.send(opened.body(), headers={"X-Requested-With": "XMLHttpRequest"})
    assert (json.status, json.response.json) == (503, {"error": "Service Unavailable"})
    with scene.app.app_context():
        runtime().hash_slots = HashSlots(Plan(1))
    assert opened.send(opened.body()).status in case.done


def test_without_a_place_a_known_address_is_answered_as_an_unknown_one(scene: Scene) -> None:
    known = scene.seed().reader.email
    with scene.app.app_context():
        runtime().hash_slots = HashSlots(FULL)
    page = scene.browser.get("/log-in")
    answers = {
        scene.browser.send(page, email=email, password=password).html.replace(email, "whoever")
        for email in (known, "nobody@example.org")
        for password in (PASSWORD, "another one")
    }
    assert len(answers) == 1


NOBODYS, NETWORK, ACCOUNT, LINK = ("", False), ("192.0.2.7", False), ("account", True), ("link", True)
SHARES = {
    "auth.log_in": NETWORK,
    "auth.confirm by password": ACCOUNT,
    "account.password": ACCOUNT,
    "auth.reset_password": LINK,
    "auth.invitation": LINK,
    "auth.invitation into a portal": LINK,
    "auth.confirm_address": NETWORK,
    "front_office.request_access as a stranger": NETWORK,
}
"""Whose tries share places. The first start has nobody to share with."""


def _noted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """Every place that is taken, as in `SHARES`."""
    noted, take = [], HashSlots._take

    def noting(self: HashSlots, waiter: _Waiter) -> None:
        noted.append((waiter.source.partition(" ")[0], waiter.is_known))
        take(self, waiter)

    monkeypatch.setattr(HashSlots, "_take", noting)
    return noted


@pytest.mark.parametrize("case", WITH_PASSWORD, ids=str)
def test_who_has_shown_who_they_are_shares_with_nobody_else(
    case: FormCase, bench: Callable[[FormCase], Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = bench(case)
    noted = _noted(monkeypatch)
    assert opened.send(opened.body()).status in case.done
    assert noted == [SHARES.get(case.name, NOBODYS)]


def test_a_browser_that_was_logged_in_before_shares_with_no_stranger(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = scene.seed()
    scene.browser.log_in(people.reader)
    scene.browser.log_out()
    noted = _noted(monkeypatch)
    for email in (people.reader.email, people.editor.email):
        scene.browser.submit("/log-in", email=email, password="wrong horse")
    assert noted == [ACCOUNT, NETWORK]
