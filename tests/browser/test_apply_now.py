"""A rule with "also apply now": it asks those who are logged in, and it cannot lock out whoever sets it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import SET_UP, Somebody
from tests.browser.server_clock import ServerClock
from tests.people import Cast, Person

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium", "oathtool", "zbarimg")]

ACCESS_SECURITY = "/portals/city-data/backoffice/access/security"


@pytest.fixture
def sits_down(new_page_without_script: Callable[[], Page], server_clock: ServerClock) -> Callable[[Person], Somebody]:
    return lambda person: Somebody(new_page_without_script(), server_clock, person.email, person.password)


def test_everybody_is_asked_on_the_next_page_and_comes_to_it(
    people: Cast, sits_down: Callable[[Person], Somebody]
) -> None:
    admin, reader = sits_down(people.admin), sits_down(people.reader)
    admin.give_password(ACCESS_SECURITY)
    reader.give_password("/account")
    _choose(admin, "All users", apply_now=True)
    _sets_up_first(admin)
    _choose(admin, "All users", apply_now=True)
    admin.reads("Saved.")
    reader.click("Security")
    reader.sees(SET_UP)
    reader.submit_app(reader.scan(), "My phone")
    reader.saves_codes()
    reader.sees("Security")
    assert reader.path == "/account/security"


def _choose(admin: Somebody, words: str, *, apply_now: bool) -> None:
    admin.open(ACCESS_SECURITY)
    admin.page.get_by_role("radio", name=words, exact=True).check()
    admin.page.get_by_role("checkbox", name="Also apply now").set_checked(apply_now)
    admin.press("Save")


def _sets_up_first(admin: Somebody) -> None:
    """The refusal keeps what was chosen and says what to do; doing it is one link away."""
    admin.reads("You would be covered and have not set up MFA yourself")
    expect(admin.page.get_by_role("radio", name="All users", exact=True)).to_be_checked()
    admin.click("Set up MFA for yourself")
    admin.sees(SET_UP)
    admin.submit_app(admin.scan(), "My phone")
    admin.reads("Your app is set up.")
