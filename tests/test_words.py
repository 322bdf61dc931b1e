"""The words that pages.md fixes: on links, buttons and fields they are what people, managers and scripts go by."""

from collections.abc import Callable

import pytest
from flask import Flask

from mfaportal.domain import accounts, link_rows
from mfaportal.models import AccessRequest, LinkKind, Membership, Portal, RequestState, SignUp
from mfaportal.plumbing.db import transaction
from mfaportal.plumbing.runtime import runtime
from mfaportal.plumbing.tokens import digest, new_token
from mfaportal.rules.mfa_rule import MfaRule
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.datasets import add as add_dataset
from tests.looking import Seen
from tests.mailing import with_mail
from tests.people import Cast, add_person, apps_of, give_app, on_the_command_line, set_rule

ACCESS = "/portals/city-data/backoffice/access"
DATASETS = "/portals/city-data/backoffice/datasets"
METHODS = "/account/security/methods"
BAR = {"Back office", "Account", "Log out"}

OPERATORS_PAGES = {
    "/": BAR,
    "/account": BAR | {"Profile", "Security", "Name", "Save", "Delete account"},
    "/account/security": {"Profile", "Security", "Edit methods", "Recovery codes", "Change password"},
    "/account/security/password": {"Current password", "New password", "Change password"},
    "/account/security/logins": {"Log out this browser"},
    "/account/security/recovery-codes": {"I have saved them", "Continue", "Replace codes"},
    METHODS: {"Add app", "Rename My phone", "Replace My phone", "Delete My phone"},
    f"{METHODS}/add": {"Use setup key", "One-time code", "Name", "Submit", "Also log out my other browsers"},
    f"{METHODS}/{{app}}/rename": {"Name", "Save"},
    f"{METHODS}/{{app}}/replace": {"Use setup key", "One-time code", "Name", "Submit"},
    f"{METHODS}/{{app}}/delete": {"Delete", "Also log out my other browsers"},
    "/confirm": {"One-time code", "Confirm"},
    "/portals/city-data/backoffice": BAR | {"Access", "Users", "Security", "Installation", "Portals", "Accounts"},
    "/portals/city-data/datasets/trees": {"Download"},
    DATASETS: {"Datasets", "Add dataset"},
    f"{DATASETS}/new": {"Add dataset", "Title", "Description", "File"},
    f"{DATASETS}/trees": {"Save", "Delete"},
    f"{DATASETS}/trees/delete": {"Delete"},
    f"{ACCESS}/users": {"Access", "Users", "Security", "CSV"},
    "/installation/portals": BAR | {"Portals", "Accounts", "Add portal"},
    "/installation/portals/new": {"Name", "Slug", "Addresses", "Back-office paths", "Save"},
    "/installation/portals/city-data": {"Name", "Slug", "Addresses", "Back-office paths", "Save", "Delete"},
    "/installation/portals/city-data/delete": {"Delete"},
    "/installation/accounts": {"Portals", "Accounts", "Activity"},
    "/account/security/activity": {"Profile", "Security"},
    f"{ACCESS}/activity": {"Activity", "CSV"},
    "/installation/mail": {"Portals", "Accounts", "Mail", "Activity"},
    "/installation/activity": {"Activity", "CSV", "JSON lines"},
    "/installation/accounts/{reader}": {"Suspend", "End logins", "Reset MFA", "Make reset link"},
    f"{ACCESS}/users/{{reader}}": {
        "Remove from portal",
        "Suspend",
        "End logins",
        "Reset MFA",
        "Make reset link",
    },
    f"{ACCESS}/users/{{former}}": {"Restore"},
    f"{ACCESS}/users/invite": {"E-mail addresses", "reader", "editor", "admin", "Invite"},
    f"{ACCESS}/users/{{reader}}/role": {"reader", "editor", "admin", "Save"},
    f"{ACCESS}/users/{{reader}}/remove": {"Remove from portal"},
    f"{ACCESS}/users/{{reader}}/operator": {"Yes", "No", "Save"},
    f"{ACCESS}/users/{{reader}}/suspend": {"Reason", "Suspend"},
    f"{ACCESS}/users/{{former}}/restore": {"Restore"},
    f"{ACCESS}/users/{{reader}}/end-logins": {"End logins"},
    f"{ACCESS}/users/{{reader}}/reset-mfa": {"Reason", "Also require a new password", "Reset MFA"},
    f"{ACCESS}/users/{{reader}}/reset-link": {"Make reset link"},
    f"{ACCESS}/requests": {"Requests", "Somebody New", "Reason", "Accept", "Decline"},
    f"{ACCESS}/signup": {"Requests", "Log in & Sign up", "Closed", "By approval", "Open", "Contact", "Save"},
    f"{ACCESS}/security": {
        "Public",
        "Private",
        "Nobody",
        "Users with access to the back office",
        "All users",
        "Save",
    },
}


def words_on(page: Page) -> set[str]:
    """The accessible names of all that one can press or fill in."""
    seen = Seen(page)
    pressed = seen.all("a", "button", "summary", "input", "select", "textarea")
    return {seen.name(node) for node in pressed if node["type"] != "hidden"}


def test_words_for_people_who_are_logged_out(
    browser: Browser, people: Cast, app: Flask, clock: MovableClock, make_app: Callable[..., Flask]
) -> None:
    with app.app_context(), transaction() as session:
        caller = on_the_command_line(clock)
        reset = link_rows.make(session, caller, LinkKind.RESET, people.reader.id)
        invitation = link_rows.make(session, caller, LinkKind.INVITATION, people.editor.id)
    assert {"E-mail", "Password", "Log in", "Forgot your password?"} <= words_on(browser.get("/log-in"))
    mailing = Browser(with_mail(make_app), clock)
    assert {"E-mail", "Send link"} <= words_on(mailing.get("/forgot-password"))
    assert {"New password", "Set password"} <= words_on(browser.get(f"/reset-password/{reset}", follow=True))
    assert {"Your name", "Password", "Accept"} <= words_on(browser.get(f"/invitations/{invitation}", follow=True))


def test_words_of_the_first_start(browser: Browser, app: Flask) -> None:
    with app.app_context():
        token = runtime().keys.welcome_token
        assert accounts.none_yet()
    page = browser.get(f"/welcome?token={token}", follow=True)
    assert {"E-mail", "Your name", "Password", "Name of the portal", "Create"} <= words_on(page)


def _ask(clock: MovableClock) -> None:
    """Somebody waits at the portal, which takes requests. Inside an app context."""
    with transaction() as session:
        portal = session.query(Portal).filter_by(slug="city-data").one()
        portal.sign_up = SignUp.APPROVAL
        session.add(AccessRequest(portal_id=portal.id, email="new@example.org", name="Somebody New", made_at=clock()))


def test_words_of_asking_for_access(browser: Browser, people: Cast, app: Flask, clock: MovableClock) -> None:
    with app.app_context():
        _ask(clock)
    assert "Request access" in words_on(browser.get("/log-in"))
    page = browser.get("/portals/city-data/request-access")
    assert {"Name", "E-mail", "Password", "Request access"} <= words_on(page)
    browser.log_in(people.reader)
    with app.app_context(), transaction() as session:
        session.query(Membership).filter_by(account_id=people.reader.id).delete()
    assert "Request access" in words_on(browser.get("/"))
    page = browser.submit("/portals/city-data/request-access", message="Please", follow=True)
    assert "Withdraw" in words_on(page)


def test_words_of_confirming_an_address(browser: Browser, people: Cast, app: Flask, clock: MovableClock) -> None:
    token = new_token()
    with app.app_context():
        _ask(clock)
        with transaction() as session:
            request = session.query(AccessRequest).one()
            request.state, request.confirm_digest = RequestState.UNCONFIRMED, digest(token)
    assert "Confirm address" in words_on(browser.get(f"/confirm-address/{token}", follow=True))


def test_words_of_a_half_log_in(
    browser: Browser, new_browser: Callable[[], Browser], people: Cast, app: Flask, clock: MovableClock
) -> None:
    with app.app_context():
        give_app(people.editor, clock)
        set_rule(MfaRule.EVERYONE, clock)
    browser.give_password(people.editor)
    assert words_on(browser.get("/log-in/code")) >= {"One-time code", "Submit", "Log out", "Use a recovery code"}
    assert words_on(browser.get("/log-in/recovery")) >= {"Recovery code", "Submit", "Log out"}
    other = new_browser()
    other.give_password(people.reader)
    wanted = {"Use setup key", "One-time code", "Name", "Submit", "Log out"}
    assert words_on(other.get("/log-in/set-up")) >= wanted


def test_words_of_somebody_who_has_not_set_up(browser: Browser, people: Cast) -> None:
    browser.log_in(people.reader)
    assert "Set up" in words_on(browser.get("/account/security"))
    assert {"Password", "Confirm"} <= words_on(browser.get("/confirm"))
    assert "Back office" not in words_on(browser.get("/"))


@pytest.fixture
def numbers(people: Cast, app: Flask, clock: MovableClock) -> dict[str, int]:
    with app.app_context():
        give_app(people.operator, clock, codes=True)
        give_app(people.reader, clock)
        add_dataset(clock, "Trees")
        former = add_person(clock, "former@example.org", "Former", "reader")
        accounts.suspend(on_the_command_line(clock), former.id, "left the city")
        _ask(clock)
        return {"reader": people.reader.id, "former": former.id, "app": apps_of(people.operator)[0].id}


def test_words_of_somebody_who_may_do_everything(browser: Browser, people: Cast, numbers: dict[str, int]) -> None:
    browser.log_in(people.operator)
    for path, words in OPERATORS_PAGES.items():
        page = browser.get(path.format(**numbers))
        assert page.status == 200, path
        assert words <= words_on(page), path


def test_a_full_list_of_people_stays_light(
    browser: Browser, people: Cast, app: Flask, clock: MovableClock, numbers: dict[str, int]
) -> None:
    """Fifty rows with names and addresses of usual length: every one costs little."""
    with app.app_context():
        for number in range(50):
            add_person(clock, f"some.body{number}@department.example.org", f"Some Body {number}", "reader")
    browser.log_in(people.operator)
    page = browser.get(f"{ACCESS}/users")
    assert page.html.count("<tr>") == 1 + 50
    assert len(page.html.encode()) < 20_000
