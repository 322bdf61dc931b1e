"""A lost phone, from the recovery codes of the first set-up to the new app, without JavaScript; and what it adds."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from mfaportal.rules.mfa_rule import MfaRule
from tests.browser.authenticator import AppOnPhone
from tests.browser.conftest import SitsDown
from tests.browser.pages import CODE, SET_UP
from tests.clock import MovableClock
from tests.people import Cast, give_app, set_rule

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium", "faketime", "oathtool", "zbarimg")]

_LISTENS = """() => {
    const write = navigator.clipboard.writeText.bind(navigator.clipboard);
    navigator.clipboard.writeText = async (text) => { await write(text); window.copied = text; };
}"""
"""What is written is noted on its way: the clipboard itself is one for all browsers that run here."""
CODES = "/account/security/recovery-codes"
WANTED = "/portals/city-data/backoffice"


def test_a_lost_phone_is_replaced_after_a_log_in_by_a_recovery_code(
    people: Cast, sits_down: SitsDown, clock: MovableClock
) -> None:
    set_rule(MfaRule.EVERYONE, clock)
    editor = sits_down(people.editor, javascript=False)
    editor.give_password(WANTED)
    editor.sees(SET_UP)
    editor.submit_app(editor.scan(), "My phone")
    expect(editor.page.get_by_role("button", name="Copy")).to_have_count(0)
    codes = editor.saves_codes()
    editor.sees("Back office")
    assert editor.path == WANTED
    editor.log_out()
    editor.give_password(WANTED)
    editor.sees(CODE)
    editor.click("Use a recovery code")
    editor.fill({"Recovery code": codes[0].lower().replace("-", " ")})
    editor.press("Submit")
    editor.reads("9 of them are left")
    editor.clock.advance(minutes=11)
    editor.click("Replace My phone")
    editor.sees("Replace “My phone”")
    editor.submit_app(AppOnPhone(editor.shown_key(), editor.clock), "New phone")
    editor.reads("The app was replaced.")
    editor.click("Continue")
    assert editor.path == WANTED
    editor.clock.next_step()
    editor.log_out()
    editor.give_password(WANTED)
    editor.give_code("My phone")
    editor.reads("This code is wrong.")
    editor.give_code("New phone")
    editor.sees("Back office")


def test_with_javascript_codes_can_be_copied_printed_and_downloaded(
    people: Cast, sits_down: SitsDown, clock: MovableClock, tmp_path: Path
) -> None:
    give_app(people.reader, clock)
    reader = sits_down(people.reader)
    assert people.reader.phone is not None
    reader.apps["My phone"] = AppOnPhone(people.reader.phone.key, reader.clock)
    reader.give_password(CODES)
    reader.give_code("My phone")
    reader.press("Make codes")
    reader.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    codes = reader.page.locator("#codes code").all_inner_texts()
    reader.page.evaluate(_LISTENS)
    reader.press("Copy")
    reader.reads("Copied.")
    assert reader.page.evaluate("window.copied") == "\n".join(codes)
    reader.page.evaluate("window.print = () => { document.title = 'printed' }")
    reader.press("Print")
    expect(reader.page).to_have_title("printed")
    with reader.page.expect_download() as started:
        reader.click("Download")
    assert started.value.suggested_filename == "recovery-codes.txt"
    started.value.save_as(tmp_path / "codes.txt")
    assert (tmp_path / "codes.txt").read_text().split()[-10:] == codes
