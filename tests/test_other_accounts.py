"""Somebody with an account of their own, and what they get of other people's: not even that it is there."""

import pytest
from flask import Flask

from mfaportal.models import Authenticator, Login
from mfaportal.models.authenticator import owner_of
from mfaportal.plumbing.db import transaction
from mfaportal.plumbing.runtime import runtime
from mfaportal.plumbing.sealing import SealBroken
from tests import thief
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.people import Cast, Person, give_app
from tests.stored import stored, the_one


@pytest.fixture
def victim(app: Flask, people: Cast, clock: MovableClock) -> Person:
    """The operator, whose app has the number 1; the editor has one, too."""
    with app.app_context():
        give_app(people.operator, clock)
        give_app(people.editor, clock)
    return people.operator


@pytest.mark.parametrize("action", ["rename", "replace", "delete"])
def test_the_number_of_somebody_elses_app_is_nobodys(
    app: Flask, browser: Browser, people: Cast, victim: Person, action: str
) -> None:
    """Nor can one tell it from a number that never was."""
    browser.log_in(people.editor)
    csrf = browser.csrf("/account")
    before = thief.what_matters(app)
    answers = []
    for app_id in (1, 99, 2**63, "0", "-1", "\uff11"):
        path = f"/account/security/methods/{app_id}/{action}"
        got = browser.get(path)
        sent = browser.open("POST", path, data={"csrf_token": csrf, "name": "Mine", "end_others": "yes"})
        answers.append((got.status, sent.status, got.text, sent.text))
    assert answers[0][:2] == (404, 404)
    assert answers[0] == answers[1]
    assert {answer[:2] for answer in answers} == {(404, 404)}
    assert thief.what_matters(app) == before


def test_a_reader_learns_nothing_about_other_accounts(app: Flask, browser: Browser, people: Cast) -> None:
    browser.log_in(people.reader)
    seen = ""
    for account_id in (people.admin.id, 99):
        for endpoint, path in thief.addresses(app, "GET", app_id=1, account_id=account_id).items():
            page = browser.get(path)
            if endpoint.startswith(("access_", "back_office.")):
                assert page.status == 403, endpoint
            seen += page.html
    for person in (people.editor, people.admin, people.operator):
        assert person.email not in seen


def test_a_sealed_key_copied_to_another_account_opens_nothing_there(
    app: Flask, browser: Browser, people: Cast, victim: Person, clock: MovableClock
) -> None:
    """Whoever can write the database still can't make their own app somebody else's."""
    own, others = stored(app, Authenticator, account_id=people.editor.id)[0], stored(app, Authenticator)[0]
    with app.app_context():
        with transaction() as session:
            session.get_one(Authenticator, others.id).sealed_secret = own.sealed_secret
        with pytest.raises(SealBroken):
            runtime().keys.sealer.open(owner_of(victim.id), own.sealed_secret)
    browser.give_password(victim)
    assert people.editor.phone is not None
    page = browser.submit("/log-in/code", code=people.editor.phone.code(clock()))
    assert (page.status, "tell whoever runs this portal" in page.text) == (422, True)
    assert the_one(app, Login).second_factor_at is None
