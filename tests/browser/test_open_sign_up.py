"""Signing up by oneself where mail works: asked for, confirmed by the mailed link, logged in, set up under a rule."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from mfaportal import create_app
from mfaportal.models import Portal, SignUp, Visibility
from mfaportal.plumbing.db import db, transaction
from mfaportal.rules.mfa_rule import MfaRule
from tests import databases
from tests.browser.conftest import NewPage
from tests.browser.pages import SET_UP, Somebody
from tests.browser.server_clock import ServerClock
from tests.browser.standing import Standing, standing_in
from tests.clock import MovableClock
from tests.mailing import MAILING, link_in, mails
from tests.people import PORTAL, Cast, set_rule

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium", "faketime", "oathtool", "zbarimg")]

FRONT = f"/portals/{PORTAL}/"


@pytest.fixture(scope="module")
def standing(blank_instance: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    with standing_in(blank_instance, tmp_path_factory.mktemp("mailing"), **MAILING) as standing:
        yield standing


@pytest.fixture(scope="module")
def app(standing: Standing) -> Iterator[Flask]:
    app = create_app({**databases.settings_of(standing.instance), **MAILING})
    yield app
    with app.app_context():
        db.engine.dispose()


def test_a_stranger_signs_up_by_a_mailed_link_and_sets_up_under_a_rule(
    app: Flask, people: Cast, clock: MovableClock, new_page: NewPage, server_clock: ServerClock
) -> None:
    """Without JavaScript. The mail is read in the outbox, for nothing answers where it is to go."""
    with transaction() as session:
        session.execute(update(Portal).values(sign_up=SignUp.OPEN, visibility=Visibility.PUBLIC))
    set_rule(MfaRule.EVERYONE, clock)
    nora = Somebody(new_page(javascript=False), server_clock, "nora@example.org", "Nora rows a green boat")
    nora.open(FRONT)
    nora.reads("Whoever confirms an e-mail address becomes a reader here.")
    nora.click("Request access")
    nora.sees("Request access")
    nora.fill({"Name": "Nora", "E-mail": nora.email, "Password": nora.password})
    nora.press("Request access")
    nora.reads("We have written to the address that you gave.")
    nora.give_password()
    nora.sees("Confirm your address first")
    (mail,) = mails(app, "confirm-address")
    assert mail.recipient == nora.email
    nora.open(link_in(mail))
    nora.sees("Confirm your address")
    assert nora.path == "/confirm-address"
    nora.fill({"Password": nora.password})
    nora.press("Confirm address")
    nora.reads("Your address is confirmed and your account is made.")
    nora.give_password()
    nora.sees(SET_UP)
    nora.submit_app(nora.scan(), "My phone")
    nora.saves_codes()
    nora.sees("City data")
    assert nora.path == "/"
    nora.open(link_in(mail))
    nora.sees("This link no longer works")
