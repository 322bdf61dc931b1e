"""Somebody in several portals: what the home page shows them, and whose rule counts."""

import pytest
from flask import Flask

from mfaportal.domain import access_security, members, portals
from mfaportal.models import Visibility
from mfaportal.rules.mfa_rule import MfaRule
from mfaportal.rules.roles import MemberRole
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.looking import Seen
from tests.people import Cast, add_person, on_the_command_line, set_rule

CITY, HARBOUR = "/portals/city-data/", "/portals/harbour/"


@pytest.fixture
def both(app: Flask, people: Cast, clock: MovableClock) -> Cast:
    """The reader of the first portal is an editor of the private second one; a third is public."""
    with app.app_context():
        caller = on_the_command_line(clock)
        for name in ("Harbour", "Maps"):
            portals.create(caller, name, name.lower())
        members.add(caller, "harbour", people.reader.id, MemberRole.EDITOR)
        access_security.change(caller, "maps", visibility=Visibility.PUBLIC, rule=MfaRule.OFF, apply_now=False)
    clock.advance(minutes=1)
    return people


def test_the_home_page_says_what_one_is_in_each(
    browser: Browser, app: Flask, both: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        only_there = add_person(clock, "tide@example.org", "Tide", "admin", portal="harbour")
    for person, lines in (
        (both.reader, ["City data reader private", "Harbour editor private", "Maps public"]),
        (both.editor, ["City data editor private", "Maps public"]),
        (only_there, ["Harbour admin private", "Maps public"]),
        (both.operator, ["City data private", "Harbour private", "Maps public"]),
    ):
        browser.log_in(person)
        page = Seen(browser.get("/"))
        listed = [node for node in page.all("main")[0].walk() if node.tag == "li"]
        assert [
            " ".join(child.text for child in line.walk() if child.tag in ("a", "span")) for line in listed
        ] == lines
        browser.log_out()


@pytest.mark.parametrize("path", [CITY, HARBOUR, "/portals/maps/", "/account"])
def test_whoever_is_covered_in_one_portal_sets_up_before_they_see_any(
    browser: Browser, app: Flask, both: Cast, clock: MovableClock, path: str
) -> None:
    """The rule of the harbour covers its editors; in the city's portal, which has no rule, the same person reads."""
    with app.app_context():
        set_rule(MfaRule.BACK_OFFICE, clock, "harbour")
    assert browser.give_password(both.reader, path=f"/log-in?next={path}").location == "/log-in/set-up"
    assert browser.get(path).location == "/log-in/set-up"


def test_a_rule_applied_now_in_one_portal_stops_its_people_in_the_other_and_nobody_else(
    browser: Browser, app: Flask, both: Cast, clock: MovableClock
) -> None:
    for person, asked in ((both.reader, True), (both.editor, False)):
        browser.log_in(person)
        assert browser.get(CITY).status == 200
        with app.app_context():
            set_rule(MfaRule.BACK_OFFICE, clock, "harbour", apply_now=True)
        assert (browser.get(CITY).location == "/log-in/set-up") is asked
        with app.app_context():
            set_rule(MfaRule.OFF, clock, "harbour")
        assert browser.get(CITY).status == 200
        browser.log_out()


def test_with_the_portal_its_rule_goes(browser: Browser, app: Flask, both: Cast, clock: MovableClock) -> None:
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock, "harbour")
    browser.give_password(both.reader)
    assert browser.get(CITY).location == "/log-in/set-up"
    with app.app_context():
        portals.delete(on_the_command_line(clock), "harbour")
    assert browser.get(CITY).status == 200
