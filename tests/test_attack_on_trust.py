"""What an attack on recovery codes, links, mail and the log has found, each as somebody would try it again."""

import csv
import io
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from mfaportal.domain import accounts, authenticators, cleansing, letters, mail_jobs, outbox, upkeep
from mfaportal.domain.caller import the_portal_itself
from mfaportal.models import AccessRequest, Event, Portal, Throttle
from mfaportal.rules.csv_safe import csv_line
from tests import rows
from tests.archives import entries, entry, members, rewritten, write
from tests.browser_client import Browser
from tests.cli.terminal import Terminal
from tests.clock import MovableClock
from tests.links import is_gone
from tests.mailing import link_in, mails, with_mail
from tests.offer import CODES, Offer
from tests.people import PASSWORD, Cast, Person, give_app, on_the_command_line
from tests.stored import cookie_of, plant_cookie, stored

NewBrowser = Callable[[], Browser]
ASKING = "/portals/city-data/request-access"
METHODS = "/account/security/methods"


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return with_mail(make_app)


@pytest.fixture
def victim(app: Flask, people: Cast, clock: MovableClock) -> Person:
    with app.app_context():
        give_app(people.operator, clock, "Operator's phone", codes=True)
    return people.operator


@pytest.fixture
def thief(new_browser: NewBrowser) -> Browser:
    browser = new_browser()
    browser.address = "198.51.100.66"
    return browser


def _jobs(app: Flask, clock: MovableClock) -> None:
    with app.app_context():
        for job in outbox.look(clock()).jobs:
            mail_jobs.work(the_portal_itself(), job)


def test_a_cookie_a_quarter_of_an_hour_old_reads_no_recovery_codes_off_a_refused_form(
    browser: Browser, thief: Browser, victim: Person, clock: MovableClock
) -> None:
    browser.log_in(victim)
    plant_cookie(thief, cookie_of(browser))
    csrf = thief.csrf("/account")
    clock.advance(minutes=15)
    thief.open("POST", CODES, data={"csrf_token": csrf, "replace": "yes"})
    page = thief.open("POST", CODES, data={"csrf_token": csrf})
    assert page.status == 422
    assert not re.search(r"[A-Z2-7]{4}(-[A-Z2-7]{4}){3}", page.html)
    assert thief.get(f"{CODES}/download").location.startswith("/confirm")


def test_half_an_hour_after_a_recovery_code_a_stolen_cookie_replaces_nothing(
    app: Flask, browser: Browser, thief: Browser, victim: Person, clock: MovableClock
) -> None:
    assert victim.codes
    browser.give_password(victim)
    browser.submit("/log-in/recovery", code=victim.codes[0])
    clock.advance(minutes=29)
    opened = browser.get(f"{METHODS}/1/replace")
    assert opened.status == 200, "whoever lost their phone has time to set up another"
    clock.advance(minutes=2)
    plant_cookie(thief, cookie_of(browser))
    assert thief.get(f"{METHODS}/1/replace").location.startswith("/confirm")
    phone = Offer(opened).phone
    assert thief.send(opened, code=phone.code(clock()), name="Thief").location.startswith("/confirm")
    assert [each.name for each in rows.apps(app, victim)] == ["Operator's phone"]


def test_whoever_reads_the_owners_mail_gets_no_more_guesses_by_more_links(
    app: Flask, new_browser: NewBrowser, victim: Person, clock: MovableClock
) -> None:
    """One reset a day lifts the stop, so that a guesser locks nobody out; the next one of that day does not."""
    password, judged = PASSWORD, []
    for number in range(3):
        guesser, tries = new_browser(), 0
        guesser.give_password(victim, password=password)
        while guesser.submit("/log-in/code", code="000000").status == 422:
            tries += 1
        judged.append(tries)
        new_browser().submit("/forgot-password", email=victim.email)
        _jobs(app, clock)
        password = f"nine kettles in attic number {number}"
        reader = new_browser()
        page = reader.get(link_in(mails(app, "reset-link")[-1]), follow=True)
        assert reader.send(page, password=password).location == "/log-in"
    assert judged == [5, 5, 0]


def test_a_right_password_at_its_change_gives_no_guess_at_a_code_back(
    browser: Browser, thief: Browser, victim: Person, clock: MovableClock
) -> None:
    browser.log_in(victim)
    plant_cookie(thief, cookie_of(browser))
    clock.advance(minutes=11)
    judged, password = 0, PASSWORD
    for number in range(4):
        for _ in range(4):
            judged += thief.submit("/confirm?next=/account", code="000000").status == 422
        new = f"nine kettles in attic number {number}"
        fields = {"csrf_token": thief.csrf("/account"), "current_password": password, "password": new}
        if thief.open("POST", "/account/security/password", data=fields).status == 303:
            password = new
    assert judged == 5


@pytest.mark.parametrize("what", ["end-logins", "suspend", "reset", "the owner"])
def test_what_throws_a_thief_out_ends_the_change_of_e_mail_that_the_thief_has_asked_for(
    app: Flask,
    browser: Browser,
    new_browser: NewBrowser,
    thief: Browser,
    people: Cast,
    clock: MovableClock,
    what: str,
) -> None:
    left_behind = new_browser()
    left_behind.log_in(people.reader)
    plant_cookie(thief, cookie_of(left_behind))
    browser.log_in(people.reader)
    thief.submit("/account", email="thief@example.net")
    link = link_in(mails(app, "email-change")[-1])
    if what == "the owner":
        browser.submit("/account/security/logins", button="Log out all others")
    with app.app_context():
        cli = on_the_command_line(clock)
        match what:
            case "end-logins":
                accounts.end_logins(cli, people.reader.id)
            case "suspend":
                accounts.suspend(cli, people.reader.id)
                accounts.restore(cli, people.reader.id)
            case "reset":
                authenticators.reset(cli, people.reader.id, "stolen", new_password_too=False)
    assert is_gone(thief.get(link, follow=True))


def test_a_stranger_puts_no_words_of_their_own_into_a_mail_to_somebody_else(
    app: Flask, new_browser: NewBrowser, people: Cast
) -> None:
    rows.put(app, update(Portal).values(sign_up="approval", visibility="public"))
    wish: dict[str, Any] = {
        "name": "you won, see https://claim.example.net",
        "email": "anybody@example.org",
        "message": "hi",
    }
    new_browser().submit(ASKING, **wish, password="seven lamps on a shelf")
    with app.app_context():
        claimed = outbox.claim(the_portal_itself())
        assert claimed is not None
        assert "claim.example.net" not in letters.compose(claimed).text


def test_after_a_restore_unconfirmed_requests_end_and_tell_nobody_whose_address_is_known(
    app: Flask, new_browser: NewBrowser, people: Cast, clock: MovableClock
) -> None:
    rows.put(app, update(Portal).values(sign_up="approval", visibility="public"))
    password = "seven lamps on a shelf"
    for email in ("new@example.org", people.reader.email):
        new_browser().submit(ASKING, name="Somebody", email=email, password=password, message="hi")
    with app.app_context():
        cleansing.after_restore(on_the_command_line(clock), clock().isoformat(), void_recovery_codes=False)
    for days in (0, 2, 31):
        clock.advance(days=days)
        with app.app_context():
            upkeep.run(the_portal_itself())
        answers = {
            new_browser().submit("/log-in", email=email, password=password).status
            for email in ("new@example.org", people.reader.email)
        }
        assert len(answers) == 1, days
    assert stored(app, AccessRequest) == []


def test_the_numbers_of_events_tell_an_admin_nothing_about_an_address(
    app: Flask, browser: Browser, new_browser: NewBrowser, people: Cast, clock: MovableClock
) -> None:
    gaps = []
    for email in ("nobody@example.org", people.operator.email):
        before = len(stored(app, Event))
        new_browser().submit("/forgot-password", email=email)
        _jobs(app, clock)
        gaps.append(len(stored(app, Event)) - before)
    assert gaps == [2, 2]


def test_refused_tries_leave_no_rows(app: Flask, thief: Browser, people: Cast) -> None:
    csrf = thief.csrf("/log-in")

    def tries(first: int, last: int) -> set[int]:
        fields = {"csrf_token": csrf, "password": "y"}
        return {
            thief.open("POST", "/log-in", data={**fields, "email": f"x{number}@example.org"}).status
            for number in range(first, last)
        }

    assert tries(0, 50) == {422}
    before = len(stored(app, Throttle))
    assert tries(50, 80) == {429}
    assert len(stored(app, Throttle)) == before


def test_a_cell_is_no_formula_either_where_a_spreadsheet_splits_at_other_characters() -> None:
    line = csv_line(["1", 'Mozilla;=HYPERLINK("http://e")', "x\t=1+1", "a; b", "y;\t-2", "z|@x"])
    for separator in ";\t|":
        for cell in next(csv.reader(io.StringIO(line), delimiter=separator)):
            assert not cell.startswith(("=", "+", "-", "@")), (separator, cell)
    assert "a; b" in line


@pytest.mark.parametrize("how", ["nested", "a table's name", "no date"])
def test_an_archive_made_to_confuse_ends_in_no_traceback(
    app: Flask, make_app: Callable[..., Flask], people: Cast, tmp_path: Path, how: str
) -> None:
    made, target = tmp_path / "made.tar", tmp_path / "target.tar"
    Terminal(app).do("backup", str(made))
    changes: dict[str, Any] = {}
    if how == "nested":
        kept = [each for each in entries(made.read_bytes()) if each[0].name != "manifest.json"]
        write(target, [*kept, entry("manifest.json", b"[" * 200_000)])
    elif how == "no date":
        rewritten(made, target, made_at="\x1b[31mred")
    else:
        changes = _with_an_odd_table(made, tmp_path)
        rewritten(made, target, changes)
    ran = Terminal(make_app(MFAPORTAL_INSTANCE=str(tmp_path / "elsewhere"))).run("restore", str(target), "--force")
    if how == "a table's name":
        assert ran.code == 0, "whatever it is called, it does no harm"
    else:
        assert (ran.code, ran.err.startswith("Error: "), ran.err.count("\n")) == (1, True, 1)


def _with_an_odd_table(made: Path, folder: Path) -> dict[str, Any]:
    path = folder / "odd.sqlite3"
    path.write_bytes(members(made.read_bytes())["database.sqlite3"])
    connection = sqlite3.connect(path)
    connection.execute('CREATE TABLE "a""b" (x)')
    connection.commit()
    connection.close()
    return {"database.sqlite3": path.read_bytes()}


def test_a_stolen_password_does_not_fill_the_owners_mailbox(
    app: Flask, new_browser: NewBrowser, people: Cast, clock: MovableClock
) -> None:
    new_browser().log_in(people.reader)
    for _ in range(10):
        new_browser().give_password(people.reader)
    assert len(mails(app, "new-browser")) == 1
    clock.advance(hours=1)
    new_browser().give_password(people.reader)
    assert len(mails(app, "new-browser")) == 2
