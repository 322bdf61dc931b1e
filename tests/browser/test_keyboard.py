"""Everything without a mouse."""

import pytest
from playwright.sync_api import expect

from tests.browser.authenticator import AppOnPhone
from tests.browser.conftest import SitsDown
from tests.browser.pages import CODE, SET_UP
from tests.people import Cast

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium", "oathtool")]


def test_log_in_and_code_by_typing_tab_and_enter(people: Cast, sits_down: SitsDown) -> None:
    """The cursor stands where one types first; Enter sends; a wrong code brings the cursor back."""
    editor = sits_down(people.editor)
    app = editor.has_app("My phone", people.editor)
    editor.open("/log-in?next=/account/security")
    expect(editor.label("E-mail")).to_be_focused()
    editor.keys(editor.email, "Tab", editor.password, "Enter")
    editor.sees(CODE)
    expect(editor.label("One-time code")).to_be_focused()
    editor.keys(app.wrong_code(), "Enter")
    editor.reads("This code is wrong.")
    expect(editor.label("One-time code")).to_be_focused()
    code = app.code()
    editor.keys(f"{code[:3]} {code[3:]}", "Tab", "Enter")
    editor.sees("Security")


def test_set_up_by_key_and_keyboard(people: Cast, sits_down: SitsDown) -> None:
    editor = sits_down(people.editor)
    editor.give_password("/account/security/methods/add")
    editor.sees(SET_UP)
    editor.tab_to(editor.page.get_by_text("Use setup key", exact=True))
    editor.keys("Enter")
    app = AppOnPhone(editor.page.locator("details code").inner_text(), editor.clock)
    editor.tab_to(editor.label("One-time code"))
    editor.keys(app.code(), "Tab", "My phone", "Enter")
    editor.sees("Recovery codes")
    editor.tab_to(editor.label("I have saved them"))
    editor.keys("Space", "Tab", "Enter")
    editor.sees("Security")
    editor.reads("My phone")


def test_the_first_tab_leads_past_the_menu(people: Cast, sits_down: SitsDown) -> None:
    editor = sits_down(people.editor)
    editor.give_password("/account/security")
    editor.sees("Security")
    editor.keys("Tab")
    expect(editor.page.get_by_role("link", name="Skip to the page")).to_be_focused()
    editor.keys("Enter", "Tab")
    assert editor.page.locator("main :focus").count() == 1
