"""The README's five minutes, as a person walks them: its commands in three terminals, and Chromium."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.pages import SET_UP
from tests.browser.server_clock import ServerClock
from tests.browser.watch import Watch
from tests.plugins.chromium import PATIENCE_MS
from tests.proxies.readme_walk import WALK, Machine
from tests.proxies.walks.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.needs("caddy", "chromium", "oathtool", "zbarimg")]
NewVisitor = Callable[[str], Visitor]


class Watchful(ServerClock):
    """Nobody moves the portal's clock: who does not wait for the next code takes the one that comes next, in advance.

    The portal takes it half a minute early.
    """

    def __init__(self) -> None:
        self._offset = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def advance(self, **length: float) -> None:
        self._offset += timedelta(**length)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    machine.stop()


@pytest.fixture
def visitor(machine: Machine, chromium: Browser) -> Iterator[NewVisitor]:
    """Somebody in a private window: nothing is known of them there."""
    portal = f"http://127.0.0.1:{machine.portal}"
    watch = Watch(portal, f"http://data.localhost:{machine.proxy}")
    contexts: list[BrowserContext] = []

    def come(name: str) -> Visitor:
        context = chromium.new_context(base_url=portal, locale="en-GB")
        context.set_default_timeout(PATIENCE_MS)
        watch.over(context)
        contexts.append(context)
        return Visitor(context.new_page(), Watchful(), f"{name.lower()}@example.org", f"{name} rows a green boat")

    yield come
    for context in contexts:
        context.close()
    watch.verdict()


def test_five_minutes_from_nothing_to_a_table_behind_mfa(machine: Machine, visitor: NewVisitor) -> None:
    data = f"http://data.localhost:{machine.proxy}"
    oda = visitor("Oda")
    _welcomed(oda, _three_terminals(machine))
    _guards(oda, machine)
    private = visitor("Oda")
    private.apps = oda.apps
    _comes_to_the_table(private, data, machine, next_code=True)
    rea = visitor("Rea")
    _is_invited(oda, rea)
    _comes_to_the_table(rea, data, machine)
    back_office = re.findall(r"<http://data\.localhost:8080(/[^>]+)>", WALK)[-1]
    answer = rea.visits(f"{data}{back_office}")
    assert answer.status == 403
    rea.sees_a_page_of_ours("No access", data)


def _three_terminals(machine: Machine) -> str:
    """The commands as they stand in the README; the link that the first one prints."""
    database = {"/tmp/harbour.db": str(machine.home / "harbour.db")}  # noqa: S108
    said = machine.start("make run", {}, "/welcome?token=")
    machine.run("create table", database)
    port = {"8001": str(machine.application)}
    machine.start("bin/datasette /tmp", {**database, **port}, "Uvicorn running on")
    machine.start("caddy run", {}, "serving initial configuration")
    link = re.search(r"http://\S+/welcome\?token=\w+", said)
    assert link, said
    return link[0]


def _welcomed(oda: Visitor, link: str) -> None:
    oda.open(link)
    oda.sees("Welcome")
    fields = {"E-mail": oda.email, "Your name": "Oda", "Password": oda.password, "Name of the portal": "Harbour"}
    oda.fill(fields)
    oda.press("Create")
    oda.sees(SET_UP)
    oda.submit_app(oda.scan(), "My phone")
    oda.saves_codes()


def _guards(oda: Visitor, machine: Machine) -> None:
    """Step 4: by the menu, and typed as it stands there."""
    typed = re.search(r"Addresses: `(http://data\.localhost:8080)`, back-office paths: `(/[^`]+)`", WALK)
    assert typed
    oda.open("/")
    oda.click("Back office")
    oda.page.get_by_role("link", name="Portals", exact=True).click()
    oda.page.get_by_role("main").get_by_role("link", name="Harbour", exact=True).click()
    oda.fill({"Addresses": typed[1].replace("8080", str(machine.proxy)), "Back-office paths": typed[2]})
    oda.press("Save")
    oda.sees("Portals")


def _is_invited(oda: Visitor, rea: Visitor) -> None:
    oda.open("/portals/harbour/backoffice/access/users/invite")
    oda.fill({"E-mail addresses": rea.email})
    oda.page.get_by_role("radio", name="reader", exact=True).check()
    oda.press("Invite")
    oda.sees("Invitation")
    rea.open(oda.page.locator("code.key").inner_text())
    rea.sees("You are invited")
    rea.fill({"Your name": "Rea", "Password": rea.password})
    rea.press("Accept")
    rea.sees("Log in")


def _comes_to_the_table(one: Visitor, data: str, machine: Machine, *, next_code: bool = False) -> None:
    """Asked to log in on the portal, for a code where there is an app, and back at exactly that page."""
    wanted = re.findall(r"<http://data\.localhost:8080(/[^>]+)>", WALK)[0]
    one.visits(f"{data}{wanted}")
    one.is_asked_to_log_in_at(f"http://127.0.0.1:{machine.portal}")
    one.gives_password_here()
    if next_code:
        one.clock.next_step()
        one.apps = {name: type(app)(app.key, one.clock) for name, app in one.apps.items()}
        one.give_code("My phone")
    expect(one.page.get_by_role("cell", name="Aurora", exact=True)).to_be_visible()
    one.is_at(f"{data}{wanted}")
    assert one.page.evaluate("() => [...document.styleSheets].some(sheet => sheet.cssRules.length)")
