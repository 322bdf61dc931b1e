"""What a person does at the pages, by the words that they read there."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.browser.authenticator import AppOnPhone, scan
from tests.browser.server_clock import ServerClock
from tests.clock import MovableClock
from tests.people import Person, give_app

SET_UP = "Set up multi\N{NON-BREAKING HYPHEN}factor authentication"
CODE = "Enter your code"
TABS_MAX = 30


@dataclass
class Somebody:
    """A person with a browser of their own, and the apps on their phone by the names that they gave them."""

    page: Page
    clock: ServerClock
    email: str
    password: str
    apps: dict[str, AppOnPhone] = field(default_factory=dict)
    last_code: str = ""

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    def open(self, path: str) -> None:
        self.page.goto(path)

    def sees(self, heading: str) -> None:
        """The page that they are at now has this heading."""
        expect(self.page.get_by_role("heading", level=1, name=heading, exact=True)).to_be_visible()

    def reads(self, sentence: str) -> None:
        expect(self.page.get_by_text(sentence)).to_be_visible()

    def label(self, words: str) -> Locator:
        return self.page.get_by_label(words, exact=True)

    def click(self, link: str) -> None:
        self.page.get_by_role("link", name=link, exact=True).click()

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()

    def fill(self, fields: Mapping[str, str]) -> None:
        """Type into fields, found by their labels."""
        for words, text in fields.items():
            self.label(words).fill(text)

    def give_password(self, wanted: str | None = None) -> None:
        """Ask for a page (or for the log-in) and give e-mail and password on the log-in page that comes instead."""
        self.open(wanted or "/log-in")
        self.sees("Log in")
        self.fill({"E-mail": self.email, "Password": self.password})
        self.press("Log in")

    def give_code(self, app: str, *, again: bool = False) -> None:
        """What the app shows now, or once more what was typed last."""
        self.sees(CODE)
        self.last_code = self.last_code if again else self.apps[app].code()
        self.fill({"One-time code": self.last_code})
        self.press("Submit")

    def log_out(self) -> None:
        self.press("Log out")
        self.sees("Log in")
        self.reads("You are logged out.")

    def scan(self) -> AppOnPhone:
        """An app that was given the key of the QR code on the screen."""
        return AppOnPhone(scan(self.page).key, self.clock)

    def has_app(self, name: str, person: Person) -> AppOnPhone:
        """An app that the person set up some time ago."""
        phone = give_app(person, MovableClock(self.clock()), name)
        self.apps[name] = AppOnPhone(phone.key, self.clock)
        return self.apps[name]

    def shown_key(self) -> str:
        """What stands behind "Use setup key"."""
        self.page.get_by_text("Use setup key", exact=True).click()
        return self.page.locator("details code").inner_text()

    def submit_app(self, app: AppOnPhone, name: str) -> None:
        """The second half of the set-up form."""
        self.apps[name], self.last_code = app, app.code()
        self.fill({"One-time code": self.last_code, "Name": name})
        self.press("Submit")

    def saves_codes(self) -> list[str]:
        """The recovery codes that come with the first app: read off the page and said to be saved."""
        self.sees("Recovery codes")
        codes = self.page.locator("#codes code").all_inner_texts()
        self.label("I have saved them").check()
        self.press("Done")
        return codes

    def another_tab(self) -> "Somebody":
        """The same person in a second tab of the same browser."""
        return replace(self, page=self.page.context.new_page())

    def keys(self, *pressed: str) -> None:
        """Press Tab, Enter and the like, and type the rest, into whatever has the focus."""
        for text in pressed:
            if text in ("Tab", "Shift+Tab", "Enter", "Space"):
                self.page.keyboard.press(text)
            else:
                self.page.keyboard.type(text)

    def tab_to(self, target: Locator) -> None:
        """Press Tab until it has the focus."""
        for _ in range(TABS_MAX):
            if target.evaluate("element => element === document.activeElement"):
                return
            self.keys("Tab")
        raise AssertionError(f"{TABS_MAX} tabs do not lead to {target}")

    def is_logged_in(self) -> bool:
        return self.page.get_by_role("button", name="Log out", exact=True).is_visible()
