"""How people come to a portal: they ask and wait, are accepted or declined, are invited, or are members of two."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from mfaportal.domain import members, portals
from mfaportal.rules.mfa_rule import MfaRule
from mfaportal.rules.roles import MemberRole
from tests.browser.conftest import NewPage
from tests.browser.pages import SET_UP, Somebody
from tests.browser.server_clock import ServerClock
from tests.clock import MovableClock
from tests.people import PORTAL, Cast, Person, on_the_command_line, set_rule

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium", "faketime", "oathtool", "zbarimg")]

FRONT = f"/portals/{PORTAL}/"
ACCESS = f"/portals/{PORTAL}/backoffice/access"
HARBOUR = "harbour"


@dataclass
class Town:
    """The portal "City data", its people, and whoever else comes along."""

    people: Cast
    clock: MovableClock
    newcomer: Callable[[str], Somebody]
    sits_down: Callable[[Person], Somebody]

    def admin_lets_people_ask(self) -> Somebody:
        """The portal's admin logs in and opens the portal to requests."""
        admin = self.sits_down(self.people.admin)
        admin.give_password(f"{ACCESS}/signup")
        admin.sees("Log in & Sign up")
        admin.page.get_by_role("radio", name="By approval", exact=True).check()
        admin.fill({"Contact": "data@example.org"})
        admin.press("Save")
        admin.reads("Saved.")
        return admin


@pytest.fixture
def town(people: Cast, clock: MovableClock, new_page: NewPage, server_clock: ServerClock) -> Town:
    """Without JavaScript, which none of this needs."""

    def newcomer(name: str) -> Somebody:
        page = new_page(javascript=False)
        return Somebody(page, server_clock, f"{name.lower()}@example.org", f"{name} rows a green boat")

    def sits_down(person: Person) -> Somebody:
        page = new_page(javascript=False)
        return Somebody(page, server_clock, person.email, person.password)

    return Town(people, clock, newcomer, sits_down)


def test_a_stranger_asks_waits_is_accepted_and_is_led_to_set_up(town: Town) -> None:
    set_rule(MfaRule.EVERYONE, town.clock, apply_now=False)
    admin = town.sits_down(town.people.admin)
    admin.give_password(f"{ACCESS}/signup")
    admin.sees(SET_UP)
    admin.submit_app(admin.scan(), "Admin's phone")
    admin.saves_codes()
    admin.sees("Log in & Sign up")
    admin.page.get_by_role("radio", name="By approval", exact=True).check()
    admin.fill({"Contact": "data@example.org"})
    admin.press("Save")
    admin.reads("Saved.")
    nora = town.newcomer("Nora")
    _asks(nora, "Nora", "I count the gulls of the harbour.")
    _is_told(nora, "Your request is waiting")
    _decides(admin, "Nora", "Accept", waiting=1)
    admin.reads("1 accepted.")
    nora.give_password(FRONT)
    nora.sees(SET_UP)
    nora.submit_app(nora.scan(), "My phone")
    nora.saves_codes()
    nora.sees("City data")
    assert nora.path == FRONT
    nora.log_out()
    nora.clock.next_step()
    nora.give_password(FRONT)
    nora.give_code("My phone")
    nora.sees("City data")
    admin.open(f"{ACCESS}/users")
    expect(admin.page.get_by_role("row").filter(has_text=nora.email)).to_contain_text("address not confirmed")


def test_a_stranger_is_declined_and_told_why_and_asks_again(town: Town) -> None:
    admin = town.admin_lets_people_ask()
    dora = town.newcomer("Dora")
    _asks(dora, "Dora", "Please.")
    _decides(admin, "Dora", "Decline", waiting=1, reason="Say for whom you work.")
    admin.reads("1 declined.")
    _is_told(dora, "Your request was declined", "Say for whom you work.")
    _asks(dora, "Dora", "For the harbour office.")
    _is_told(dora, "Your request is waiting")


def test_somebody_invited_by_a_link_makes_an_account_and_comes_in(town: Town) -> None:
    admin = town.sits_down(town.people.admin)
    ivy = town.newcomer("Ivy")
    link = _invites(admin, ivy.email, "editor")
    ivy.open(link)
    ivy.sees("You are invited")
    assert link not in ivy.page.url
    ivy.fill({"Your name": "Ivy", "Password": ivy.password})
    ivy.press("Accept")
    ivy.sees("Log in")
    ivy.give_password(FRONT)
    ivy.sees("City data")
    ivy.click("Back office")
    ivy.sees("Back office")
    again = town.newcomer("Otto")
    again.open(link)
    again.sees("This link no longer works")


def test_the_member_of_two_portals_is_asked_by_the_one_that_demands_mfa_wherever_they_go(town: Town) -> None:
    """Asked in from the other portal; accepts with the account; that portal's rule then covers everything."""
    portals.create(on_the_command_line(town.clock), "Harbour data", HARBOUR)
    members.add(on_the_command_line(town.clock), HARBOUR, town.people.editor.id, MemberRole.ADMIN)
    set_rule(MfaRule.EVERYONE, town.clock, HARBOUR)
    reader = town.sits_down(town.people.reader)
    reader.give_password()
    _may_enter(reader, "City data")
    harbourmaster = town.sits_down(town.people.editor)
    harbourmaster.give_password(f"/portals/{HARBOUR}/backoffice/access/users/invite")
    harbourmaster.sees(SET_UP)
    harbourmaster.submit_app(harbourmaster.scan(), "Phone")
    harbourmaster.saves_codes()
    link = _invites(harbourmaster, reader.email, "reader", HARBOUR)
    reader.open(link)
    reader.sees("You are invited")
    reader.press("Accept")
    reader.sees(SET_UP)
    reader.submit_app(reader.scan(), "My phone")
    reader.saves_codes()
    reader.sees("Harbour data")
    reader.log_out()
    reader.clock.next_step()
    reader.give_password(FRONT)
    reader.give_code("My phone")
    reader.sees("City data")
    reader.open("/")
    _may_enter(reader, "City data", "Harbour data")


def _may_enter(somebody: Somebody, *names: str) -> None:
    """The home page lists these portals and no other."""
    somebody.sees("Portals")
    assert somebody.page.get_by_role("main").locator("li strong").all_inner_texts() == list(names)


def _asks(stranger: Somebody, name: str, message: str) -> None:
    """From the private portal's door: the log-in, and there the way to ask."""
    stranger.open(FRONT)
    stranger.sees("Log in")
    stranger.click("Request access")
    stranger.sees("Request access")
    fields = {"Name": name, "E-mail": stranger.email, "Password": stranger.password, "Message": message}
    stranger.fill(fields)
    stranger.press("Request access")
    stranger.reads("If you have an account here, log in and ask from there.")


def _is_told(stranger: Somebody, state: str, reason: str = "") -> None:
    """The right password of the request gets the truth, and no login."""
    stranger.give_password(FRONT)
    stranger.sees(state)
    if reason:
        stranger.reads(reason)
    expect(stranger.page.get_by_role("link", name="data@example.org")).to_be_visible()
    stranger.open("/account")
    stranger.sees("Log in")


def _decides(admin: Somebody, name: str, decision: str, *, waiting: int, reason: str = "") -> None:
    """By the menu, where the number of those who wait stands beside the link."""
    admin.open(f"/portals/{PORTAL}/backoffice")
    menu = admin.page.get_by_role("navigation", name="Back office")
    requests = menu.get_by_role("link", name="Requests", exact=True)
    expect(requests).to_have_accessible_description(str(waiting))
    requests.click()
    admin.sees("Requests")
    admin.page.get_by_role("checkbox", name=name, exact=True).check()
    if reason:
        admin.fill({"Reason": reason})
    admin.press(decision)


def _invites(admin: Somebody, email: str, role: str, portal: str = PORTAL) -> str:
    """The link that the admin is shown, to be handed over."""
    path = f"/portals/{portal}/backoffice/access/users/invite"
    if admin.is_logged_in():
        admin.open(path)
    else:
        admin.give_password(path)
    admin.sees("Invite")
    admin.fill({"E-mail addresses": email})
    admin.page.get_by_role("radio", name=role, exact=True).check()
    admin.press("Invite")
    admin.sees("Invitation")
    return admin.page.locator("code.key").inner_text()
