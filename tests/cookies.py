"""What a browser holds of the portal: its cookies, read with the portal's own key; and others in their place."""

from typing import Any, cast

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer

from tests.browser_client import Browser

SESSION = "mfaportal-8000"
DEVICE = "mfaportal-device-8000"
TOKEN = "_user_id"
"""Under which the session holds the login's token: Flask-Login's own key."""


def serializer(app: Flask) -> URLSafeTimedSerializer:
    found = cast(SecureCookieSessionInterface, app.session_interface).get_signing_serializer(app)
    assert found is not None
    return found


def cookie_of(browser: Browser, name: str = SESSION) -> str:
    cookie = browser.client.get_cookie(name, "127.0.0.1")
    return cookie.value if cookie else ""


def held_by(browser: Browser) -> dict[str, Any]:
    """What the browser's session holds."""
    return dict(serializer(browser.client.application).loads(cookie_of(browser)))


def with_cookie(browser: Browser, value: str, name: str = SESSION) -> Browser:
    browser.client.set_cookie(name, value, domain="127.0.0.1")
    return browser


def is_logged_in(browser: Browser) -> bool:
    page = browser.get("/account")
    assert page.status in (200, 303), page.status
    return page.status == 200
