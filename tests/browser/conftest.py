"""Chromium before a running portal: a browser for the whole run, and as many people at it as a test needs."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page

from mfaportal import create_app
from mfaportal.plumbing.db import db
from tests.browser.pages import Somebody
from tests.browser.server_clock import ServerClock
from tests.browser.standing import Standing, standing_in
from tests.browser.watch import Watch
from tests.clock import MovableClock
from tests.people import Cast, Person, seed
from tests.plugins.chromium import PATIENCE_MS
from tests.server import Server


class NewPage(Protocol):
    """Somebody's browser of their own (cookies, window), with one tab on nothing yet; paths are the portal's."""

    def __call__(
        self, *, width: int = 1280, height: int = 900, dark: bool = False, javascript: bool = True
    ) -> Page: ...


class SitsDown(Protocol):
    """Somebody of `people` at a browser of their own."""

    def __call__(
        self, person: Person, *, width: int = 1280, height: int = 900, dark: bool = False, javascript: bool = True
    ) -> Somebody: ...


@pytest.fixture(scope="session")
def standing(blank_instance: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    with standing_in(blank_instance, tmp_path_factory.mktemp("standing")) as standing:
        yield standing


@pytest.fixture
def portal_server(standing: Standing) -> Server:
    """A running portal with nobody in it."""
    standing.empty()
    return standing.server


@pytest.fixture
def first_start(standing: Standing) -> Server:
    """The same, as after its very first start."""
    standing.start_anew()
    return standing.server


@pytest.fixture
def server_clock(standing: Standing) -> ServerClock:
    """The portal's clock, and that of its command line; it runs, and a test may put it forward."""
    return standing.clock


@pytest.fixture
def clock(server_clock: ServerClock) -> MovableClock:
    """For what `people` do beside the running server: they are made now, not when other tests begin."""
    return MovableClock(server_clock())


@pytest.fixture(scope="session")
def app(standing: Standing) -> Iterator[Flask]:
    """The same installation inside the test's own process."""
    settings = standing.server.settings
    app = create_app({name: settings[name] for name in settings if name != "MFAPORTAL_WORKERS"})
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def people(app: Flask, portal_server: Server, clock: MovableClock) -> Iterator[Cast]:
    """The cast, in the running portal's database; its helpers (`give_app`, `set_rule`) work until the test ends."""
    with app.app_context():
        yield seed(clock)


@pytest.fixture
def new_page(chromium: Browser, portal_server: Server) -> Iterator[NewPage]:
    """Afterwards no page may have asked for anything outside, broken its policy, or met an error of the server."""
    contexts: list[BrowserContext] = []
    watch = Watch(portal_server.url)

    def make(*, width: int = 1280, height: int = 900, dark: bool = False, javascript: bool = True) -> Page:
        context = chromium.new_context(
            base_url=portal_server.url,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            locale="en-GB",
            timezone_id="Europe/Berlin",
        )
        context.set_default_timeout(PATIENCE_MS)
        watch.over(context)
        contexts.append(context)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()
    watch.verdict()


@pytest.fixture
def new_page_without_script(new_page: NewPage) -> Callable[[], Page]:
    """`new_page` at its usual size, with JavaScript off: the portal has none, and `test_look` has it on."""
    return lambda: new_page(javascript=False)


@pytest.fixture
def sits_down(new_page: NewPage, server_clock: ServerClock) -> SitsDown:
    def sit_down(
        person: Person, *, width: int = 1280, height: int = 900, dark: bool = False, javascript: bool = True
    ) -> Somebody:
        page = new_page(width=width, height=height, dark=dark, javascript=javascript)
        return Somebody(page, server_clock, person.email, person.password)

    return sit_down
