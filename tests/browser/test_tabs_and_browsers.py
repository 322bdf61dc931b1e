"""Several tabs, several browsers, and the back button."""

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from mfaportal.rules.mfa_rule import MfaRule
from tests.browser.conftest import SitsDown
from tests.browser.pages import CODE, SET_UP
from tests.browser.server_clock import ServerClock
from tests.clock import MovableClock
from tests.people import Cast, set_rule

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]


def test_after_a_log_out_in_one_tab_the_other_is_at_log_in_and_comes_back_to_its_page(
    people: Cast, sits_down: SitsDown
) -> None:
    editor = sits_down(people.editor)
    editor.give_password("/account")
    other = editor.another_tab()
    other.open("/account")
    editor.log_out()
    other.click("Security")
    other.sees("Log in")
    other.fill({"E-mail": other.email, "Password": other.password})
    other.press("Log in")
    other.sees("Security")
    assert other.path == "/account/security"


def test_a_form_left_open_in_another_tab_does_nothing_after_the_log_out(people: Cast, sits_down: SitsDown) -> None:
    editor = sits_down(people.editor)
    editor.give_password("/account")
    other = editor.another_tab()
    other.open("/account")
    other.fill({"Name": "Somebody else"})
    editor.log_out()
    other.press("Save")
    other.sees("Log in")
    other.give_password("/account")
    expect(other.label("Name")).to_have_value("Editor")


def test_a_form_left_open_does_nothing_to_whoever_logs_in_next(people: Cast, sits_down: SitsDown) -> None:
    editor = sits_down(people.editor)
    editor.give_password("/account")
    other = editor.another_tab()
    other.open("/account")
    other.fill({"Name": "Somebody else"})
    editor.log_out()
    reader = replace(editor, email=people.reader.email, password=people.reader.password)
    reader.give_password("/account")
    other.press("Save")
    other.sees("This form is too old")
    other.click("Open the form again")
    expect(other.label("Name")).to_have_value("Reader")


def test_a_log_in_page_left_open_in_another_tab_leads_in_once_somebody_has_logged_in(
    people: Cast, sits_down: SitsDown
) -> None:
    editor = sits_down(people.editor)
    other = editor.another_tab()
    other.open("/log-in?next=/account/security")
    editor.give_password()
    other.fill({"E-mail": other.email, "Password": other.password})
    other.press("Log in")
    other.sees("Security")


def test_the_code_page_left_open_in_another_tab_leads_in_once_the_code_was_given(
    people: Cast, sits_down: SitsDown
) -> None:
    editor = sits_down(people.editor)
    editor.has_app("My phone", people.editor)
    editor.give_password("/account")
    other = editor.another_tab()
    other.open("/log-in/code")
    other.sees(CODE)
    editor.give_code("My phone")
    editor.sees("Profile")
    other.page.reload()
    other.sees("City data")


def test_the_back_button_shows_nothing_after_the_log_out(people: Cast, sits_down: SitsDown) -> None:
    editor = sits_down(people.editor)
    editor.give_password("/account")
    editor.click("Security")
    editor.sees("Security")
    editor.log_out()
    for _ in range(3):
        editor.page.go_back()
        assert not editor.is_logged_in()
        expect(editor.page.locator("body")).not_to_contain_text(editor.email)
    editor.sees("Log in")


def test_a_log_in_elsewhere_leaves_this_one_be_until_the_first_app_is_set_up_there(
    people: Cast, sits_down: SitsDown, clock: MovableClock, server_clock: ServerClock
) -> None:
    at_work, at_home = sits_down(people.editor), sits_down(people.editor)
    at_work.give_password("/account")
    set_rule(MfaRule.BACK_OFFICE, MovableClock(server_clock()))
    at_home.give_password()
    at_home.sees(SET_UP)
    at_work.open("/account")
    at_work.sees("Profile")
    at_home.submit_app(at_home.scan(), "My phone")
    at_home.saves_codes()
    at_home.sees("City data")
    at_work.click("Security")
    at_work.sees("Log in")


def test_another_browser_is_offered_another_key(people: Cast, sits_down: SitsDown) -> None:
    at_work, at_home = sits_down(people.editor), sits_down(people.editor)
    for one in (at_work, at_home):
        one.give_password("/account/security/methods/add")
        one.sees(SET_UP)
    assert at_work.scan() != at_home.scan()
