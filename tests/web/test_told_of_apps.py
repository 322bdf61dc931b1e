"""What the owner of an account is mailed about apps and recovery codes, whoever did it."""

from collections.abc import Callable

from flask import Flask

from mfaportal.domain import authenticators
from mfaportal.domain.outcomes import AppsReset
from mfaportal.models import Login, OneTimeLink, RecoveryCode
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.offer import Offer
from tests.people import Cast, Person, give_app, on_the_command_line, seed
from tests.stored import stored, the_one
from tests.told import kinds, told

METHODS = "/account/security/methods"


def test_each_change_of_an_app_is_told_with_its_name(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    browser.log_in(people.reader)
    page = browser.get(f"{METHODS}/add")
    browser.send(page, code=Offer(page).phone.code(clock()), name="First")
    app_id = rows.apps(app, people.reader)[0].id
    browser.submit(f"{METHODS}/{app_id}/rename", name="Renamed")
    browser.submit(f"{METHODS}/{app_id}/delete")
    mails = told(app)
    assert {mail.recipient for mail in mails} == {people.reader.email}
    assert [(mail.kind, mail.facts["app"], mail.facts.get("before")) for mail in mails] == [
        ("app-added", "First", None),
        ("app-renamed", "Renamed", "First"),
        ("app-deleted", "Renamed", None),
    ]
    assert {mail.facts["name"] for mail in mails} == {"Reader"}


def _reset(app: Flask, person: Person, clock: MovableClock, *, new_password_too: bool) -> AppsReset:
    with app.app_context():
        give_app(person, clock, codes=True)
        done = authenticators.reset(on_the_command_line(clock), person.id, "lost", new_password_too=new_password_too)
    assert isinstance(done, AppsReset)
    return done


def test_a_reset_takes_the_recovery_codes_too_and_without_a_mail_server_mails_no_link(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    browser.log_in(people.reader)
    _reset(app, people.reader, clock, new_password_too=True)
    assert stored(app, RecoveryCode) == []
    assert the_one(app, Login).ended_at == clock()
    (mail,) = told(app)
    assert (mail.kind, mail.recipient, mail.facts["new_password"]) == ("mfa-reset", people.reader.email, True)


def test_with_a_mail_server_the_link_goes_to_its_owner_and_to_the_operator(
    make_app: Callable[..., Flask], clock: MovableClock
) -> None:
    app = make_app(MFAPORTAL_MAIL_URL="smtp://127.0.0.1:1", MFAPORTAL_MAIL_FROM="portal@example.org")
    with app.app_context():
        reader = seed(clock).reader
    _reset(app, reader, clock, new_password_too=False)
    assert kinds(app) == ["mfa-reset"]
    done = _reset(app, reader, clock, new_password_too=True)
    told_now = told(app)[1:]
    assert [mail.kind for mail in told_now] == ["mfa-reset", "reset-link"]
    assert told_now[1].facts["link"] == f"/reset-password/{done.link_token}"
    assert told_now[1].about == f"link:{stored(app, OneTimeLink)[-1].id}"
    assert str(done.link_token) not in str(told_now[0].facts)
