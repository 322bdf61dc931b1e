"""Every page at 360 and 1,280 pixels, light and dark: axe-core, no sideways scroll, sizes for fingers, weight.

axe-core looks at the small light page and the wide dark one; at all four by `make faults`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import pytest
from flask import Flask
from playwright.sync_api import Page, Response

from tests.browser import measure
from tests.browser.conftest import NewPage
from tests.browser.pages import Somebody
from tests.browser.stops import NO_PAGES, STOPS, Stop, Visitor, open_the_doors, settle
from tests.clock import MovableClock
from tests.faults.length import either
from tests.people import Cast
from tests.server import Server

Scheme = Literal["light", "dark"]
HEAVIEST = 30_000
"""Bytes of a page with its stylesheet and its icon, uncompressed."""
SCHEMES: dict[int, tuple[Scheme, ...]] = either(
    {360: ("light",), 1280: ("dark",)}, {360: ("light", "dark"), 1280: ("light", "dark")}
)
"""By width: in which of them axe-core looks."""
HEIGHT = 740

pytestmark = pytest.mark.browser


def test_no_page_is_left_out(app: Flask) -> None:
    """A new page has to be entered in `stops`."""
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    assert {rule.endpoint for rule in rules} - NO_PAGES == {stop.endpoint for stop in STOPS if stop.endpoint}


@pytest.mark.needs("chromium")
def test_the_first_start_looks_right(first_start: Server, new_page: NewPage) -> None:
    _walk(new_page(), Visitor.FIRST, {"welcome": first_start.welcome_path})


@pytest.mark.needs("chromium", "oathtool")
@pytest.mark.parametrize("visitor", list(Visitor)[1:], ids=lambda visitor: visitor.name.lower())
def test_what_a_visitor_sees_looks_right(
    visitor: Visitor, people: Cast, clock: MovableClock, new_page: NewPage, sits_down: Callable[..., Somebody]
) -> None:
    town = settle(people, clock)
    open_the_doors(visitor, clock)
    person = town.walkers.get(visitor)
    if person is None:
        _walk(new_page(), visitor, town.names)
        return
    one = sits_down(person)
    if visitor is Visitor.OPERATOR:
        one.has_app("My phone", person)
    one.give_password("/account")
    if one.apps:
        one.give_code("My phone")
    _walk(one.page, visitor, town.names)


def _walk(page: Page, visitor: Visitor, names: Mapping[str, object]) -> None:
    """All stops of one visitor; what is wrong with any of them is said at the end, in one go."""
    stops = [stop for stop in STOPS if stop.visitor is visitor]
    wrong = [f"{stop}: {fault}" for stop in stops for fault in _faults(page, stop, names)]
    assert not wrong, "\n".join(wrong)


def _faults(page: Page, stop: Stop, names: Mapping[str, object]) -> Iterator[str]:
    answer = _arrive(page, stop, names)
    if answer is None or answer.status != stop.status:
        yield f"answered {answer and answer.status}"
    yield from _faults_of_any_size(page)
    for width, schemes in SCHEMES.items():
        page.set_viewport_size({"width": width, "height": HEIGHT})
        if too_wide := measure.overflow(page):
            yield f"at {width} px it scrolls {too_wide} px sideways"
        yield from (f"at {width} px small: {target}" for target in measure.small_targets(page))
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            found = measure.findings(page, colours_only=scheme == "dark")
            yield from (f"at {width} px, {scheme}: {finding}" for finding in found)


def _arrive(page: Page, stop: Stop, names: Mapping[str, object]) -> Response | None:
    """Open the page and do there what the stop says; the answer is that of the page which is looked at."""
    page.emulate_media(color_scheme="light")
    answer = page.goto(stop.path.format(**names))
    for label, text in stop.fill.items():
        page.get_by_label(label, exact=True).fill(text)
    for words in stop.check:
        page.get_by_label(words).check()
    if not stop.press:
        return answer
    with page.expect_navigation() as navigation:
        page.get_by_role("main").get_by_role("button", name=stop.press, exact=True).click()
    return navigation.value


def _faults_of_any_size(page: Page) -> Iterator[str]:
    here, _, place = page.title().rpartition(" · ")
    if not here or not place:
        yield f"its title {page.title()!r} does not say where one is"
    if (headings := page.locator("h1").count()) != 1:
        yield f"it has {headings} headings of the first level"
    if (bytes_ := measure.weight(page)) >= HEAVIEST:
        yield f"it weighs {bytes_} bytes"
    if (cursors := page.locator("[autofocus]").count()) > 1 and not page.locator("[aria-invalid]").count():
        yield f"{cursors} fields want the cursor"
