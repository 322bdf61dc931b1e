"""The set-up page on the screens that people have, and to those who do not see it."""

from urllib.parse import unquote

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from mfaportal.models import Portal
from mfaportal.plumbing.db import transaction
from tests.browser.authenticator import QR_NAME, read, scan
from tests.browser.conftest import SitsDown
from tests.browser.pages import SET_UP
from tests.people import Cast

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium", "oathtool", "zbarimg")]

ADD = "/account/security/methods/add"
LONG_NAME = "Gemeinsames Statistikportal der Länder: Bevölkerung, Häuser, Verkehr"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_qr_code_reads_off_any_screen(people: Cast, sits_down: SitsDown, width: int, *, dark: bool) -> None:
    reader = sits_down(people.reader, width=width, height=740, dark=dark)
    reader.give_password(ADD)
    scanned = scan(reader.page)
    assert (scanned.issuer, scanned.email) == ("City data", "reader@example.org")
    assert reader.shown_key().replace(" ", "") == scanned.key


def test_the_qr_code_of_a_portal_with_a_long_name_reads_off_a_phone(people: Cast, sits_down: SitsDown) -> None:
    with transaction() as session:
        session.execute(update(Portal).values(name=LONG_NAME))
    reader = sits_down(people.reader, width=360, height=740, dark=True)
    reader.give_password(ADD)
    assert scan(reader.page).issuer == LONG_NAME.replace(":", ""), "a colon would part issuer and e-mail"


def test_the_link_for_an_app_on_this_device_says_what_the_qr_code_says(people: Cast, sits_down: SitsDown) -> None:
    reader = sits_down(people.reader)
    reader.give_password(ADD)
    link = reader.page.get_by_role("link", name="Open in an app on this device").get_attribute("href")
    assert read(link or "") == scan(reader.page)


def test_nothing_that_is_read_aloud_tells_the_key(people: Cast, sits_down: SitsDown) -> None:
    """Neither the QR code's name nor anything else on the page before "Use setup key" is opened, nor the address."""
    reader = sits_down(people.reader)
    reader.give_password(ADD)
    key = scan(reader.page).key
    expect(reader.page.get_by_role("img", name=QR_NAME, exact=True)).to_be_visible()
    spoken = reader.page.locator("body").aria_snapshot()
    said = "\n".join(line for line in spoken.splitlines() if "/url:" not in line)
    assert QR_NAME in said
    for text in (said, reader.page.inner_text("body"), reader.page.title(), unquote(reader.page.url)):
        assert key[:8] not in text.replace(" ", "")
    assert reader.shown_key().replace(" ", "") == key


def test_a_wrong_code_keeps_the_name_and_the_key(people: Cast, sits_down: SitsDown) -> None:
    reader = sits_down(people.reader)
    reader.give_password(ADD)
    app = reader.scan()
    reader.fill({"One-time code": app.wrong_code(), "Name": "Work phone"})
    reader.press("Submit")
    reader.reads("This code is wrong. Enter the one that your app shows now.")
    expect(reader.label("Name")).to_have_value("Work phone")
    expect(reader.label("One-time code")).to_have_value("")
    expect(reader.label("One-time code")).to_be_focused()
    assert reader.scan() == app


def test_the_key_outlives_reloads_and_tabs_and_is_gone_when_left(people: Cast, sits_down: SitsDown) -> None:
    reader = sits_down(people.reader)
    reader.give_password(ADD)
    app = reader.scan()
    reader.page.reload()
    assert reader.scan() == app
    tab = reader.another_tab()
    tab.open(ADD)
    assert tab.scan() == app
    tab.press("Cancel")
    tab.sees("Security")
    tab.open(ADD)
    tab.sees(SET_UP)
    assert tab.scan() != app
