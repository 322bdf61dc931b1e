"""What pages of a guarded application do in Chromium by themselves: parts of files, uploads, WebSockets, requests."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from tests.proxies.applications import FILE
from tests.proxies.walks.conftest import Town
from tests.proxies.walks.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

UPLOAD_BYTES = 20_000_000
_FETCH = """async ([path, options]) => {
    const answer = await fetch(path, options);
    return [answer.status, answer.redirected, await answer.text()];
}"""
_PICK = "() => { document.body.innerHTML = '<input type=file>' }"
_UPLOAD = """async path => {
    const answer = await fetch(path, {method: 'POST', body: document.querySelector('input').files[0]});
    return await answer.text();
}"""
_SOCKET = """path => new Promise(done => {
    const socket = new WebSocket(path);
    socket.onopen = () => socket.send('ahoy');
    socket.onmessage = message => { done(message.data); socket.close() };
    socket.onclose = closed => done(closed.code);
})"""
_NO_HANDSHAKE = 1006
_FORM = """() => { document.body.innerHTML = `<form method=post action=/notes enctype=multipart/form-data>
    <input name=note value=kept><input type=file name=scan><button>Save</button></form>` }"""


def test_files_and_sockets_pass_for_a_member_and_end_with_the_login(town: Town, tmp_path: Path) -> None:
    reader = town.comes(town.people.reader)
    reader.visits(f"{town.files}/")
    reader.gives_password_here()
    reader.page.wait_for_url(f"{town.files}/")
    talker = reader.second_tab()
    talker.visits(f"{town.socket}/")
    _reads_a_part_of_a_file(reader)
    _sends_a_large_file(reader, tmp_path / "large.bin")
    assert talker.page.evaluate(_SOCKET, "/chat") == "ahoy"
    leaver = reader.second_tab()
    leaver.visits(town.portal)
    leaver.log_out()
    assert talker.page.evaluate(_SOCKET, "/chat") == _NO_HANDSHAKE
    _requests_are_told_in_json(reader)
    _a_form_is_told_that_nothing_was_saved(town, reader, [])
    _a_form_is_told_that_nothing_was_saved(town, reader, [tmp_path / "large.bin"])
    _what_was_sent_is_saved_after_a_log_in_elsewhere(town, reader)


def _reads_a_part_of_a_file(reader: Visitor) -> None:
    options = {"headers": {"Range": "bytes=65-74"}}
    assert reader.page.evaluate(_FETCH, ["/ships.bin", options]) == [206, False, FILE[65:75].decode()]


def _sends_a_large_file(reader: Visitor, large: Path) -> None:
    large.write_bytes(random.Random(5).randbytes(UPLOAD_BYTES))
    reader.page.evaluate(_PICK)
    reader.page.locator("input").set_input_files(large)
    seen = json.loads(reader.page.evaluate(_UPLOAD, "/upload"))
    assert (seen["method"], seen["length"]) == ("POST", UPLOAD_BYTES)


def _requests_are_told_in_json(reader: Visitor) -> None:
    """What scripts ask for is never answered with a way to the log-in: they would take its page for an answer."""
    for options in ({"headers": {"Accept": "application/json"}}, {"headers": {"X-Requested-With": "XMLHttpRequest"}}):
        answer = reader.page.evaluate(_FETCH, ["/notes", options])
        assert answer[:2] == [401, False]
        assert '"log_in_required"' in answer[2]
    status, redirected, _text = reader.page.evaluate(_FETCH, ["/notes", {"method": "POST", "body": "kept"}])
    assert (status, redirected) == (401, False)


def _a_form_is_told_that_nothing_was_saved(town: Town, reader: Visitor, files: list[Path]) -> None:
    reader.page.evaluate(_FORM)
    reader.page.locator("input[type=file]").set_input_files(files)
    with reader.page.expect_navigation() as navigation:
        reader.press("Save")
    assert navigation.value.status == 401
    reader.sees_a_page_of_ours("You are not logged in", town.files)
    reader.reads("was not saved")


def _what_was_sent_is_saved_after_a_log_in_elsewhere(town: Town, reader: Visitor) -> None:
    """As the page says: in another tab, and then by loading this one again, with all that was sent."""
    with reader.page.context.expect_page() as opened:
        reader.click("Log in in another tab")
    other = replace(reader, page=opened.value)
    other.gives_password_here()
    other.page.wait_for_url(f"{town.files}/")
    reader.page.reload()
    seen = json.loads(reader.page.locator("body").inner_text())
    assert (seen["method"], seen["path"]) == ("POST", "/notes")
    assert seen["length"] > UPLOAD_BYTES
