"""What is done with a one-time link, and what a dead one looks like."""

from flask import Flask

from mfaportal.models import Account
from tests.browser_client import Browser, Page
from tests.people import Person
from tests.stored import the_one

NEW = "nine kettles in the attic"
"""A password that somebody chooses by a link."""
GONE = "This link no longer works"


def reset(browser: Browser, link: str, password: str = NEW) -> Page:
    return browser.send(browser.get(link, follow=True), password=password)


def is_gone(page: Page) -> bool:
    return page.status == 410 and GONE in page.text and 'href="/log-in"' in page.html


def digest_of(app: Flask, person: Person) -> str:
    return str(the_one(app, Account, id=person.id).password_digest)
