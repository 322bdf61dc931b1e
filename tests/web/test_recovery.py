"""Recovery codes in place of an app's code: each once, under the throttles of codes, and told to the owner."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import update

from mfaportal.models import Event, EventKind, Login, RecoveryCode
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.guesser import MINUTE, is_paused
from tests.looking import Seen
from tests.offer import Offer
from tests.people import Cast, Person, give_app
from tests.stored import stored, the_one, token_of
from tests.told import kinds, told

RECOVERY = "/log-in/recovery"
METHODS = "/account/security/methods"
ADD = f"{METHODS}/add"
CODES = "/account/security/recovery-codes"
MALFORMED = "Enter one of your recovery codes: 16 letters and digits."
WRONG = "This is none of your recovery codes. Look at each letter again."
NOBODYS = "AAAA-BBBB-CCCC-DDDD"


@pytest.fixture
def reader(app: Flask, browser: Browser, people: Cast, clock: MovableClock) -> Person:
    """Has an app and ten codes, and has given the password."""
    with app.app_context():
        give_app(people.reader, clock, codes=True)
    assert browser.give_password(people.reader, path="/log-in?next=/account").location == "/log-in/code"
    return people.reader


def used(app: Flask) -> int:
    return sum(code.used_at is not None for code in stored(app, RecoveryCode))


def test_a_code_completes_the_log_in_and_leads_to_where_a_lost_app_is_replaced(
    app: Flask, browser: Browser, reader: Person, clock: MovableClock
) -> None:
    before = token_of(browser)
    page = browser.get("/log-in/code")
    page = browser.submit(Seen(page).links["Use a recovery code"], code=reader.codes[3].lower())
    assert (page.status, page.location) == (303, f"{METHODS}?next=/account")
    login = the_one(app, Login)
    assert login.second_factor_at == login.confirmed_at == login.recovered_at == clock()
    assert token_of(browser) != before
    (taken,) = [code for code in stored(app, RecoveryCode) if code.used_at]
    assert taken.used_at == clock()
    seen = Seen(browser.get(page.location))
    assert "You came in with a recovery code; 9 of them are left." in seen.main
    assert seen.links["Continue"] == "/account"
    assert seen.links["Replace My phone"].endswith("/replace?next=/account")
    (event,) = rows.events(app, EventKind.RECOVERY_CODE_USED)
    assert (event.account_id, event.details) == (reader.id, {"at": "log-in", "left": 9})
    assert rows.events(app, EventKind.LOGIN_COMPLETED)[-1].details == {"factors": ["password", "recovery"]}
    (mail,) = [each for each in told(app) if each.kind == "recovery-code-used"]
    assert (mail.recipient, mail.facts["left"], mail.facts["address"]) == (reader.email, 9, "192.0.2.7")


def test_it_works_only_once_and_only_for_its_owner(
    app: Flask, browser: Browser, new_browser: Callable[[], Browser], people: Cast, reader: Person
) -> None:
    assert browser.submit(RECOVERY, code=reader.codes[0]).status == 303
    again = new_browser()
    again.give_password(reader)
    page = again.submit(RECOVERY, code=reader.codes[0])
    assert (page.status, "This recovery code was already used." in page.text) == (422, True)
    assert again.submit(RECOVERY, code=reader.codes[1]).status == 303
    assert used(app) == 2


def test_what_is_none_is_not_judged_and_a_wrong_one_is(app: Flask, browser: Browser, reader: Person) -> None:
    for typed in ("123456", reader.codes[0] + "A", "\uff21" * 16, "%00", " ", "A" * 60_000):
        page = browser.submit(RECOVERY, code=typed)
        assert (page.status, MALFORMED in page.text) == (422, True), typed[:40]
        assert page.form("Submit").fields["code"] == ""
    assert rows.events(app, EventKind.CODE_WRONG) == []
    page = browser.submit(RECOVERY, code=NOBODYS)
    assert (page.status, f'id="code-error">{WRONG}' in page.html, NOBODYS in page.html) == (422, True, False)
    assert stored(app, Event)[-1].details == {"at": "log-in", "what": "recovery code"}
    assert the_one(app, Login).second_factor_at is None
    assert used(app) == 0


def test_wrong_codes_of_both_kinds_share_one_budget_and_a_right_one_is_refused_beyond_it(
    app: Flask, browser: Browser, reader: Person, clock: MovableClock
) -> None:
    assert reader.phone is not None
    for number in range(5):
        kind = (RECOVERY, NOBODYS) if number % 2 else ("/log-in/code", reader.phone.wrong_code(clock()))
        assert browser.submit(kind[0], code=kind[1]).status == 422
    assert is_paused(browser.submit(RECOVERY, code=reader.codes[0]), 5 * MINUTE)
    assert is_paused(browser.submit("/log-in/code", code=reader.phone.code(clock())), 5 * MINUTE)
    assert used(app) == 0
    clock.advance(minutes=5)
    assert browser.submit(RECOVERY, code=reader.codes[0]).status == 303


def test_a_digest_key_that_is_gone_is_a_refusal_that_says_whom_to_tell(
    app: Flask, browser: Browser, reader: Person
) -> None:
    rows.put(app, update(RecoveryCode).values(key="gone"))
    page = browser.submit(RECOVERY, code=reader.codes[0])
    assert (page.status, "tell whoever runs this portal" in page.text) == (422, True)
    assert used(app) == 0


@pytest.mark.parametrize(("left", "mails"), [(4, 0), (3, 1), (2, 0), (0, 1)])
def test_when_few_are_left_the_log_in_says_so_and_offers_new_ones(
    app: Flask, browser: Browser, reader: Person, clock: MovableClock, left: int, mails: int
) -> None:
    ids = [code.id for code in stored(app, RecoveryCode)]
    rows.put(app, update(RecoveryCode).where(RecoveryCode.id.in_(ids[left + 1 :])).values(used_at=clock()))
    page = browser.submit(RECOVERY, code=reader.codes[0], follow=True)
    assert f"{left or 'none'} of them are left." in page.text
    assert ("Make new recovery codes" in Seen(page).links) is (left <= 3)
    assert kinds(app).count("codes-low") == mails


@pytest.mark.parametrize("minutes", [9, 29])
def test_a_login_let_in_so_adds_one_app_without_a_step_up_for_half_an_hour(
    app: Flask, browser: Browser, reader: Person, clock: MovableClock, minutes: int
) -> None:
    """And nothing else: neither new codes nor the deletion of an app."""
    browser.submit(RECOVERY, code=reader.codes[0])
    clock.advance(minutes=minutes)
    late = minutes > 10
    app_id = rows.apps(app, reader)[0].id
    for path in (CODES, f"{METHODS}/{app_id}/delete"):
        assert browser.get(path).location == (f"/confirm?next={path}" if late else "")
    page = browser.get(ADD)
    clock.advance(minutes=1)
    answer = browser.send(page, button="Submit", code=Offer(page).phone.code(clock()), name="New")
    assert (answer.status, answer.location) == (303, METHODS)
    assert [each.name for each in rows.apps(app, reader)] == ["My phone", "New"]
    login = the_one(app, Login)
    assert login.recovered_at is None
    assert login.confirmed_at < clock(), "adding an app is no step-up"
    clock.advance(minutes=10)
    assert browser.get(ADD).location == f"/confirm?next={ADD}"


def test_step_up_takes_a_recovery_code_and_comes_back(
    app: Flask, browser: Browser, reader: Person, clock: MovableClock
) -> None:
    assert reader.phone is not None
    browser.submit("/log-in/code", code=reader.phone.code(clock()))
    clock.advance(minutes=11)
    page = browser.get(ADD, follow=True)
    assert Seen(page).field("One-time code")["inputmode"] == "numeric"
    letters = browser.get(Seen(page).links["Use a recovery code"])
    assert Seen(letters).field("One-time code")["inputmode"] == "text", "for keyboards of phones"
    page = browser.send(letters, code=reader.codes[0])
    assert (page.status, page.location) == (303, ADD)
    login = the_one(app, Login)
    assert (login.confirmed_at, login.recovered_at) == (clock(), None)
    assert rows.events(app, EventKind.RECOVERY_CODE_USED)[-1].details == {"at": "step-up", "left": 9}
    clock.advance(minutes=11)
    assert [browser.submit("/confirm", code=reader.codes[0]).status for _ in range(6)] == [422] * 5 + [429]
    assert used(app) == 1
