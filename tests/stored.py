"""What is kept, read past every operation: rows as they stand, the database's raw bytes, a browser's session."""

from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import inspect, select

from mfaportal.plumbing.db import Base, db
from tests.browser_client import ORIGIN, Browser
from tests.databases import contents_of

HOST = "127.0.0.1"


def stored(app: Flask, model: type[Base], **facts: object) -> list[Any]:
    """The rows of a table that hold these facts, in the order of their keys."""
    table = inspect(model).local_table
    statement = select(table).where(*(table.c[name] == value for name, value in facts.items()))
    with app.app_context(), db.engine.connect() as connection:
        return list(connection.execute(statement.order_by(*table.primary_key)))


def the_one(app: Flask, model: type[Base], **facts: object) -> Any:
    """The only row that holds these facts."""
    (row,) = stored(app, model, **facts)
    return row


def raw_bytes(instance: Path) -> bytes:
    """Everything in the database's files, journal included, as a thief of the disk would read it."""
    return contents_of(instance).raw()


def session_of(browser: Browser) -> dict[str, Any]:
    """What the browser's signed session says."""
    with browser.client.session_transaction(base_url=ORIGIN) as session:
        return dict(session)


def token_of(browser: Browser) -> str:
    """The login's token that the browser holds; empty when it holds none."""
    return str(session_of(browser).get("_user_id", ""))


def cookie_name(browser: Browser) -> str:
    return str(browser.client.application.config["SESSION_COOKIE_NAME"])


def cookie_of(browser: Browser) -> str:
    """The session cookie as it stands: what a thief takes."""
    cookie = browser.client.get_cookie(cookie_name(browser), domain=HOST)
    assert cookie is not None
    return cookie.value


def plant_cookie(browser: Browser, value: str) -> None:
    """Give the browser somebody's session cookie."""
    browser.client.set_cookie(cookie_name(browser), value, domain=HOST)
