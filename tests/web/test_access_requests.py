"""Access > Requests: the queue, accepting and declining one or many, and what was decided."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, update

from mfaportal.domain import portals
from mfaportal.models import AccessRequest, Account, EventKind, Membership, Portal
from mfaportal.plumbing.passwords import hash_password, verify_password
from mfaportal.rules.mfa_rule import MfaRule
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.looking import Seen
from tests.people import Cast, add_person, on_the_command_line, set_rule

QUEUE = "/portals/city-data/backoffice/access/requests"
PASSWORD = "nine kettles in the attic"
DIGEST = hash_password(PASSWORD)


@pytest.fixture(autouse=True)
def _open(app: Flask, people: Cast) -> None:
    rows.put(app, update(Portal).values(sign_up="approval"))


@pytest.fixture
def ask(app: Flask, clock: MovableClock) -> Callable[..., int]:
    """Put a request into the queue, a stranger's unless it has an account; its number."""

    def ask(email: str = "new@example.org", portal: str = "city-data", **facts: Any) -> int:
        values = {"portal_id": rows.portal(app, portal).id, "made_at": clock(), **facts}
        if "account_id" not in facts:
            values = {"email": email, "name": "New Person", "password_digest": DIGEST, **values}
        rows.put(app, insert(AccessRequest).values(**values))
        return rows.rows(app, select(AccessRequest.id).order_by(AccessRequest.id.desc()))[0]

    return ask


@pytest.fixture
def admin(browser: Browser, people: Cast) -> Browser:
    browser.log_in(people.admin)
    return browser


def decide(browser: Browser, decision: str, *ids: object, follow: bool = False, **fields: str) -> Page:
    """Tick these requests in the queue and press a button."""
    data = {
        "csrf_token": browser.csrf(QUEUE),
        "requests": list(ids),
        "role": "reader",
        "decision": decision,
        **fields,
    }
    answer = browser.open("POST", QUEUE, data=data)
    return browser.get(answer.location, follow=True) if follow and answer.status == 303 else answer


def request(app: Flask, number: int) -> AccessRequest:
    (found,) = rows.rows(app, select(AccessRequest).where(AccessRequest.id == number))
    return found


def test_the_queue_says_who_asks_what_for_and_whose_address_nobody_confirmed(
    app: Flask, admin: Browser, ask: Callable[..., int], people: Cast, clock: MovableClock
) -> None:
    ask(message="I map\n<b>the</b> trees")
    clock.advance(minutes=5)
    ask()
    ask("another@example.org")
    with app.app_context():
        known = add_person(clock, "known@example.org", "Known Person", None)
        portals.create(on_the_command_line(clock), "Elsewhere", "elsewhere")
    ask(account_id=known.id)
    ask("another@example.org", "elsewhere")
    ask("elsewhere@example.org", "elsewhere")
    page = admin.get(QUEUE)
    seen = Seen(page)
    boxes = [node for node in seen.all("input") if node["type"] == "checkbox"]
    assert [seen.name(node) for node in boxes] == ["New Person", "New Person", "New Person", "Known Person"]
    facts = [seen._choice(node).facts for node in boxes]
    assert "new@example.org · 5 minutes ago address not confirmed 2 open requests share this address" in facts[0]
    assert "I map\n&lt;b&gt;the&lt;/b&gt; trees" in page.html
    assert "share" not in facts[2], "how many there are elsewhere is not this portal's business"
    assert "known@example.org" in facts[3]
    assert "not confirmed" not in facts[3]
    assert "elsewhere@example.org" not in page.text
    assert seen.links["Requests"] == QUEUE
    assert [node.children for node in seen.all("span") if node["class"] == "count"] == [["4"]]


def test_an_accepted_stranger_becomes_an_account_and_a_member(
    app: Flask, admin: Browser, ask: Callable[..., int], people: Cast
) -> None:
    number, twin, elsewhere = ask(), ask(), 0
    with app.app_context():
        portals.create(on_the_command_line(admin.clock), "Elsewhere", "elsewhere")
    elsewhere = ask(portal="elsewhere")
    page = decide(admin, "accept", number, role="editor", follow=True)
    assert page.text.count("1 accepted.") == 1
    (account,) = rows.rows(app, select(Account).where(Account.email == "new@example.org"))
    assert (account.name, account.email_confirmed_at) == ("New Person", None)
    assert verify_password(PASSWORD, account.password_digest)
    (member,) = rows.rows(app, select(Membership).where(Membership.account_id == account.id))
    assert member.role == "editor"
    taken = request(app, number)
    assert (taken.account_id, taken.email, taken.name, taken.password_digest) == (account.id, None, None, None)
    assert (taken.state, taken.role, taken.decided_by) == ("accepted", "editor", people.admin.id)
    for other, by in ((twin, people.admin.id), (elsewhere, None)):
        assert (request(app, other).state, request(app, other).decided_by) == ("declined", by)
        assert request(app, other).password_digest is None
    for kind in (EventKind.ACCOUNT_CREATED, EventKind.MEMBER_ADDED, EventKind.REQUEST_ACCEPTED):
        assert rows.events(app, kind)[-1].account_id == account.id
    here, there = rows.events(app, EventKind.REQUEST_DECLINED)
    assert (here.actor_id, there.actor_id, there.address) == (people.admin.id, None, None)
    users = admin.get("/portals/city-data/backoffice/access/users").text
    assert users.count("address not confirmed") == 1


def test_accepted_under_a_rule_the_first_log_in_leads_to_set_up(
    app: Flask, admin: Browser, ask: Callable[..., int], new_browser: Callable[[], Browser], clock: MovableClock
) -> None:
    number = ask()
    decide(admin, "accept", number)
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock)
    theirs = new_browser()
    assert theirs.submit("/log-in", email="new@example.org", password=PASSWORD).location == "/log-in/set-up"


def test_a_request_of_an_account_brings_a_membership_and_never_changes_one(
    app: Flask, admin: Browser, ask: Callable[..., int], people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        known = add_person(clock, "known@example.org", "Known Person", None)
    first, second = ask(account_id=known.id), ask(account_id=people.editor.id)
    decide(admin, "accept", first, second, role="admin")
    assert rows.role(app, known) == "admin"
    assert rows.role(app, people.editor) == "editor"
    assert [event.account_id for event in rows.events(app, EventKind.MEMBER_ADDED)][-1] == known.id
    assert len(rows.events(app, EventKind.REQUEST_ACCEPTED)) == 2


def test_the_declined_stay_no_accounts_and_keep_the_reason(
    app: Flask, admin: Browser, ask: Callable[..., int], people: Cast
) -> None:
    number, other = ask(), ask()
    assert "1 declined." in decide(admin, "decline", number, reason="Not this year", follow=True).text
    declined = request(app, number)
    assert (declined.state, declined.reason, declined.role) == ("declined", "Not this year", None)
    assert (request(app, other).state, declined.password_digest) == ("open", DIGEST)
    assert rows.rows(app, select(Account).where(Account.email == "new@example.org")) == []
    (event,) = rows.events(app, EventKind.REQUEST_DECLINED)
    assert (event.details, event.portal_id) == ({"request": number}, declined.portal_id)


def test_what_is_not_open_here_is_left_alone_and_said_so(
    app: Flask, admin: Browser, ask: Callable[..., int], clock: MovableClock
) -> None:
    with app.app_context():
        portals.create(on_the_command_line(clock), "Elsewhere", "elsewhere")
    here, decided, foreign = ask(), ask("b@example.org", state="declined"), ask("c@example.org", "elsewhere")
    for decision in ("accept", "decline"):
        page = decide(admin, decision, decided, foreign, 999, "x", "9" * 40)
        assert (page.status, "were not open any more." in page.text) == (422, True)
    assert request(app, foreign).state == "open"
    assert rows.rows(app, select(Account).where(Account.email.in_(["b@example.org", "c@example.org"]))) == []
    page = decide(admin, "accept", foreign, here, follow=True)
    assert "1 accepted, 1 was not open any more." in page.text
    assert request(app, foreign).state == "open"


def test_where_the_address_has_an_account_by_now_nothing_is_touched(
    app: Flask, admin: Browser, ask: Callable[..., int], clock: MovableClock
) -> None:
    number = ask()
    with app.app_context():
        person = add_person(clock, "new@example.org", "Somebody", None)
    rows.put(app, update(AccessRequest).values(state="open"))  # as if it had been made in this very moment
    before = rows.account(app, person).password_digest
    page = decide(admin, "accept", number)
    assert (page.status, "invite that address instead" in page.text) == (422, True)
    assert (request(app, number).state, rows.role(app, person)) == ("open", None)
    assert rows.account(app, person).password_digest == before
    assert "1 declined." in decide(admin, "decline", number, follow=True).text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"requests": []}, "Choose at least one request."),
        ({"role": "operator"}, "Choose reader, editor or admin."),
        ({"decision": "destroy"}, "Accept or decline?"),
        ({"decision": ""}, "Accept or decline?"),
        ({"reason": "a" * 501}, "Use at most 500 characters."),
    ],
)
def test_a_form_that_is_not_whole_decides_nothing(
    app: Flask, admin: Browser, ask: Callable[..., int], fields: dict[str, Any], words: str
) -> None:
    number = ask()
    data = {"csrf_token": admin.csrf(QUEUE), "requests": [number], "decision": "accept", **fields}
    page = admin.open("POST", QUEUE, data=data)
    assert (page.status, words in page.text) == (422, True)
    assert request(app, number).state == "open"
    assert Seen(page).boxes["New Person"].checked is bool(data["requests"])


def test_deciding_asks_for_a_step_up_and_reading_does_not(
    app: Flask, admin: Browser, ask: Callable[..., int], clock: MovableClock
) -> None:
    number = ask()
    clock.advance(minutes=10, seconds=1)
    page = decide(admin, "accept", number)
    assert (page.status, page.location) == (303, f"/confirm?next={QUEUE}")
    assert request(app, number).state == "open"


def test_a_long_queue_and_a_long_history_are_paged(
    app: Flask, admin: Browser, ask: Callable[..., int], clock: MovableClock
) -> None:
    first = ask("p0@example.org")
    portal_id = rows.portal(app).id
    many = [
        {"portal_id": portal_id, "email": f"p{number}@example.org", "name": f"P{number}", "made_at": clock()}
        for number in range(1, 120)
    ]
    rows.put(app, insert(AccessRequest).values(many))
    names: list[str] = []
    for path in (QUEUE, f"{QUEUE}?after={first + 49}", f"{QUEUE}?after={first + 99}"):
        seen = Seen(admin.get(path))
        names += list(seen.boxes)
        assert ("Next page" in seen.links) is (path != f"{QUEUE}?after={first + 99}")
    assert names == ["New Person", *(f"P{number}" for number in range(1, 120))]
    for number in range(120):
        decided_at = clock() - timedelta(minutes=number // 3)
        rows.put(
            app,
            update(AccessRequest)
            .where(AccessRequest.id == first + number)
            .values(state="declined", decided_at=decided_at),
        )
    found: list[str] = []
    path = f"{QUEUE}?history=1"
    while path:
        seen = Seen(admin.get(path))
        found += [node.text for node in seen.all("div") if node["class"] == "what"]
        path = seen.links.get("Next page", "")
    assert len(found) == len(set(found)) == 120
    assert found[0].startswith("P2")
    assert [name.split()[0] for name in found[3:6]] == ["P5", "P4", "P3"]


def test_the_history_names_who_decided_and_not_the_open_ones(
    app: Flask, admin: Browser, ask: Callable[..., int], people: Cast, clock: MovableClock
) -> None:
    accepted, declined, gone = ask(), ask("b@example.org"), ask("c@example.org")
    ask("open@example.org")
    decide(admin, "accept", accepted, role="admin")
    decide(admin, "decline", declined, reason="<i>No</i>")
    decide(admin, "decline", gone)
    rows.put(app, update(AccessRequest).where(AccessRequest.id == gone).values(decided_by=999))
    page = admin.get(f"{QUEUE}?history=1")
    lines = [node.text for node in Seen(page).all("div") if node["class"] == "what"]
    assert lines == [
        "New Person c@example.org declined · today, 09:00 UTC",
        "New Person b@example.org declined · today, 09:00 UTC · by Admin <i>No</i>",
        "New Person new@example.org accepted as admin · today, 09:00 UTC · by Admin",
    ]
    rows.put(app, delete(Account).where(Account.email == "new@example.org"))
    assert "new@example.org" not in admin.get(f"{QUEUE}?history=1").text, "the person's data goes with the account"
