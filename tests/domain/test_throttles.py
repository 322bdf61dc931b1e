"""Every limit on codes, through the forms that people and guessers fill in, with the design's numbers written out."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from mfaportal.domain import accounts, one_time_links
from mfaportal.domain.outcomes import LinkMade
from mfaportal.models import Event, EventKind, LinkKind, Portal, Throttle
from mfaportal.plumbing.db import reading, transaction
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.guesser import DAY, HOUR, MINUTE, NETWORKS, Guesser, is_paused
from tests.people import Cast, add_person, give_app, on_the_command_line
from tests.phone import Phone


@pytest.fixture
def guesser(app: Flask, people: Cast, clock: MovableClock, new_browser: Callable[[], Browser]) -> Guesser:
    with app.app_context():
        give_app(people.reader, clock)
    return Guesser(new_browser, clock, people.reader)


def test_five_wrong_codes_in_five_minutes_pause_an_account_even_for_the_right_one(guesser: Guesser) -> None:
    browser = guesser.at_the_code()
    for _ in range(5):
        guesser.wrong(browser)
        guesser.clock.advance(minutes=1)
    guesser.clock.advance(seconds=-30)
    assert is_paused(guesser.right(browser), 30)
    assert is_paused(guesser.right(guesser.at_the_code("198.51.100.1")), 30)
    guesser.clock.advance(seconds=30)
    assert guesser.right(browser).location == "/"


def test_windows_slide(guesser: Guesser) -> None:
    browser = guesser.at_the_code()
    for minute in (0, 1, 3, 1, 0):
        guesser.clock.advance(minutes=minute)
        guesser.wrong(browser)
    guesser.wrong(browser)  # the first is five minutes old
    assert is_paused(guesser.right(browser), 1 * MINUTE)


def test_a_paused_try_counts_nothing(guesser: Guesser) -> None:
    browser = guesser.at_the_code()
    guesser.wrong(browser, 5)
    for _ in range(9):
        guesser.clock.advance(seconds=30)
        assert guesser.right(browser).status == 429
    guesser.clock.advance(seconds=30)
    guesser.wrong(browser, 5)
    assert is_paused(guesser.right(browser), 5 * MINUTE)


def _batches(guesser: Guesser, number: int, *, every_minutes: float) -> None:
    """So many times five wrong codes, each batch with a log-in and an address of its own."""
    for batch in range(number):
        guesser.wrong(guesser.at_the_code(f"198.51.100.{batch}"), 5)
        guesser.clock.advance(minutes=every_minutes)


def test_twenty_wrong_codes_in_an_hour_pause_it_until_the_first_is_an_hour_old(guesser: Guesser) -> None:
    _batches(guesser, 4, every_minutes=6)
    browser = guesser.at_the_code()
    assert is_paused(guesser.right(browser), 36 * MINUTE)
    guesser.clock.advance(minutes=36)
    assert guesser.right(guesser.at_the_code()).location == "/"


def test_fifty_wrong_codes_in_a_day_pause_it_until_the_first_is_a_day_old(guesser: Guesser) -> None:
    _batches(guesser, 10, every_minutes=30)
    assert is_paused(guesser.right(guesser.at_the_code()), DAY - 5 * HOUR)
    guesser.clock.advance(hours=19)
    assert guesser.right(guesser.at_the_code()).location == "/"


def test_a_hundred_wrong_codes_in_a_row_stop_it_until_an_operator_or_a_new_password_lifts_it(
    app: Flask, guesser: Guesser
) -> None:
    _batches(guesser, 20, every_minutes=180)
    guesser.clock.advance(days=30)
    page = guesser.right(guesser.at_the_code())
    assert is_paused(page, None)
    assert "has to unlock your account" in page.text
    account_id = guesser.person.id
    with app.app_context():
        accounts.unlock(on_the_command_line(guesser.clock), account_id)
    assert guesser.right(guesser.at_the_code()).location == "/"
    guesser.wrong(guesser.at_the_code())
    rows.put(app, update(Throttle).where(Throttle.kind == "code:account").values(in_a_row=100))
    guesser.clock.advance(days=30)
    assert is_paused(guesser.right(guesser.at_the_code()), None), "as after a hundred again"
    with app.app_context():
        caller = on_the_command_line(guesser.clock)
        made = one_time_links.make_reset_link(caller, account_id)
        assert isinstance(made, LinkMade)
        one_time_links.take(caller, made.token, LinkKind.RESET, password=guesser.person.password)
    assert guesser.right(guesser.at_the_code()).location == "/"


def test_a_right_password_clears_no_wrong_code_and_a_whole_log_in_clears_them_all(guesser: Guesser) -> None:
    guesser.wrong(guesser.at_the_code(), 4)
    browser = guesser.at_the_code()
    guesser.wrong(browser)
    assert guesser.right(browser).status == 429
    guesser.clock.advance(minutes=5)
    browser = guesser.at_the_code()
    guesser.wrong(browser, 4)
    assert guesser.right(browser).location == "/"
    guesser.wrong(guesser.at_the_code(), 5)


def test_whatever_is_no_code_is_counted_apart_and_is_no_wrong_code(app: Flask, guesser: Guesser) -> None:
    browser = guesser.at_the_code()
    for typed in ["12345", "abcdef", "\uff11\uff12\uff13\uff14\uff15\uff16"] * 10:
        assert browser.submit("/log-in/code", code=typed).status == 422
    assert is_paused(browser.submit("/log-in/code", code="12345"), 5 * MINUTE)
    assert guesser.at_the_code().submit("/log-in/code", code="12345").status == 422
    with app.app_context(), reading() as session:
        assert session.scalar(select(func.count()).where(Throttle.kind == "code:account")) == 0
    assert guesser.right(browser).location == "/"


@pytest.mark.parametrize(("addresses", "elsewhere"), NETWORKS)
def test_thirty_wrong_codes_in_five_minutes_pause_an_address(
    app: Flask, guesser: Guesser, addresses: list[str], elsewhere: str
) -> None:
    for number in range(6):
        with app.app_context():
            guesser.person = add_person(guesser.clock, f"person{number}@example.org", "Person", "reader")
            give_app(guesser.person, guesser.clock)
        guesser.wrong(guesser.at_the_code(addresses[number % len(addresses)]), 5)
    with app.app_context():
        guesser.person = add_person(guesser.clock, "seventh@example.org", "Seventh", "reader")
        give_app(guesser.person, guesser.clock)
    browser = guesser.at_the_code(addresses[-1])
    assert is_paused(guesser.right(browser), 5 * MINUTE)
    browser.address = elsewhere
    assert guesser.right(browser).location == "/"


def test_step_up_has_a_budget_of_its_own_in_each_login(guesser: Guesser) -> None:
    first, second = guesser.at_the_code(), guesser.at_the_code()
    assert guesser.right(first).location == "/"
    guesser.clock.advance(seconds=30)
    assert guesser.right(second).location == "/"
    guesser.clock.advance(seconds=30)
    guesser.wrong(first, 5, "/confirm")
    assert is_paused(guesser.right(first, "/confirm"), 5 * MINUTE)
    assert guesser.right(second, "/confirm").location == "/account/security"
    guesser.clock.advance(seconds=30)
    assert guesser.right(guesser.at_the_code()).location == "/"


def test_somebody_with_the_password_cannot_keep_the_owner_from_confirming(guesser: Guesser) -> None:
    owner = guesser.at_the_code()
    assert guesser.right(owner).location == "/"
    guesser.clock.advance(seconds=30)
    guesser.wrong(guesser.at_the_code(), 5)
    assert guesser.right(owner, "/confirm").location == "/account/security"


def test_a_password_as_step_up_has_the_same_budget(browser: Browser, people: Cast) -> None:
    browser.log_in(people.reader)
    for _ in range(5):
        assert browser.submit("/confirm", password="not the password").status == 422
    assert is_paused(browser.submit("/confirm", password=people.reader.password), 5 * MINUTE)


def test_set_up_has_a_budget_of_its_own_in_each_login(
    app: Flask, new_browser: Callable[[], Browser], people: Cast, clock: MovableClock
) -> None:
    with app.app_context(), transaction() as session:
        session.execute(update(Portal).values(mfa_rule="everyone"))
    first, second = new_browser(), new_browser()
    for browser in (first, second):
        assert browser.give_password(people.reader).location == "/log-in/set-up"
    for _ in range(5):
        assert _set_up(first, clock, right=False).status == 422
    assert is_paused(_set_up(first, clock, right=True), 5 * MINUTE)
    assert _set_up(second, clock, right=True).location == "/account/security/recovery-codes?next=/"


def _set_up(browser: Browser, clock: MovableClock, *, right: bool) -> Page:
    page = browser.get("/log-in/set-up")
    phone = Phone(page.html.partition('<code class="key"')[2].partition(">")[2].partition("<")[0])
    return browser.send(page, code=phone.code(clock()) if right else phone.wrong_code(clock()), name="My phone")


def test_a_pause_is_in_the_log_of_events(app: Flask, guesser: Guesser) -> None:
    browser = guesser.at_the_code()
    guesser.wrong(browser, 5)
    guesser.right(browser)
    with app.app_context(), reading() as session:
        kinds = list(session.scalars(select(Event.kind).where(Event.account_id == guesser.person.id)))
    assert kinds.count(EventKind.CODE_WRONG) == 5
    assert kinds[-1] == EventKind.ATTEMPTS_PAUSED


def test_a_pause_is_written_once_a_window_however_many_tries_it_refuses(
    app: Flask, guesser: Guesser, clock: MovableClock
) -> None:
    browser = guesser.at_the_code()
    for pauses in (1, 2):
        guesser.wrong(browser, 5)
        for _ in range(4):
            assert guesser.right(browser).status == 429
        assert len(rows.events(app, EventKind.ATTEMPTS_PAUSED)) == pauses
        clock.advance(minutes=5)
