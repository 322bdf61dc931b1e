"""The main job from the first start on, as a person walks it: by the words on the pages, code by code, in one go."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.browser.authenticator import AppOnPhone, scan
from tests.browser.pages import SET_UP, Somebody
from tests.browser.server_clock import ServerClock
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium", "faketime", "oathtool", "zbarimg")]

PORTAL = "City data"
BACK_OFFICE = "/portals/city-data/backoffice"
ACCESS_SECURITY = f"{BACK_OFFICE}/access/security"
EDITORS_RULE = "Users with access to the back office"


@dataclass
class Town:
    """The portal, and how people come to it."""

    server: Server
    clock: ServerClock
    new_page: Callable[[], Page]

    def somebody(self, name: str) -> Somebody:
        email = f"{name.lower()}@example.org"
        return Somebody(self.new_page(), self.clock, email, f"{name} rows a green boat")


@pytest.fixture
def town(first_start: Server, server_clock: ServerClock, new_page_without_script: Callable[[], Page]) -> Town:
    return Town(first_start, server_clock, new_page_without_script)


def test_the_mission(town: Town) -> None:
    operator = _welcomed(town)
    editor, reader = _invited(town, "Edith", "editor"), _invited(town, "Rea", "reader")
    _set_rule(operator, EDITORS_RULE)
    _is_still_in(editor)
    _led_to_set_up(editor)
    _let_in_by_password(reader)
    _sets_up(editor)
    _let_in_by_code(editor)
    _adds_a_second_app(editor)
    _deletes_the_first(editor)
    _set_rule(operator, "All users")
    _is_still_in(reader)
    _led_to_set_up(reader)
    _set_rule(operator, "Nobody")
    _let_in_by_password(reader)


def _welcomed(town: Town) -> Somebody:
    """The link that the start printed makes the first operator and names the portal, once."""
    one = town.somebody("Oda")
    one.open(town.server.welcome_path)
    one.sees("Welcome")
    assert "token" not in one.page.url
    one.fill({"E-mail": one.email, "Your name": "Oda", "Password": one.password, "Name of the portal": PORTAL})
    one.press("Create")
    one.sees(SET_UP)
    one.click("Skip for now")
    one.sees("Back office")
    assert one.path == BACK_OFFICE
    expect(one.page.get_by_role("navigation", name="Portal").get_by_role("link", name=PORTAL)).to_be_visible()
    again = town.somebody("Otto")
    answer = again.page.goto(town.server.welcome_path)
    assert answer is not None
    assert answer.status == 404
    return one


def _invited(town: Town, name: str, role: str) -> Somebody:
    """An invitation link from the command line, opened and accepted; then the first log-in."""
    one = town.somebody(name)
    made = town.server.flask("accounts", "create", one.email, "--name", name, "--portal", "city-data", "--role", role)
    link = re.search(r"http\S+/invitations/\S+", made.stdout)
    assert link, made.stdout
    one.open(link[0])
    one.sees("You are invited")
    expect(one.label("Your name")).to_have_value(name)
    one.fill({"Password": one.password})
    one.press("Accept")
    one.reads("Your password is set. Log in with it.")
    one.give_password()
    one.sees(PORTAL)
    expect(one.page.get_by_role("link", name="Back office")).to_have_count(1 if role == "editor" else 0)
    return one


def _set_rule(operator: Somebody, words: str) -> None:
    """Access > Security, which asks for the password again when the log-in is some minutes old."""
    operator.open("/")
    operator.click("Back office")
    operator.page.get_by_role("navigation", name="Back office").get_by_role("link", name="Security").click()
    if operator.path == "/confirm":
        operator.fill({"Password": operator.password})
        operator.press("Confirm")
    operator.sees("Security")
    operator.page.get_by_role("radio", name=words, exact=True).check()
    operator.press("Save")
    operator.reads("Saved.")
    expect(operator.page.get_by_role("radio", name=words, exact=True)).to_be_checked()


def _is_still_in(one: Somebody) -> None:
    """The rule asks at the next log-in, not before."""
    one.open("/account")
    one.sees("Profile")


def _led_to_set_up(one: Somebody) -> None:
    """The next log-in leads to set-up, whatever page was wanted, and nowhere else until that is done."""
    one.log_out()
    one.give_password("/account/security")
    one.sees(SET_UP)
    assert one.path == "/log-in/set-up"
    for elsewhere in ("/account", "/account/security/methods/add", "/log-in/code", "/log-in"):
        one.open(elsewhere)
        one.sees(SET_UP)


def _let_in_by_password(one: Somebody) -> None:
    """The rule covers somebody else, or nobody: the password is enough, and the wanted page comes."""
    one.log_out()
    one.give_password("/account/security")
    one.sees("Security")


def _sets_up(editor: Somebody) -> None:
    """A wrong code first: the name and the QR code stay, also when the page is loaded again. Then the right one."""
    before = scan(editor.page)
    assert (before.issuer, before.email) == (PORTAL, editor.email)
    app = AppOnPhone(before.key, editor.clock)
    editor.fill({"One-time code": app.wrong_code(), "Name": "My phone"})
    editor.press("Submit")
    editor.reads("This code is wrong. Enter the one that your app shows now.")
    expect(editor.label("Name")).to_have_value("My phone")
    assert scan(editor.page) == before
    editor.open("/log-in/set-up")
    assert scan(editor.page) == before
    editor.submit_app(app, "My phone")
    assert len(editor.saves_codes()) == 10
    editor.sees("Security")
    assert editor.path == "/account/security"
    editor.reads("My phone")


def _let_in_by_code(editor: Somebody) -> None:
    """The code that set the app up is used; the next one lets in, to the page that was wanted."""
    editor.log_out()
    editor.give_password(BACK_OFFICE)
    editor.give_code("My phone", again=True)
    editor.reads("This code was already used. Wait for the next one.")
    editor.clock.next_step()
    editor.give_code("My phone")
    editor.sees("Back office")
    assert editor.path == BACK_OFFICE


def _adds_a_second_app(editor: Somebody) -> None:
    """From the Security tab, by its key; eleven minutes after the log-in, so the portal asks for a code first."""
    editor.clock.advance(minutes=11)
    editor.click("Account")
    editor.click("Security")
    editor.click("Edit methods")
    editor.click("Add app")
    editor.sees("Confirm that it is you")
    editor.fill({"One-time code": editor.apps["My phone"].code()})
    editor.press("Confirm")
    editor.sees("Add app")
    key = editor.shown_key()
    assert re.fullmatch(r"([A-Z2-7]{4} ){7}[A-Z2-7]{4}", key)
    editor.submit_app(AppOnPhone(key, editor.clock), "Tablet")
    editor.sees("Your methods")
    editor.reads("Tablet")


def _deletes_the_first(editor: Somebody) -> None:
    """By the trash can. Its codes are refused from then on, those of the second app let in."""
    editor.click("Delete My phone")
    editor.sees("Delete “My phone”")
    editor.press("Delete")
    editor.sees("Your methods")
    expect(editor.page.get_by_role("listitem").filter(has_text="My phone")).to_have_count(0)
    editor.clock.next_step()
    editor.log_out()
    editor.give_password()
    editor.give_code("My phone")
    editor.reads("This code is wrong.")
    editor.give_code("Tablet")
    editor.sees(PORTAL)
