from collections.abc import Callable

import pytest
from flask import Flask

from mfaportal.models import EventKind
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.looking import Seen
from tests.people import Cast, Person, add_person, give_app

USERS = "/portals/city-data/backoffice/access/users"


def of(person: Person, action: str = "") -> str:
    return f"{USERS}/{person.id}/{action}".rstrip("/")


def web_events(app: Flask, kind: EventKind) -> list[tuple[int | None, int | None, dict[str, object]]]:
    """Who did what to whom in a browser."""
    return [
        (event.actor_id, event.account_id, event.details) for event in rows.events(app, kind) if event.source == "web"
    ]


@pytest.fixture
def operator(browser: Browser, people: Cast) -> Browser:
    browser.log_in(people.operator)
    return browser


@pytest.fixture
def second(app: Flask, people: Cast, clock: MovableClock) -> Person:
    """Another operator, who is a member of no portal."""
    with app.app_context():
        return add_person(clock, "second@example.org", "Second", None, operator=True)


def test_a_suspended_account_is_out_at_once_and_told_so_after_the_right_password_only(
    operator: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast, clock: MovableClock
) -> None:
    reader = new_browser()
    reader.log_in(people.reader)
    page = operator.get(of(people.reader, "suspend"))
    assert Seen(page).h1 == "Suspend"
    assert Seen(page).buttons == ["Suspend"]
    answer = operator.send(page, reason="left the city's service")
    assert (answer.status, answer.location) == (303, of(people.reader))
    seen = Seen(operator.get(of(people.reader)))
    assert seen.messages == ["The account is suspended."]
    assert "suspended" in seen.main
    assert rows.account(app, people.reader).suspended_at == clock()
    assert web_events(app, EventKind.ACCOUNT_SUSPENDED) == [
        (people.operator.id, people.reader.id, {"reason": "left the city's service"})
    ]
    assert reader.get("/account").location.startswith("/log-in")
    assert rows.live_logins(app, people.reader) == []
    told = reader.give_password(people.reader)
    assert told.status == 403
    assert "This account is suspended." in told.text
    wrong = reader.give_password(people.reader, password="not this one at all")
    assert wrong.status == 422
    assert "suspended" not in wrong.text


def test_suspending_needs_no_reason(operator: Browser, app: Flask, people: Cast) -> None:
    assert operator.submit(of(people.reader, "suspend")).status == 303
    assert rows.account(app, people.reader).suspended_at is not None


def test_a_restored_account_may_log_in_again_but_its_old_logins_stay_ended(
    operator: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast
) -> None:
    reader = new_browser()
    reader.log_in(people.reader)
    operator.submit(of(people.reader, "suspend"))
    page = operator.get(of(people.reader, "restore"))
    assert Seen(page).buttons == ["Restore"]
    answer = operator.send(page)
    assert (answer.status, answer.location) == (303, of(people.reader))
    assert Seen(operator.get(of(people.reader))).messages == ["The account may log in again."]
    assert rows.account(app, people.reader).suspended_at is None
    assert web_events(app, EventKind.ACCOUNT_RESTORED) == [(people.operator.id, people.reader.id, {})]
    assert reader.get("/account").location.startswith("/log-in")
    assert reader.log_in(people.reader).location == "/"


def test_doing_it_twice_changes_and_notes_nothing(
    operator: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    operator.submit(of(people.reader, "suspend"))
    since = clock()
    clock.advance(minutes=1)
    assert operator.submit(of(people.reader, "suspend")).status == 303
    assert rows.account(app, people.reader).suspended_at == since
    assert len(web_events(app, EventKind.ACCOUNT_SUSPENDED)) == 1
    for _ in range(2):
        assert operator.submit(of(people.reader, "restore")).status == 303
    assert len(web_events(app, EventKind.ACCOUNT_RESTORED)) == 1


def test_another_operator_may_be_suspended_but_nobody_themselves(
    operator: Browser, app: Flask, people: Cast, second: Person
) -> None:
    refused = operator.submit(of(people.operator, "suspend"))
    assert refused.status == 409
    assert "You cannot do this to your own account." in Seen(refused).messages
    assert rows.account(app, people.operator).suspended_at is None
    assert operator.submit(of(second, "suspend")).status == 303
    assert rows.account(app, second).suspended_at is not None


def test_all_logins_of_a_person_end_whatever_their_stage(
    operator: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast, clock: MovableClock
) -> None:
    whole, half = new_browser(), new_browser()
    with app.app_context():
        give_app(people.editor, clock)
    whole.log_in(people.editor)
    half.give_password(people.editor)
    page = operator.get(of(people.editor, "end-logins"))
    assert Seen(page).h1 == "End logins"
    assert Seen(page).buttons == ["End logins"]
    answer = operator.send(page)
    assert (answer.status, answer.location) == (303, of(people.editor))
    assert Seen(operator.get(of(people.editor))).messages == ["All logins of this person have ended."]
    assert rows.live_logins(app, people.editor) == []
    assert web_events(app, EventKind.LOGINS_ENDED) == [(people.operator.id, people.editor.id, {"logins": 2})]
    for theirs in (whole, half):
        assert theirs.get("/account").location.startswith("/log-in?")
    assert len(rows.apps(app, people.editor)) == 1


def test_ending_ones_own_logins_keeps_this_browser(
    operator: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast
) -> None:
    elsewhere = new_browser()
    elsewhere.log_in(people.operator)
    assert operator.submit(of(people.operator, "end-logins")).status == 303
    assert operator.get(USERS).status == 200
    assert elsewhere.get("/account").location.startswith("/log-in")
    assert len(rows.live_logins(app, people.operator)) == 1
