"""Somebody who guesses, and what a pause looks like to them: for the tests of throttles."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.people import Person
from tests.phone import Phone

MINUTE, HOUR, DAY = 60, 3600, 86_400
NETWORKS = [
    (["192.0.2.7"], "192.0.2.8"),
    ([f"2001:db8:7:7::{number:x}" for number in range(1, 60)], "2001:db8:7:8::1"),
]
"""Addresses that count as one, and one that does not: IPv4 by itself, IPv6 by its /64."""


@dataclass
class Guesser:
    """Somebody who knows a password and guesses codes, with as many browsers as it takes."""

    new_browser: Callable[[], Browser]
    clock: MovableClock
    person: Person

    @property
    def phone(self) -> Phone:
        assert self.person.phone is not None
        return self.person.phone

    def at_the_code(self, address: str = "192.0.2.7") -> Browser:
        """A new browser, with the password given."""
        browser = self.new_browser()
        browser.address = address
        assert browser.give_password(self.person).location == "/log-in/code"
        return browser

    def wrong(self, browser: Browser, times: int = 1, path: str = "/log-in/code") -> None:
        """So many wrong codes, each of them judged."""
        for number in range(times):
            page = browser.submit(path, code=self.phone.wrong_code(self.clock()))
            assert page.status == 422, f"wrong code {number + 1}: {page.text}"

    def right(self, browser: Browser, path: str = "/log-in/code") -> Page:
        return browser.submit(path, code=self.phone.code(self.clock()))


def is_paused(page: Page, seconds: int | None) -> bool:
    """Whether it says 429, and when to come back; None: time alone does not help."""
    after = page.response.headers.get("Retry-After")
    assert page.status == 429, page.text
    assert "Too many" in page.text
    return after is None if seconds is None else after is not None and seconds <= int(after) <= seconds + 1
