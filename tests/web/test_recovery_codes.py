"""The page of recovery codes: shown to the login that made them until they are saved; void when replaced, or with the
last app.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from mfaportal.models import EventKind, Login, RecoveryCode
from mfaportal.rules.mfa_rule import MfaRule
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.looking import Seen
from tests.offer import CODES, SET_UP, Offer
from tests.people import Cast, give_app, set_rule
from tests.phone import Phone
from tests.stored import raw_bytes, session_of, stored, the_one
from tests.told import kinds

NewBrowser = Callable[[], Browser]
SECURITY = "/account/security"
UNSAVED = "You have not said yet that you have saved your recovery codes."
NONE_YET = "You have no recovery codes: you set up before there were any."


def codes_on(page: Page) -> list[str]:
    return [node.text for node in Seen(page).all("code")]


@pytest.fixture
def shown(app: Flask, browser: Browser, people: Cast, clock: MovableClock) -> Page:
    """The reader has just set up at log-in, on the way to their account: the page that comes then."""
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock)
    browser.give_password(people.reader, path="/log-in?next=/account")
    page = browser.get(SET_UP)
    people.reader.phone = Offer(page).phone
    answer = browser.send(page, code=people.reader.phone.code(clock()), name="My phone")
    assert (answer.status, answer.location) == (303, f"{CODES}?next=/account")
    return browser.get(answer.location)


@pytest.fixture
def phone(people: Cast, shown: Page) -> Phone:
    assert people.reader.phone is not None
    return people.reader.phone


def test_ten_codes_come_with_the_first_app_and_are_shown_on_the_way_to_the_page_wanted(
    app: Flask, browser: Browser, people: Cast, shown: Page, phone: Phone
) -> None:
    codes, seen = codes_on(shown), Seen(shown)
    assert len(codes) == len(set(codes)) == 10
    assert len(stored(app, RecoveryCode, account_id=people.reader.id)) == 10
    assert seen.links["Continue"] == "/account"
    assert seen.links["Download"] == f"{CODES}/download"
    assert not seen.boxes["I have saved them"].checked
    buttons = {node.text: node for node in seen.all("button")}
    assert all("hidden" in buttons[name].attributes for name in ("Copy", "Print")), "a script shows them"
    assert shown.response.headers["Cache-Control"] == "no-store"
    before = stored(app, Login)
    assert codes_on(browser.get(f"{CODES}?next=/account")) == codes, "until they are saved"
    assert stored(app, Login) == before
    assert codes[0] not in str(session_of(browser))


def test_said_to_be_saved_they_are_never_shown_again(
    app: Flask, browser: Browser, people: Cast, shown: Page, clock: MovableClock
) -> None:
    assert UNSAVED in browser.get(SECURITY).text
    page = browser.send(shown, button="Done")
    assert (page.status, "Tick this once you have saved them." in page.text) == (422, True)
    assert codes_on(page) == codes_on(shown)
    page = browser.send(shown, button="Done", saved="yes")
    assert (page.status, page.location) == (303, "/account")
    assert rows.account(app, people.reader).codes_saved_at == clock()
    assert the_one(app, Login).shown_codes is None
    page = browser.get(CODES)
    assert codes_on(page) == []
    assert "10 recovery codes left." in page.text
    assert browser.get(f"{CODES}/download").location == CODES
    page = browser.get(SECURITY)
    assert UNSAVED not in page.text
    assert "10 recovery codes left." in page.text
    assert len(rows.events(app, EventKind.RECOVERY_CODES_SAVED)) == 1


def test_without_saying_so_one_may_go_on_and_a_notice_stays(
    app: Flask, browser: Browser, people: Cast, shown: Page, clock: MovableClock
) -> None:
    assert browser.get(Seen(shown).links["Continue"]).status == 200
    clock.advance(minutes=30)
    browser.submit(f"/confirm?next={CODES}", code=people.reader.phone.code(clock()) if people.reader.phone else "")
    assert len(codes_on(browser.get(CODES))) == 10
    clock.advance(seconds=1)
    page = browser.get(CODES)
    assert codes_on(page) == []
    assert UNSAVED in browser.get(SECURITY).text
    assert browser.send(page, button="Done", saved="yes").location == SECURITY
    assert UNSAVED not in browser.get(SECURITY).text


def test_the_file_holds_the_codes_and_is_nobody_elses(
    app: Flask, browser: Browser, new_browser: NewBrowser, people: Cast, shown: Page, clock: MovableClock
) -> None:
    page = browser.get(f"{CODES}/download")
    assert page.html.split("\r\n")[3:] == [*codes_on(shown), ""]
    assert people.reader.email in page.html
    headers = page.response.headers
    assert headers["Content-Disposition"].startswith("attachment")
    assert "recovery-codes.txt" in headers["Content-Disposition"]
    assert (headers["Content-Type"], headers["Cache-Control"]) == ("text/plain; charset=utf-8", "no-store")
    elsewhere = new_browser()
    clock.advance(seconds=30)
    elsewhere.log_in(people.reader)
    assert elsewhere.get(f"{CODES}/download").location == CODES
    assert codes_on(elsewhere.get(CODES)) == [], "only the login that made them"


def test_no_code_is_readable_on_the_disk(app: Flask, instance: Path, shown: Page) -> None:
    raw = raw_bytes(instance)
    assert the_one(app, Login).shown_codes in raw, "this is where they are kept"
    for code in codes_on(shown):
        assert code.encode() not in raw
        assert code.replace("-", "").encode() not in raw


def test_new_ones_replace_the_old_at_once(
    app: Flask, browser: Browser, new_browser: NewBrowser, people: Cast, shown: Page, clock: MovableClock
) -> None:
    old = codes_on(shown)
    browser.send(shown, button="Done", saved="yes")
    page = browser.submit(CODES, button="Replace codes", follow=True)
    new = codes_on(page)
    assert len(new) == 10
    assert not set(new) & set(old)
    assert rows.account(app, people.reader).codes_saved_at is None
    assert kinds(app).count("codes-replaced") == 1
    assert rows.events(app, EventKind.RECOVERY_CODES_REPLACED)[-1].details == {"void": 10}
    other = new_browser()
    other.give_password(people.reader)
    assert other.submit("/log-in/recovery", code=old[0]).status == 422
    assert other.submit("/log-in/recovery", code=new[0]).status == 303


def test_nobody_says_of_a_set_that_was_replaced_meanwhile_that_it_is_saved(
    app: Flask, browser: Browser, people: Cast, shown: Page
) -> None:
    browser.submit(CODES, button="Replace codes")
    page = browser.send(shown, button="Done", saved="yes")
    assert (page.status, "were replaced meanwhile" in page.text) == (422, True)
    assert rows.account(app, people.reader).codes_saved_at is None
    assert len(codes_on(page)) == 10, "the new ones are still shown"
    for version in ("0", "x", "9" * 19, "-1", " 1"):
        assert browser.send(shown, button="Done", saved="yes", version=version).status == 422, version


def test_with_the_last_app_they_go_and_the_next_first_app_brings_others(
    app: Flask, browser: Browser, people: Cast, shown: Page, phone: Phone, clock: MovableClock
) -> None:
    old = codes_on(shown)
    with app.app_context():
        set_rule(MfaRule.OFF, clock)
    page = browser.get(f"/account/security/methods/{rows.apps(app, people.reader)[0].id}/delete")
    assert "Your recovery codes stop working, too." in page.text
    assert browser.send(page).location == SECURITY
    assert stored(app, RecoveryCode) == []
    assert the_one(app, Login).shown_codes is None
    page = browser.get(CODES)
    assert "You get ten when you set up your first app." in page.text
    fields = {"csrf_token": browser.csrf("/account"), "replace": "yes"}
    assert browser.open("POST", CODES, data=fields).status == 422
    assert stored(app, RecoveryCode) == []
    page = browser.get("/account/security/methods/add")
    page = browser.send(page, button="Submit", code=Offer(page).phone.code(clock()), name="Another", follow=True)
    assert len(codes_on(page)) == 10
    assert not set(codes_on(page)) & set(old)


def test_whoever_set_up_before_there_were_any_is_told_and_makes_them(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        give_app(people.reader, clock)
    browser.log_in(people.reader)
    assert NONE_YET in browser.get(SECURITY).text
    page = browser.submit(Seen(browser.get(SECURITY)).links["Recovery codes"], button="Make codes", follow=True)
    assert len(codes_on(page)) == 10
    assert NONE_YET not in browser.get(SECURITY).text


@pytest.mark.parametrize(("left", "words"), [(4, ""), (3, "3 recovery codes left."), (0, "No recovery codes left.")])
def test_the_tab_warns_when_few_are_left(
    app: Flask, browser: Browser, people: Cast, shown: Page, clock: MovableClock, left: int, words: str
) -> None:
    browser.send(shown, button="Done", saved="yes")
    ids = [code.id for code in stored(app, RecoveryCode)]
    rows.put(app, update(RecoveryCode).where(RecoveryCode.id.in_(ids[left:])).values(used_at=clock()))
    seen = Seen(browser.get(SECURITY))
    assert (f"{words} Make new ones before you need them." in seen.main) is bool(words)
    assert (f"{left} recovery codes left." in seen.main) is bool(left)


def test_a_code_waits_for_no_clock(
    app: Flask, new_browser: NewBrowser, people: Cast, shown: Page, clock: MovableClock
) -> None:
    """An app is refused while its last step lies ahead, after a clock that was wrong; recovery codes are not."""
    clock.now -= timedelta(days=3)
    other = new_browser()
    other.give_password(people.reader)
    assert other.submit("/log-in/recovery", code=codes_on(shown)[0]).status == 303
