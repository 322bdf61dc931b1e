"""When a rule leads somebody to set-up: at the next log-in, or at once where it is applied now."""

from collections.abc import Callable

from flask import Flask

from mfaportal.rules.mfa_rule import MfaRule
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.offer import SET_UP, set_up
from tests.people import Cast, set_rule


def test_the_rule_is_met_at_the_next_log_in_or_at_once_if_applied_now(
    app: Flask, browser: Browser, new_browser: Callable[[], Browser], people: Cast, clock: MovableClock
) -> None:
    browser.log_in(people.reader)
    clock.advance(minutes=5)
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock)
    assert browser.get("/account").status == 200, "who is logged in stays"
    assert new_browser().give_password(people.reader).location == SET_UP
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock, apply_now=True)
    assert browser.get("/account").location == SET_UP
    set_up(browser, clock, leads_to="/account")
    assert browser.get("/account").status == 200


def test_a_log_in_longer_ago_than_half_an_hour_must_log_in_anew_when_the_rule_is_applied_now(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    browser.log_in(people.reader)
    clock.advance(hours=1)
    with app.app_context():
        set_rule(MfaRule.BACK_OFFICE, clock, apply_now=True)
    assert browser.get("/account").status == 200, "a reader is not covered"
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock, apply_now=True)
    assert browser.get("/account").location == "/log-in?next=/account"
    assert browser.give_password(people.reader, path="/log-in?next=/account").location == SET_UP
