"""Chromium before the proxies: a browser for the whole run, and people who come to guarded hosts with it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext
from sqlalchemy import update

from mfaportal.domain import portals
from mfaportal.models import Portal, SignUp
from mfaportal.plumbing.db import transaction
from tests.browser.server_clock import ServerClock
from tests.browser.watch import Watch
from tests.clock import MovableClock
from tests.people import PORTAL, Cast, Person, add_person, on_the_command_line
from tests.plugins.chromium import PATIENCE_MS
from tests.proxies.conftest import DATA, FILES, SOCKET, Guarded
from tests.proxies.deployed import PORTAL_HOST
from tests.proxies.walks.visitor import Visitor

_OF_TABLE = "/harbour/ships?_sort=name&berth__not=gr%C3%BCn&name__not=A%26B+C"


@dataclass
class Town:
    """The portal "City data", its people, the addresses that it guards, and browsers to visit them."""

    guarded: Guarded
    server_clock: ServerClock
    chromium: Browser
    watch: Watch
    contexts: list[BrowserContext]

    @property
    def people(self) -> Cast:
        return self.guarded.people

    @property
    def clock(self) -> MovableClock:
        """For what happens beside the server: it is now, whatever a walk has done to the server's clock."""
        self.guarded.clock.now = self.server_clock()
        return self.guarded.clock

    def url(self, host: str) -> str:
        return self.guarded.front.url(host)

    @property
    def portal(self) -> str:
        return self.url(PORTAL_HOST)

    @property
    def data(self) -> str:
        return self.url(DATA)

    @property
    def files(self) -> str:
        return self.url(FILES)

    @property
    def socket(self) -> str:
        return self.url(SOCKET)

    @property
    def table(self) -> str:
        """A table of Datasette, with a query string that has something of everything."""
        return self.data + _OF_TABLE

    @property
    def back_office(self) -> str:
        """A page of Datasette below one of the portal's back-office paths."""
        return f"{self.data}/-/versions"

    def comes(self, person: Person, *, width: int = 1280, javascript: bool = True) -> Visitor:
        """Somebody with a browser of their own, that has never been here."""
        context = self.chromium.new_context(
            base_url=self.portal,
            viewport={"width": width, "height": 900},
            java_script_enabled=javascript,
            ignore_https_errors=True,  # nor does Chromium cache then: each page is asked for
            locale="en-GB",
        )
        context.set_default_timeout(PATIENCE_MS)
        self.watch.over(context)
        self.contexts.append(context)
        return Visitor(context.new_page(), self.server_clock, person.email, person.password)

    def told(self, visitor: Visitor) -> dict[str, str]:
        """What the application behind `files` was told in the headers of the request for the page that is shown."""
        seen: dict[str, Any] = json.loads(visitor.page.locator("body").inner_text())
        return {name.lower(): value for name, value in seen["headers"]}

    def lets_people_ask(self) -> None:
        with transaction() as session:
            session.execute(update(Portal).where(Portal.slug == PORTAL).values(sign_up=SignUp.APPROVAL))

    def member_elsewhere(self) -> Person:
        """Somebody of another portal of the installation."""
        caller = on_the_command_line(self.clock)
        portals.create(caller, "Harbour data", "harbour")
        return add_person(self.clock, "nora@example.org", "Nora", "reader", portal="harbour")


@pytest.fixture
def town(guarded: Guarded, server_clock: ServerClock, chromium: Browser) -> Iterator[Town]:
    """Afterwards no page may have asked for anything outside, broken its policy, or met an error of the server."""
    hosts = (PORTAL_HOST, DATA, FILES, SOCKET)
    watch = Watch(*(guarded.front.url(host) for host in hosts))
    town = Town(guarded, server_clock, chromium, watch, [])
    yield town
    for context in town.contexts:
        context.close()
    watch.verdict()
