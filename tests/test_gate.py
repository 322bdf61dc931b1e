"""The gate, line by line: what everybody gets at every endpoint, by every method, at every stage, in every role.

The rows are literal. Nothing of `mfaportal.rules` is imported, so a rule and its test cannot be wrong together.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from mfaportal import cli
from mfaportal.models import Portal
from mfaportal.plumbing.db import transaction
from mfaportal.web import gate
from tests.clock import MovableClock
from tests.contents import contents
from tests.datasets import add as add_dataset
from tests.gate_visitors import COMPLETE, EVERYBODY, ONE_OF_EACH, come
from tests.gate_walker import (
    COLUMNS,
    OTHER_METHODS,
    Row,
    Visitor,
    Walker,
    allowed_methods,
    expected,
    misdescribed_rows,
    missing_rows,
    said,
)
from tests.people import Cast, add_person

ANYBODY = "in in in in in in in in"
TOKEN = "x" * 43
BACK = "/portals/city-data/backoffice"
INVITE = f"{BACK}/access/users/invite"
PERSON = f"{BACK}/access/users/{{person}}"
APP = "/account/security/methods/{app}"
CODES = "/account/security/recovery-codes"
LOGINS = "/account/security/logins"
PORTALS = "/installation/portals"
MAIL = "/installation/mail"
ACCOUNT = "/installation/accounts/{person}"
ELSEWHERE = " ".join(["elsewhere"] * 8)
OPERATORS = "log-in code set-up no no no no in"

ROWS = {
    # endpoint                  path, what the view says to GET and to POST, step-up;
    #                           anonymous, at the code, at set-up; complete: outsider reader editor admin operator
    "static": Row("/static/portal.css", "200", None, False, ANYBODY),
    "health.alive": Row("/healthz", "200", None, False, ANYBODY),
    "health.ready": Row("/readyz", "200", None, False, ANYBODY),
    "gateway.for_nginx": Row("/gateway/nginx", "403", None, False, ELSEWHERE),  # tests/web/test_gateway.py
    "gateway.for_others": Row("/gateway/forward", "403", None, False, ELSEWHERE),
    "guarded_host.enter": Row("/.mfaportal/enter", "404", None, False, ELSEWHERE),  # tests/web/test_hand_off.py
    "guarded_host.denied": Row("/.mfaportal/denied", "404", None, False, ELSEWHERE),
    "guarded_host.static": Row("/.mfaportal/static/portal.css", "404", None, False, ELSEWHERE),
    "hand_off.hand_off": Row("/hand-off", "404", None, False, "log-in code set-up in in in in in"),
    "auth.welcome": Row("/welcome", "404", "404", False, ANYBODY),
    "auth.open_reset_link": Row(f"/reset-password/{TOKEN}", "303 /reset-password", None, False, ANYBODY),
    "auth.reset_password": Row("/reset-password", "410", "410", False, ANYBODY),
    "auth.open_invitation": Row(f"/invitations/{TOKEN}", "303 /invitation", None, False, ANYBODY),
    "auth.invitation": Row("/invitation", "410", "410", False, ANYBODY),
    "auth.open_address_link": Row(f"/confirm-address/{TOKEN}", "303 /confirm-address", None, False, ANYBODY),
    "auth.confirm_address": Row("/confirm-address", "410", "410", False, ANYBODY),
    "auth.open_email_link": Row(f"/confirm-email/{TOKEN}", "303 /confirm-email", None, False, ANYBODY),
    "auth.confirm_email": Row("/confirm-email", "410", "410", False, ANYBODY),
    "auth.log_in": Row("/log-in", "200", "422", False, "in code set-up home home home home home"),
    "auth.forgot_password": Row("/forgot-password", "200", "422", False, "in code set-up home home home home home"),
    "auth.enter_code": Row("/log-in/code", "200", "422", False, "log-in in set-up home home home home home"),
    "auth.recovery": Row("/log-in/recovery", "200", "422", False, "log-in in set-up home home home home home"),
    "auth.set_up": Row("/log-in/set-up", "200", None, False, "log-in code in home home home home home"),
    "auth.finish_set_up": Row("/log-in/set-up", None, "422", False, "log-in code in home home home home home"),
    "auth.log_out": Row("/log-out", None, "303 /log-in", False, "log-in in in in in in in in"),
    "auth.confirm": Row("/confirm", "200", "422", False, "log-in code set-up in in in in in"),
    "account.profile": Row("/account", "200", "422", False, "log-in code set-up in in in in in"),
    "account.security": Row("/account/security", "200", None, False, "log-in code set-up in in in in in"),
    "account.leave": Row(
        "/account/portals/city-data/leave",
        "200",
        "303 /account",
        True,
        "log-in code set-up nothing in in in nothing",
    ),
    "account.delete": Row("/account/delete", "200", "303 /log-in", True, "log-in code set-up in in in in in"),
    "account.methods": Row("/account/security/methods", "200", None, False, "log-in code set-up in in in in in"),
    "account.add_app": Row("/account/security/methods/add", "200", None, True, "log-in code set-up in in in in in"),
    "account.finish_add_app": Row(
        "/account/security/methods/add", None, "422", True, "log-in code set-up in in in in in"
    ),
    "account.rename_app": Row(f"{APP}/rename", "200", "422", False, "log-in code set-up in in in in in"),
    "account.replace_app": Row(f"{APP}/replace", "200", None, True, "log-in code set-up in in in in in"),
    "account.finish_replace_app": Row(f"{APP}/replace", None, "422", True, "log-in code set-up in in in in in"),
    "account.password": Row("/account/security/password", "200", "422", True, "log-in code set-up in in in in in"),
    "account.logins": Row(LOGINS, "200", None, True, "log-in code set-up in in in in in", listed=True),
    "account.end_logins": Row(LOGINS, None, "422", True, "log-in code set-up in in in in in", listed=True),
    "account.recovery_codes": Row(CODES, "200", None, True, "log-in code set-up in in in in in"),
    "account.change_recovery_codes": Row(CODES, None, "422", True, "log-in code set-up in in in in in"),
    "account.download_recovery_codes": Row(
        f"{CODES}/download", f"303 {CODES}", None, True, "log-in code set-up in in in in in"
    ),
    "account.delete_app": Row(f"{APP}/delete", "200", None, True, "log-in code set-up in in in in in"),
    "account.finish_delete_app": Row(
        f"{APP}/delete", None, "303 /account/security/methods", True, "log-in code set-up in in in in in"
    ),
    "front_office.home": Row("/", "200", None, False, "log-in code set-up no in in in in"),
    "front_office.portal": Row("/portals/city-data/", "200", None, False, "log-in code set-up no in in in in"),
    "front_office.dataset": Row(
        "/portals/city-data/datasets/trees", "200", None, False, "log-in code set-up no in in in in"
    ),
    "front_office.dataset_file": Row(
        "/portals/city-data/datasets/trees/file", "200", None, False, "log-in code set-up no in in in in"
    ),
    "back_office.desk": Row(BACK, "200", None, False, "log-in code set-up no no in in in"),
    "back_office.list_datasets": Row(f"{BACK}/datasets", "200", None, False, "log-in code set-up no no in in in"),
    "back_office.add_dataset": Row(f"{BACK}/datasets/new", "200", "422", False, "log-in code set-up no no in in in"),
    "back_office.edit_dataset": Row(
        f"{BACK}/datasets/trees", "200", "422", False, "log-in code set-up no no in in in"
    ),
    "back_office.delete_dataset": Row(
        f"{BACK}/datasets/trees/delete", "200", f"303 {BACK}/datasets", False, "log-in code set-up no no in in in"
    ),
    "access_users.index": Row(f"{BACK}/access/users", "200", None, False, "log-in code set-up no no no in in"),
    "access_users.one": Row(PERSON, "200", None, False, "log-in code set-up no no no in in"),
    "access_users.role": Row(f"{PERSON}/role", "200", "422", True, "log-in code set-up no no no in in"),
    "access_users.remove": Row(
        f"{PERSON}/remove", "200", f"303 {BACK}/access/users", True, "log-in code set-up no no no in in"
    ),
    "access_users.operator": Row(f"{PERSON}/operator", "200", "422", True, "log-in code set-up no no no no in"),
    "access_users.suspend": Row(
        f"{PERSON}/suspend", "200", f"303 {PERSON}", True, "log-in code set-up no no no no in"
    ),
    "access_users.restore": Row(
        f"{PERSON}/restore", "200", f"303 {PERSON}", True, "log-in code set-up no no no no in"
    ),
    "access_users.end_logins": Row(
        f"{PERSON}/end-logins", "200", f"303 {PERSON}", True, "log-in code set-up no no no no in"
    ),
    "access_users.reset_mfa": Row(f"{PERSON}/reset-mfa", "200", "422", True, "log-in code set-up no no no no in"),
    "access_users.reset_link": Row(f"{PERSON}/reset-link", "200", "200", True, "log-in code set-up no no no no in"),
    "access_invitations.invite": Row(INVITE, "200", "422", True, "log-in code set-up no no no in in"),
    "access_invitations.again": Row(
        f"{BACK}/access/users/invitations/7/again",
        f"303 {INVITE}",
        "404",
        True,
        "log-in code set-up no no no in in",
        listed=True,
    ),
    "access_invitations.revoke": Row(
        f"{BACK}/access/users/invitations/7/revoke",
        f"303 {INVITE}",
        "404",
        True,
        "log-in code set-up no no no in in",
        listed=True,
    ),
    "front_office.request_access": Row("/portals/city-data/request-access", "403", "403", False, ANYBODY),
    "front_office.withdraw_request": Row(
        "/portals/city-data/request-access/withdraw",
        None,
        "303 /portals/city-data/request-access",
        False,
        "log-in code set-up in in in in in",
    ),
    "access_requests.index": Row(
        f"{BACK}/access/requests", "200", "422", True, "log-in code set-up no no no in in", listed=True
    ),
    "access_signup.edit": Row(
        f"{BACK}/access/signup", "200", f"303 {BACK}/access/signup", True, "log-in code set-up no no no in in"
    ),
    "access_security.edit": Row(
        f"{BACK}/access/security", "200", f"303 {BACK}/access/security", True, "log-in code set-up no no no in in"
    ),
    "people_csv.users": Row(f"{BACK}/access/users.csv", "200", None, True, "log-in code set-up no no no in in"),
    "installation_portals.index": Row(PORTALS, "200", None, False, OPERATORS),
    "installation_portals.add": Row(f"{PORTALS}/new", "200", "422", True, OPERATORS),
    "installation_portals.edit": Row(f"{PORTALS}/city-data", "200", "422", True, OPERATORS),
    "installation_portals.delete": Row(f"{PORTALS}/city-data/delete", "200", "409", True, OPERATORS),
    "account.own_activity": Row(
        "/account/security/activity", "200", None, False, "log-in code set-up in in in in in"
    ),
    "access_activity.index": Row(f"{BACK}/access/activity", "200", None, False, "log-in code set-up no no no in in"),
    "access_activity.as_csv": Row(
        f"{BACK}/access/activity.csv", "200", None, True, "log-in code set-up no no no in in"
    ),
    "installation_mail.index": Row("/installation/mail", "200", None, False, OPERATORS),
    "installation_mail.try_again": Row(
        "/installation/mail/7/try-again", f"303 {MAIL}", f"303 {MAIL}", True, OPERATORS, listed=True
    ),
    "installation_mail.try_all_again": Row(
        "/installation/mail/try-again", f"303 {MAIL}", f"303 {MAIL}", True, OPERATORS, listed=True
    ),
    "installation_activity.index": Row("/installation/activity", "200", None, False, OPERATORS),
    "installation_activity.as_csv": Row("/installation/activity.csv", "200", None, True, OPERATORS),
    "installation_activity.as_jsonl": Row("/installation/activity.jsonl", "200", None, True, OPERATORS),
    "installation_accounts.index": Row("/installation/accounts", "200", None, False, OPERATORS),
    "installation_accounts.one": Row(ACCOUNT, "200", None, False, OPERATORS),
    "installation_accounts.operator": Row(f"{ACCOUNT}/operator", "200", "422", True, OPERATORS),
    "installation_accounts.suspend": Row(f"{ACCOUNT}/suspend", "200", f"303 {ACCOUNT}", True, OPERATORS),
    "installation_accounts.restore": Row(f"{ACCOUNT}/restore", "200", f"303 {ACCOUNT}", True, OPERATORS),
    "installation_accounts.end_logins": Row(f"{ACCOUNT}/end-logins", "200", f"303 {ACCOUNT}", True, OPERATORS),
    "installation_accounts.reset_mfa": Row(f"{ACCOUNT}/reset-mfa", "200", "422", True, OPERATORS),
    "installation_accounts.reset_link": Row(f"{ACCOUNT}/reset-link", "200", "200", True, OPERATORS),
}
PUBLIC_ROWS = {
    **ROWS,
    "front_office.dataset": replace(ROWS["front_office.dataset"], words="in code set-up in in in in in"),
    "front_office.dataset_file": replace(ROWS["front_office.dataset_file"], words="in code set-up in in in in in"),
    "front_office.home": replace(ROWS["front_office.home"], words="in code set-up in in in in in"),
    "front_office.portal": replace(ROWS["front_office.portal"], words="in code set-up in in in in in"),
}
STRANGER = Visitor("nobody", "anonymous", "", "", 0)
NOWHERE = [
    "/nowhere",
    "/log-in/",
    "/Log-In",
    "/account/security/methods/0/delete",
    "/account/security/methods/-1/delete",
    "/account/security/methods/\uff11/delete",
    f"/account/security/methods/{'9' * 4000}/delete",
    "/portals/city-data/backoffice/",
    "/portals/City-Data/",
    "/portals/../account",
    "/.git/config",
]
_STRANGERS_GET: dict[tuple[str, str, bool], tuple[bytes, list[tuple[str, str]]]] = {}
"""What a stranger was answered, in any portal of these tests: it must be the same in all of them."""
Enter = Callable[[str], tuple[Walker, Visitor]]


@pytest.fixture
def enter(app: Flask, people: Cast, clock: MovableClock, database_url: str) -> Enter:
    """Come as somebody of EVERYBODY; a rule demands MFA of everyone since the beginning of time."""

    def enter(name: str) -> tuple[Walker, Visitor]:
        with app.app_context():
            somebody = add_person(clock, "somebody@example.org", "Somebody", "reader")
            for _ in range(2):  # one keeps the file, for only the database is put back
                add_dataset(clock, "Trees")
            add_person(clock, "deputy@example.org", "Deputy", "admin", operator=True)  # so that nobody is a last one
        visitor = come(app, people, clock, name)
        return Walker(app, contents(database_url), somebody.id), visitor

    return enter


def test_every_endpoint_has_a_row(app: Flask) -> None:
    assert missing_rows(app, ROWS) == []


def test_every_row_describes_an_endpoint_and_its_methods(app: Flask) -> None:
    assert misdescribed_rows(app, ROWS) == []


@pytest.mark.parametrize("name", EVERYBODY)
def test_at_a_private_portal_everybody_gets_what_the_rows_say(enter: Enter, name: str) -> None:
    walker, visitor = enter(name)
    assert walker.differences(ROWS, visitor) == []


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_at_a_public_portal_everybody_gets_what_the_rows_say(enter: Enter, app: Flask, name: str) -> None:
    with app.app_context(), transaction() as session:
        session.execute(update(Portal).values(visibility="public"))
    walker, visitor = enter(name)
    assert walker.differences(PUBLIC_ROWS, visitor) == []


@pytest.mark.parametrize("name", EVERYBODY)
def test_whoever_wants_json_gets_a_status_and_a_code(enter: Enter, name: str) -> None:
    walker, visitor = enter(name)
    assert walker.json_differences(ROWS, visitor) == []


def test_a_stale_step_up_is_asked_for_where_the_rows_say_and_a_form_gets_ten_minutes_more(
    enter: Enter, clock: MovableClock
) -> None:
    walker, visitor = enter("operator")
    for row in walker.filled(ROWS, visitor).values():
        walker.send(visitor, "GET", row.path)  # the forms are opened while the log-in is young
    walker.keep()
    for minutes, asked in ((11, {"GET", "HEAD"}), (10, {"GET", "HEAD", "POST"})):
        clock.advance(minutes=minutes)
        for endpoint, row in walker.filled(ROWS, visitor).items():
            for method in ("GET", "HEAD", "POST"):
                if (row.post if method == "POST" else row.get) is None:
                    continue
                to_confirm = row.again and method in ({"POST"} if row.listed else asked) and row.lets_in("operator")
                wanted = f"303 /confirm?next={row.path}" if to_confirm else expected(row, "operator", method)
                assert said(walker.send(visitor, method, row.path)) == wanted, f"{endpoint}: {method} {row.path}"
                if to_confirm and method == "GET":
                    answer = walker.send(visitor, method, row.path, as_json=True)
                    assert (answer.status_code, answer.get_json()) == (401, {"error": "confirmation_required"})


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_what_no_endpoint_matches_is_answered_with_the_same_bytes_at_every_stage(enter: Enter, name: str) -> None:
    walker, visitor = enter(name)
    rows = walker.filled(ROWS, visitor)
    requests = [(method, path, 404) for path in NOWHERE for method in ("GET", "HEAD", "POST", "BREW")]
    for path in {row.path for row in rows.values()}:
        allowed = allowed_methods(rows, path)
        requests += [(method, path, 405) for method in (*OTHER_METHODS, "GET", "POST") if method not in allowed]
    for method, path, status in requests:
        for as_json in (False, True):
            response = walker.send(visitor, method, path, as_json=as_json)
            assert response.status_code == status, f"{method} {path}"
            assert status == 404 or set(response.allow) == allowed_methods(rows, path), path
            asked = (method, path, as_json)
            if asked not in _STRANGERS_GET:
                _STRANGERS_GET[asked] = _all_of(walker.send(STRANGER, method, path, as_json=as_json))
            assert _all_of(response) == _STRANGERS_GET[asked], f"{method} {path}"


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_a_portal_that_is_not_there_is_not_there_for_anybody(enter: Enter, name: str) -> None:
    walker, visitor = enter(name)
    for endpoint, row in walker.filled(ROWS, visitor).items():
        if "city-data" not in row.path:
            continue
        path = row.path.replace("city-data", "town-data")
        for method in ["GET"] * bool(row.get) + ["POST"] * bool(row.post) + ["OPTIONS"]:
            response = walker.send(visitor, method, path)
            assert response.status_code == 404, f"{endpoint}: {method} {path}"
            assert _all_of(response) == _all_of(walker.send(STRANGER, method, path)), f"{method} {path}"


def _all_of(response: TestResponse) -> tuple[bytes, list[tuple[str, str]]]:
    return response.data, sorted(header for header in response.headers if header[0] != "Set-Cookie")


@pytest.mark.parametrize("name", ["anonymous", "code: admin", "set-up: admin", "reader", "operator"])
def test_a_form_that_is_not_ours_is_refused_whoever_sends_it_but_only_after_the_gate(enter: Enter, name: str) -> None:
    walker, visitor = enter(name)
    for endpoint, row in walker.filled(ROWS, visitor).items():
        let_in = row.lets_in(visitor.column)
        for csrf in ("", "wrong", visitor.csrf[:-1]):
            said_to = said(walker.send(replace(visitor, csrf=csrf), "POST", row.path)) if row.post else ""
            assert said_to == ("400" if let_in else expected(row, visitor.column, "POST")) or not row.post, endpoint


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("anonymous", "200"), ("code: reader", "303 /log-in/code"), ("set-up: admin", "303 /log-in/set-up")]
    + [(name, "200") for name in COMPLETE],
)
def test_with_several_portals_the_home_page_is_a_list_for_everybody_who_is_not_half_logged_in(
    app: Flask, enter: Enter, clock: MovableClock, name: str, wanted: str
) -> None:
    with app.app_context(), transaction() as session:
        session.add(Portal(slug="second", name="Second", created_at=clock()))
    walker, visitor = enter(name)
    assert said(walker.send(visitor, "GET", "/")) == wanted


def test_a_role_in_one_portal_is_none_in_another(app: Flask, enter: Enter, clock: MovableClock) -> None:
    with app.app_context(), transaction() as session:
        session.add(Portal(slug="second", name="Second", created_at=clock()))
    walker, visitor = enter("admin")
    for endpoint, row in walker.filled(ROWS, visitor).items():
        if "city-data" in row.path and row.get:
            wanted = "404" if row.word("outsider") == "nothing" else "403"
            assert said(walker.send(visitor, "GET", row.path.replace("city-data", "second"))) == wanted, endpoint


def test_an_unknown_decision_is_an_error_and_lets_nobody_in(app: Flask) -> None:
    with app.test_request_context("/account"), pytest.raises(RuntimeError, match="unknown decision"):
        gate.answer_for("come in")  # type: ignore[arg-type]


def test_an_endpoint_without_an_audience_stops_the_start(
    make_app: Callable[[], Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget(app: Flask) -> None:
        app.add_url_rule("/forgotten", "forgotten", lambda: "open to everybody")

    monkeypatch.setattr(cli, "register", forget)
    with pytest.raises(RuntimeError, match="the endpoint forgotten declares no audience"):
        make_app()


def test_the_walk_notices_an_endpoint_without_a_row(app: Flask) -> None:
    app.add_url_rule("/new", "new", app.view_functions["health.alive"])
    (complaint,) = missing_rows(app, ROWS)
    assert complaint.startswith("the endpoint new (/new) has no row: add one to ROWS in tests/test_gate.py")


def test_the_walk_notices_a_row_of_other_methods_or_of_nothing(app: Flask) -> None:
    changed = {"account.security": replace(ROWS["account.security"], post="422"), "gone": ROWS["account.security"]}
    assert len(misdescribed_rows(app, changed)) == 2


@pytest.mark.parametrize(
    ("column", "name"), [("admin", "admin"), ("set-up", "set-up: editor"), ("code", "code: editor")]
)
def test_the_walk_notices_a_wrong_word_wherever_it_stands(enter: Enter, column: str, name: str) -> None:
    walker, visitor = enter(name)
    for endpoint in ("account.profile", "access_users.operator", "auth.log_in"):
        row = ROWS[endpoint]
        words = row.words.split()
        words[COLUMNS.index(column)] = "in" if row.word(column) != "in" else "no"
        wrong = {endpoint: replace(row, words=" ".join(words))}
        found = walker.differences(wrong, visitor)
        assert len(found) >= 4
        assert all(complaint.startswith(f"{endpoint}: ") for complaint in found)
        if walker.json_differences({endpoint: row}, visitor):
            pytest.fail("the right row was complained about")
