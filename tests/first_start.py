"""The welcome form, filled in as the first operator does."""

from typing import Any

from tests.browser_client import Browser, Page

EMAIL = "ada.keeper@example.org"
PASSWORD = "seven lamps on the quiet harbour"


def fill_in(page: Page, browser: Browser, **fields: Any) -> Page:
    """Send the welcome form with everything right but for `fields`."""
    right = {"email": EMAIL, "name": "Ada Keeper", "password": PASSWORD, "portal": "Harbour data"}
    return browser.send(page, **{**right, **fields})


def welcome(browser: Browser, key: str, **fields: Any) -> Page:
    return fill_in(browser.get(f"/welcome?token={key}", follow=True), browser, **fields)
