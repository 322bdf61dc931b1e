"""What was refused or went wrong stands in the log, in one line, with what leads from the page to it."""

import logging
import re
from pathlib import Path

import pytest
from flask import Flask

from mfaportal.domain import accounts
from mfaportal.plumbing.logs import OneLine
from tests.browser_client import Browser
from tests.faults.driver import broken_driver
from tests.people import Cast

BACK = "/portals/city-data/backoffice"


def written(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines as they stand in the portal's own log."""
    return [OneLine("%(levelname)s %(name)s: %(message)s").format(record) for record in caplog.records]


def test_a_form_that_is_not_ours_is_noted_with_whose_browser_sent_it(
    browser: Browser, people: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    browser.log_in(people.editor)
    page = browser.open("POST", "/account", data={"name": "Mallory", "csrf_token": "stolen-from-elsewhere"})
    assert page.status == 400
    (line,) = written(caplog)
    assert line.startswith(f"WARNING mfaportal.gate: refused POST /account to account {people.editor.id}: its form")
    assert "Mallory" not in line
    assert "stolen" not in line


def test_a_page_that_is_not_for_somebody_is_noted_also_where_it_is_asked_for_as_json(
    browser: Browser, people: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    browser.log_in(people.reader)
    assert browser.get(BACK).status == 403
    assert browser.get("/installation/portals", headers={"Accept": "application/json"}).status == 403
    who = f"to account {people.reader.id}: no right to it"
    assert written(caplog) == [
        f"WARNING mfaportal.gate: refused GET {BACK} {who}",
        f"WARNING mfaportal.gate: refused GET /installation/portals {who}",
    ]


def test_whatever_stands_in_the_path_it_stays_one_line_without_a_token(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    for path in ("/invitation?x=%0d%0aforged", "/reset-password", "/log-in"):
        browser.open("POST", path, data={"csrf_token": "\r\n\x1b[31m\x00"}, headers={"User-Agent": "a\x1b[31mb"})
    lines = written(caplog)
    assert len(lines) == 3
    assert not [line for line in lines if re.search(r"[\x00-\x1f\x7f-\x9f]", line)]


def test_a_bug_and_a_broken_database_give_a_number_that_stands_in_the_log(
    browser: Browser,
    app: Flask,
    people: Cast,
    instance: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    browser.log_in(people.reader)
    page = browser.get("/account")

    def fail(*_arguments: object) -> None:
        raise ValueError("a secret of the inside")

    with monkeypatch.context() as patch:
        patch.setattr(accounts, "rename", fail)
        answer = browser.send(page, name="New")
    assert answer.status == 500
    numbers = re.findall(r"under ([0-9a-f]{8})", answer.text)
    broken_driver(app).arm(fail_at=4)
    answer = browser.send(page, name="New")
    assert answer.status == 503
    numbers += re.findall(r"under ([0-9a-f]{8})", answer.text)
    assert len(set(numbers)) == 2
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert [number in error for number, error in zip(numbers, errors, strict=True)] == [True, True]
    assert "secret" not in answer.text
