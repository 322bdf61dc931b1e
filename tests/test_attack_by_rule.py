from collections.abc import Callable

import pytest
from flask import Flask

from mfaportal.rules.mfa_rule import MfaRule
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.people import Cast, apps_of, set_rule


@pytest.mark.parametrize(("minutes", "leads_to"), [(19, 200), (21, 303)])
def test_a_stolen_cookie_gains_no_set_up_from_a_rule_that_is_applied_now(
    app: Flask,
    new_browser: Callable[[], Browser],
    people: Cast,
    clock: MovableClock,
    minutes: int,
    leads_to: int,
) -> None:
    thief = new_browser()
    thief.log_in(people.reader)  # stands for the cookie of the owner's whole log-in
    clock.advance(minutes=minutes)
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock, apply_now=True)
    page = thief.get("/log-in/set-up")
    assert page.status == leads_to
    assert page.location.partition("?")[0] == ("" if leads_to == 200 else "/log-in")
    with app.app_context():
        assert apps_of(people.reader) == []
