"""Installation > Accounts: everybody, in no portal or in many; and what operators do to them there."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import insert, update

from mfaportal.domain import members, portals
from mfaportal.models import Account, EventKind, Membership
from mfaportal.rules.mfa_rule import MfaRule
from mfaportal.rules.roles import MemberRole
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.looking import Seen
from tests.people import Cast, Person, add_person, give_app, on_the_command_line, set_rule

ACCOUNTS = "/installation/accounts"


def listed(page: Page) -> list[str]:
    assert page.status == 200
    return [next(node.text for node in line.walk() if node.tag == "a") for line in Seen(page).all("tr")[1:]]


def line_of(page: Page, name: str) -> str:
    (found,) = [node.text for node in Seen(page).all("tr") if node.text.startswith(name)]
    return found


@pytest.fixture
def operator(browser: Browser, people: Cast) -> Browser:
    browser.log_in(people.operator)
    return browser


@pytest.fixture
def nobody(app: Flask, people: Cast, clock: MovableClock) -> Person:
    """Somebody in no portal. The reader is in two, the editor is suspended, the admin's address is not confirmed."""
    with app.app_context():
        portals.create(on_the_command_line(clock), "Harbour", "harbour")
        members.add(on_the_command_line(clock), "harbour", people.reader.id, MemberRole.ADMIN)
        give_app(people.editor, clock)
        person = add_person(clock, "nobody@example.org", "Nobody", None)
    rows.put(app, update(Account).where(Account.id == people.editor.id).values(suspended_at=clock()))
    rows.put(app, update(Account).where(Account.id == people.admin.id).values(email_confirmed_at=None))
    return person


def test_each_line_says_who_it_is_and_where_they_are(
    operator: Browser, app: Flask, people: Cast, nobody: Person, clock: MovableClock
) -> None:
    clock.advance(minutes=1)
    with app.app_context():
        set_rule(MfaRule.BACK_OFFICE, clock, "harbour")
    page = operator.get(ACCOUNTS)
    assert listed(page) == ["Admin", "Editor", "Nobody", "Operator", "Reader"]
    reader, editor, admin, none, own = (
        line_of(page, f"{name} ") for name in ("Reader", "Editor", "Admin", "Nobody", "Operator")
    )
    assert all(words in reader for words in ("City data: reader", "Harbour: admin", "required, not set up", "never"))
    assert all(words in editor for words in ("suspended", "City data: editor", "1 app"))
    assert all(words in admin for words in ("admin@example.org", "address not confirmed"))
    assert "required" not in admin
    assert all(words in none for words in ("nobody@example.org", "none", "not set up"))
    assert all(words in own for words in ("operator", "required, not set up", "today"))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=suspended", ["Editor"]),
        ("state=operator", ["Operator"]),
        ("state=no_portal", ["Nobody"]),
        ("q=NOBODY@", ["Nobody"]),
        ("q=read", ["Reader"]),
        ("q=%25", []),
        ("state=gone&after=x", ["Admin", "Editor", "Nobody", "Operator", "Reader"]),
    ],
)
def test_search_and_filters_narrow_the_list(operator: Browser, nobody: Person, query: str, found: list[str]) -> None:
    assert listed(operator.get(f"{ACCOUNTS}?{query}")) == found


def test_fifty_accounts_in_several_portals_take_as_many_statements_and_each_is_shown_once(
    operator: Browser, app: Flask, nobody: Person, clock: MovableClock
) -> None:
    ids = rows.add_crowd(app, clock, ["Kim Lee"] * 215)
    harbour = rows.portal(app, "harbour").id
    more = [{"account_id": each, "portal_id": harbour, "role": "editor", "since": clock()} for each in ids]
    rows.put(app, insert(Membership).values(more))
    numbers: list[int] = []
    path = ACCOUNTS
    while path:
        with rows.counted_statements(app) as statements:
            seen = Seen(operator.get(path))
        assert len(statements) == (5 if numbers else 4)
        numbers += [int(node["href"].rpartition("/")[2]) for node in seen.all("a") if f"{ACCOUNTS}/" in node["href"]]
        path = seen.links.get("Next page", "")
    assert len(numbers) == len(set(numbers)) == 220


def test_ones_page_leads_to_their_portals_and_to_all_that_an_operator_may_do(
    operator: Browser, people: Cast, nobody: Person
) -> None:
    seen = Seen(operator.get(f"{ACCOUNTS}/{people.reader.id}"))
    assert seen.links["Harbour"] == f"/portals/harbour/backoffice/access/users/{people.reader.id}"
    assert f"/portals/city-data/backoffice/access/users/{people.reader.id}" in [
        node["href"] for node in seen.all("a")
    ]
    back = Seen(operator.get(seen.links["Harbour"])).links["This account in all portals"]
    assert back == f"{ACCOUNTS}/{people.reader.id}"
    seen = Seen(operator.get(f"{ACCOUNTS}/{nobody.id}"))
    for words, action in {
        "Change operator": "operator",
        "Suspend": "suspend",
        "End logins": "end-logins",
        "Reset MFA": "reset-mfa",
        "Make reset link": "reset-link",
    }.items():
        assert seen.links[words] == f"{ACCOUNTS}/{nobody.id}/{action}"
    assert "Change role" not in seen.links
    assert operator.get(f"{ACCOUNTS}/999").status == 404


def test_somebody_in_no_portal_is_suspended_restored_and_given_a_link(
    operator: Browser, app: Flask, people: Cast, nobody: Person
) -> None:
    path = f"{ACCOUNTS}/{nobody.id}"
    assert operator.submit(f"{path}/suspend", reason="left").location == path
    assert Seen(operator.get(path)).messages == ["The account is suspended."]
    assert rows.account(app, nobody).suspended_at is not None
    assert operator.submit(f"{path}/restore").location == path
    assert rows.account(app, nobody).suspended_at is None
    page = operator.submit(f"{path}/reset-link")
    assert page.status == 200
    assert "/reset-password/" in page.text
    assert Seen(page).links["Back to Nobody"] == path
    (event,) = rows.events(app, EventKind.ACCOUNT_SUSPENDED)
    assert (event.actor_id, event.account_id, event.portal_id) == (people.operator.id, nobody.id, None)


def test_the_last_operator_cannot_step_down_here_either(operator: Browser, app: Flask, people: Cast) -> None:
    refused = operator.submit(f"{ACCOUNTS}/{people.operator.id}/operator", operator="no")
    assert refused.status == 409
    assert rows.account(app, people.operator).is_operator


def test_an_operator_who_steps_down_here_is_led_to_their_own_account(
    operator: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        add_person(clock, "second@example.org", "Second", None, operator=True)
        members.add(on_the_command_line(clock), "city-data", people.operator.id, MemberRole.ADMIN)
    operator.log_in(people.operator)
    answer = operator.submit(f"{ACCOUNTS}/{people.operator.id}/operator", operator="no")
    assert answer.location == "/account"
    assert operator.get(ACCOUNTS).status == 403


def test_with_several_portals_operators_find_the_installation_on_the_home_page(
    operator: Browser, new_browser: Callable[[], Browser], people: Cast, nobody: Person
) -> None:
    seen = Seen(operator.get("/"))
    assert "Back office" not in seen.links
    installation = Seen(operator.get(seen.links["Installation"]))
    assert "Back office" not in installation.links
    assert installation.links["Accounts"] == ACCOUNTS
    reader = new_browser()
    reader.log_in(people.reader)
    assert "Installation" not in Seen(reader.get("/")).links


def test_with_one_portal_its_back_office_is_a_step_away(operator: Browser, people: Cast) -> None:
    for path in ("/installation/portals", "/installation/accounts", "/installation/portals/city-data"):
        assert Seen(operator.get(path)).links["Back office"] == "/portals/city-data/backoffice"
