"""The README's pictures, taken from the running portal: `make screenshots`.

Starts the real server over a temporary instance, makes invented people, and photographs pages with Chromium into
docs/screenshots/. Fails if a picture grows too heavy for a README.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import update

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from mfaportal import create_app  # noqa: E402
from mfaportal.models import Account  # noqa: E402
from mfaportal.plumbing.db import db, transaction  # noqa: E402
from mfaportal.rules.mfa_rule import MfaRule  # noqa: E402
from tests.clock import MovableClock  # noqa: E402
from tests.people import Person, add_person, give_app, seed, set_rule  # noqa: E402
from tests.plugins.tools import ToolMissingError, tool  # noqa: E402
from tests.server import Server  # noqa: E402

PICTURES = ROOT / "docs" / "screenshots"
HEAVIEST = 150_000
ACCESS = "/portals/city-data/backoffice/access"

PEOPLE = (
    ("Air Quality", "air@example.org", "editor", 1, 2),
    ("Budget Office", "budget@example.org", "editor", 2, 26),
    ("Harbour Office", "harbour@example.org", "reader", 0, 5),
    ("Library", "library@example.org", "reader", 1, 200),
    ("Street Trees", "trees@example.org", "editor", 0, 75),
)
"""Name, e-mail, role, number of apps, hours since the last log-in."""


@dataclass(frozen=True)
class Cast:
    """Who is photographed; nobody of them exists."""

    operator: Person
    with_app: Person
    without_app: Person


def main() -> int:
    """Take all pictures; say which are there, or what is missing."""
    try:
        chromium = tool("chromium")
    except ToolMissingError as error:
        print(error, file=sys.stderr)
        return 1
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        _portal(Path(folder)) as (server, cast),
        sync_playwright() as player,
    ):
        browser = player.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        sizes = dict(_taken(browser, server.url, cast))
        browser.close()
    for name, size in sizes.items():
        print(f"{PICTURES.relative_to(ROOT)}/{name}.png {size // 1000} kB")
    heavy = [name for name, size in sizes.items() if size > HEAVIEST]
    if heavy:
        print(f"heavier than {HEAVIEST // 1000} kB: {', '.join(heavy)}", file=sys.stderr)
    return 1 if heavy else 0


@contextmanager
def _portal(folder: Path) -> Iterator[tuple[Server, Cast]]:
    """The server, running, with people in it."""
    server = Server(folder / "instance", folder)
    app = create_app(server.settings)
    with app.app_context():
        cast = _settle(datetime.now(UTC))
        db.engine.dispose()
    try:
        yield server.start(), cast
    finally:
        server.stop()


def _settle(now: datetime) -> Cast:
    """People of every kind, some weeks ago, under a rule for the back office."""
    clock = MovableClock(now - timedelta(days=40))
    staff = seed(clock)
    set_rule(MfaRule.BACK_OFFICE, clock)
    made: dict[str, Person] = {}
    for name, email, role, apps, hours in PEOPLE:
        made[name] = add_person(clock, email, name, role)
        for app in ("Phone", "Laptop")[:apps]:
            give_app(made[name], clock, app)
        with transaction() as session:
            session.execute(
                update(Account).where(Account.id == made[name].id).values(last_login_at=now - timedelta(hours=hours))
            )
    give_app(staff.admin, clock)
    give_app(staff.operator, clock)
    clock.advance(days=12)
    give_app(staff.operator, clock, "KeePassXC on the laptop")
    return Cast(staff.operator, made["Air Quality"], made["Street Trees"])


def _taken(browser: Browser, url: str, cast: Cast) -> Iterator[tuple[str, int]]:
    """Each picture's name and its bytes: what a person sees on the way in, then what an operator sees."""
    page = _phone(browser, url)
    page.goto("/log-in")
    yield _take(page, "log-in")
    _give_password(page, cast.without_app)
    yield _take(page, "set-up")
    page = _phone(browser, url, dark=True)
    page.goto("/log-in")
    _give_password(page, cast.with_app)
    yield _take(page, "code")
    page = _phone(browser, url)
    page.goto("/log-in")
    _give_password(page, cast.operator)
    _give_code(page, cast.operator)
    page.goto("/account/security/methods")
    yield _take(page, "methods")
    page.set_viewport_size({"width": 1280, "height": 640})
    page.goto(f"{ACCESS}/security")
    yield _take(page, "access-security")
    page.goto(f"{ACCESS}/users")
    yield _take(page, "users")


def _phone(browser: Browser, url: str, *, dark: bool = False) -> Page:
    """A browser of its own, the size of a small phone."""
    return browser.new_context(
        base_url=url, viewport={"width": 360, "height": 560}, color_scheme="dark" if dark else "light"
    ).new_page()


def _give_password(page: Page, person: Person) -> None:
    page.get_by_label("E-mail", exact=True).fill(person.email)
    page.get_by_label("Password", exact=True).fill(person.password)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(lambda address: "log-in/" in address)


def _give_code(page: Page, person: Person) -> None:
    if person.phone is None:
        raise TypeError(f"{person.name} has no app")
    page.get_by_label("One-time code", exact=True).fill(person.phone.code(datetime.now(UTC)))
    page.get_by_role("button", name="Submit", exact=True).click()
    page.wait_for_url(lambda address: "log-in" not in address)


def _take(page: Page, name: str) -> tuple[str, int]:
    """The whole page, whatever its length, with no field looking as if it were being typed into."""
    page.locator(":focus").evaluate_all("fields => fields.forEach(field => field.blur())")
    picture = page.screenshot(path=PICTURES / f"{name}.png", full_page=True, caret="hide")
    return name, len(picture)


if __name__ == "__main__":
    sys.exit(main())
