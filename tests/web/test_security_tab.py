import pytest
from flask import Flask

from mfaportal.rules.mfa_rule import MfaRule
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.looking import Seen
from tests.people import Cast, give_app, set_rule

TAB = "/account/security"


def test_without_an_app_the_tab_offers_to_set_up(browser: Browser, people: Cast) -> None:
    browser.log_in(people.reader)
    page = browser.get(TAB)
    seen = Seen(page)
    assert page.status == 200
    assert "Security" in seen.title
    assert "Security" in seen.h1
    assert "not set up" in seen.main
    assert seen.links["Set up"] == "/account/security/methods/add"
    assert "Edit methods" not in seen.links


def test_with_apps_the_tab_shows_them_by_name_and_the_pencil(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        give_app(people.reader, clock, "My phone")
        give_app(people.reader, clock, "KeePassXC on the laptop")
        give_app(people.editor, clock, "Somebody else's")
    browser.log_in(people.reader)
    seen = Seen(browser.get(TAB))
    assert seen.main.index("My phone") < seen.main.index("KeePassXC on the laptop")
    assert "Somebody else's" not in seen.main
    assert seen.links["Edit methods"] == "/account/security/methods"
    assert "Set up" not in seen.links
    assert "not set up" not in seen.main


@pytest.mark.parametrize(
    ("rule", "who", "demanded"),
    [
        (MfaRule.BACK_OFFICE, "reader", False),
        (MfaRule.BACK_OFFICE, "editor", True),
        (MfaRule.EVERYONE, "reader", True),
        (MfaRule.OFF, "admin", False),
    ],
)
def test_the_tab_says_when_a_portal_demands_it(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, rule: MfaRule, who: str, demanded: bool
) -> None:
    browser.log_in(getattr(people, who))
    clock.advance(minutes=1)
    with app.app_context():
        set_rule(rule, clock)
    seen = Seen(browser.get(TAB))
    assert ("at your next log-in you are asked to set it up" in seen.main) is demanded
    assert "Set up" in seen.links


def test_the_name_of_an_app_is_shown_as_text(browser: Browser, app: Flask, people: Cast, clock: MovableClock) -> None:
    with app.app_context():
        give_app(people.reader, clock, "<b>Phone</b> & co")
    browser.log_in(people.reader)
    page = browser.get(TAB)
    assert "<b>Phone" not in page.html
    assert "<b>Phone</b> & co" in page.text


def test_the_tab_is_for_whole_log_ins_only(browser: Browser, app: Flask, people: Cast, clock: MovableClock) -> None:
    assert browser.get(TAB).location == "/log-in?next=/account/security"
    with app.app_context():
        give_app(people.reader, clock)
    browser.give_password(people.reader)
    assert browser.get(TAB).location == "/log-in/code"
    assert rows.live_logins(app, people.reader)[0].second_factor_at is None
