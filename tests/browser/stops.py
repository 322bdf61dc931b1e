"""Every page of the portal, and the states of it that look different: where the tests of the look stop.

`test_look` holds the list against the application's own URLs, so a page cannot be forgotten.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

from sqlalchemy import update

from mfaportal.domain import link_rows
from mfaportal.models import (
    AccessRequest,
    Account,
    GuardedAddress,
    Invitation,
    LinkKind,
    Portal,
    RequestState,
    SignUp,
    Visibility,
)
from mfaportal.plumbing.db import transaction
from mfaportal.plumbing.tokens import digest, new_token
from mfaportal.rules.mfa_rule import MfaRule
from tests.clock import MovableClock
from tests.datasets import MEMBERS
from tests.datasets import add as add_dataset
from tests.people import DIGEST, PASSWORD, Cast, Person, add_person, apps_of, give_app, on_the_command_line, set_rule

LONG_NAME = "Referatsleiterin für Öffentlichkeitsarbeit und Datenbereitstellungsangelegenheiten der Stadtverwaltung"
LONG_EMAIL = "office.for.open.data.and.public.information@archive.of.the.city.and.its.harbour.example.org"
_PORTAL = "/portals/city-data"
_ACCESS = f"{_PORTAL}/backoffice/access"
_INVITE = f"{_ACCESS}/users/invite"
_USER = f"{_ACCESS}/users/{{reader}}"
_DATASETS = f"{_PORTAL}/backoffice/datasets"
_METHODS = "/account/security/methods"
_ASKING = f"{_PORTAL}/request-access"
_PORTALS = "/installation/portals"
_ACCOUNT = "/installation/accounts/{long}"


class Visitor(Enum):
    """Who walks. Each walk is a test of its own, with a portal of its own."""

    FIRST = "before there is any account"
    STRANGER = "logged out"
    TRAVELLER = "logged out, where there are several portals"
    HALF = "a person with an app, before the code"
    SETTING_UP = "a person whom the rule sends to set-up"
    READER = "a reader without an app"
    ADMIN = "an admin without an app"
    OPERATOR = "an operator with several apps"


@dataclass(frozen=True)
class Stop:
    """A page: who opens it, its endpoint, its path (with names for numbers and tokens), and what is done there.

    `fill` is typed into the fields of those labels, `check` is ticked, `press` is the button; the look is judged at
    the page that the portal answers with.
    """

    visitor: Visitor
    endpoint: str
    path: str
    status: int = 200
    fill: Mapping[str, str] = field(default_factory=dict)
    check: tuple[str, ...] = ()
    press: str = ""

    def __str__(self) -> str:
        return f"{self.path} {self.press}".strip()


_FIRST = (
    Stop(Visitor.FIRST, "auth.log_in", "/log-in"),
    Stop(Visitor.FIRST, "auth.welcome", "{welcome}"),
    Stop(
        Visitor.FIRST,
        "auth.welcome",
        "/welcome",
        422,
        {"E-mail": "first@example.org", "Your name": "First", "Password": "short", "Name of the portal": "City"},
        press="Create",
    ),
)
_STRANGER = (
    Stop(Visitor.STRANGER, "front_office.home", "/"),
    Stop(Visitor.STRANGER, "front_office.portal", f"{_PORTAL}/"),
    Stop(Visitor.STRANGER, "front_office.dataset", f"{_PORTAL}/datasets/{{dataset}}"),
    Stop(Visitor.STRANGER, "front_office.dataset", f"{_PORTAL}/datasets/no-such-dataset", 404),
    Stop(Visitor.STRANGER, "auth.log_in", "/log-in"),
    Stop(
        Visitor.STRANGER, "auth.log_in", "/log-in", 422, {"E-mail": "a@b.example", "Password": "no"}, press="Log in"
    ),
    Stop(
        Visitor.STRANGER,
        "auth.log_in",
        "/log-in",
        403,
        {"E-mail": "former@example.org", "Password": PASSWORD},
        press="Log in",
    ),
    Stop(Visitor.STRANGER, "front_office.request_access", _ASKING),
    Stop(
        Visitor.STRANGER,
        "front_office.request_access",
        _ASKING,
        422,
        {"Name": LONG_NAME[:90], "E-mail": "new@example.org", "Password": "short", "Message": "Please"},
        press="Request access",
    ),
    Stop(Visitor.STRANGER, "front_office.request_access", f"{_ASKING}?sent=yes"),
    Stop(
        Visitor.STRANGER,
        "auth.log_in",
        "/log-in",
        403,
        {"E-mail": "declined@example.org", "Password": PASSWORD},
        press="Log in",
    ),
    Stop(Visitor.STRANGER, "auth.forgot_password", "/forgot-password"),
    Stop(Visitor.STRANGER, "auth.open_reset_link", "/reset-password/{reset}"),
    Stop(
        Visitor.STRANGER, "auth.reset_password", "/reset-password", 422, {"New password": "x"}, press="Set password"
    ),
    Stop(Visitor.STRANGER, "auth.open_invitation", "/invitations/{invitation}"),
    Stop(Visitor.STRANGER, "auth.invitation", "/invitation"),
    Stop(Visitor.STRANGER, "auth.open_invitation", "/invitations/{to_nobody}"),
    Stop(
        Visitor.STRANGER, "auth.invitation", "/invitation", 422, {"Your name": "W", "Password": "x"}, press="Accept"
    ),
    Stop(Visitor.STRANGER, "auth.open_invitation", "/invitations/{to_long}"),
    Stop(Visitor.STRANGER, "auth.open_address_link", "/confirm-address/{to_confirm}"),
    Stop(Visitor.STRANGER, "auth.confirm_address", "/confirm-address"),
    Stop(Visitor.STRANGER, "auth.open_email_link", "/confirm-email/{to_change}"),
    Stop(Visitor.STRANGER, "auth.confirm_email", "/confirm-email"),
    Stop(Visitor.STRANGER, "auth.open_email_link", "/confirm-email/no-such-token", 410),
    Stop(
        Visitor.STRANGER,
        "auth.log_in",
        "/log-in",
        403,
        {"E-mail": "unconfirmed@example.org", "Password": PASSWORD},
        press="Log in",
    ),
    Stop(Visitor.STRANGER, "auth.open_reset_link", "/reset-password/no-such-token", 410),
    Stop(Visitor.STRANGER, "", "/no-such-page", 404),
)
_TRAVELLER = (
    Stop(Visitor.TRAVELLER, "front_office.home", "/"),
    Stop(Visitor.TRAVELLER, "front_office.request_access", "/portals/harbour/request-access", 403),
)
_ON_THE_WAY = (
    Stop(Visitor.HALF, "auth.enter_code", "/log-in/code"),
    Stop(Visitor.HALF, "auth.enter_code", "/log-in/code", 422, {"One-time code": "12"}, press="Submit"),
    Stop(Visitor.HALF, "auth.recovery", "/log-in/recovery"),
    Stop(Visitor.HALF, "auth.recovery", "/log-in/recovery", 422, {"Recovery code": "12"}, press="Submit"),
    Stop(Visitor.SETTING_UP, "auth.set_up", "/log-in/set-up"),
    Stop(
        Visitor.SETTING_UP, "auth.set_up", "/log-in/set-up", 422, {"One-time code": "12", "Name": "W"}, press="Submit"
    ),
)
_READER = (
    Stop(Visitor.READER, "front_office.home", "/"),
    Stop(Visitor.READER, "account.profile", "/account"),
    Stop(Visitor.READER, "account.profile", "/account", 200, {"Name": LONG_NAME[:90]}, press="Save"),
    Stop(Visitor.READER, "account.leave", "/account/portals/city-data/leave"),
    Stop(Visitor.READER, "account.delete", "/account/delete"),
    Stop(Visitor.READER, "auth.open_invitation", "/invitations/{to_reader}"),
    Stop(Visitor.READER, "auth.open_invitation", "/invitations/{to_long}"),
    Stop(Visitor.READER, "account.security", "/account/security"),
    Stop(Visitor.READER, "account.methods", _METHODS),
    Stop(Visitor.READER, "account.add_app", f"{_METHODS}/add"),
    Stop(Visitor.READER, "account.recovery_codes", "/account/security/recovery-codes"),
    Stop(Visitor.READER, "account.password", "/account/security/password"),
    Stop(
        Visitor.READER,
        "account.password",
        "/account/security/password",
        422,
        {"Current password": "no", "New password": "x"},
        press="Change password",
    ),
    Stop(Visitor.READER, "account.logins", "/account/security/logins"),
    Stop(Visitor.READER, "auth.confirm", "/confirm"),
    Stop(Visitor.READER, "auth.confirm", "/confirm", 422, {"Password": "no"}, press="Confirm"),
    Stop(Visitor.READER, "back_office.desk", f"{_PORTAL}/backoffice", 403),
    Stop(Visitor.READER, "front_office.portal", "/portals/harbour/", 403),
    Stop(Visitor.READER, "front_office.request_access", "/portals/harbour/request-access"),
    Stop(
        Visitor.READER,
        "front_office.request_access",
        "/portals/harbour/request-access",
        200,
        {"Message": "Please"},
        press="Request access",
    ),
)
_ADMIN = (
    Stop(Visitor.ADMIN, "account.leave", "/account/portals/city-data/leave"),
    Stop(Visitor.ADMIN, "account.delete", "/account/delete"),
    Stop(Visitor.ADMIN, "access_invitations.invite", _INVITE),
    Stop(Visitor.ADMIN, "access_invitations.invite", _INVITE, 422, {"E-mail addresses": "nobody"}, press="Invite"),
    Stop(
        Visitor.ADMIN,
        "access_invitations.invite",
        _INVITE,
        200,
        {"E-mail addresses": f"{LONG_EMAIL} guest@example.org other@example.org"},
        press="Invite",
    ),
    Stop(Visitor.ADMIN, "access_invitations.again", f"{_ACCESS}/users/invitations/1/again"),
    Stop(Visitor.ADMIN, "access_invitations.revoke", f"{_ACCESS}/users/invitations/1/revoke"),
    Stop(Visitor.ADMIN, "access_users.one", f"{_ACCESS}/users/{{long}}"),
    Stop(
        Visitor.ADMIN,
        "access_security.edit",
        f"{_ACCESS}/security",
        422,
        check=("All users", "Also apply now"),
        press="Save",
    ),
)
_OPERATOR = (
    Stop(Visitor.OPERATOR, "account.security", "/account/security"),
    Stop(Visitor.OPERATOR, "account.methods", _METHODS),
    Stop(Visitor.OPERATOR, "account.add_app", f"{_METHODS}/add"),
    Stop(Visitor.OPERATOR, "account.rename_app", f"{_METHODS}/{{app}}/rename"),
    Stop(Visitor.OPERATOR, "account.replace_app", f"{_METHODS}/{{app}}/replace"),
    Stop(Visitor.OPERATOR, "account.delete_app", f"{_METHODS}/{{app}}/delete"),
    Stop(Visitor.OPERATOR, "account.recovery_codes", "/account/security/recovery-codes"),
    Stop(Visitor.OPERATOR, "account.recovery_codes", "/account/security/recovery-codes", press="Make codes"),
    Stop(Visitor.OPERATOR, "account.recovery_codes", "/account/security/recovery-codes", 422, press="Done"),
    Stop(Visitor.OPERATOR, "auth.confirm", "/confirm"),
    Stop(Visitor.OPERATOR, "back_office.desk", f"{_PORTAL}/backoffice"),
    Stop(Visitor.OPERATOR, "front_office.portal", f"{_PORTAL}/?q=e"),
    Stop(Visitor.OPERATOR, "front_office.dataset", f"{_PORTAL}/datasets/plans"),
    Stop(Visitor.OPERATOR, "back_office.list_datasets", _DATASETS),
    Stop(Visitor.OPERATOR, "back_office.list_datasets", f"{_DATASETS}?q=nothing+is+called+so"),
    Stop(Visitor.OPERATOR, "back_office.add_dataset", f"{_DATASETS}/new"),
    Stop(Visitor.OPERATOR, "back_office.edit_dataset", f"{_DATASETS}/plans"),
    Stop(Visitor.OPERATOR, "back_office.edit_dataset", f"{_DATASETS}/plans", 422, {"Title": "\u202e"}, press="Save"),
    Stop(Visitor.OPERATOR, "back_office.delete_dataset", f"{_DATASETS}/{{dataset}}/delete"),
    Stop(Visitor.OPERATOR, "access_users.index", f"{_ACCESS}/users"),
    Stop(Visitor.OPERATOR, "access_users.index", f"{_ACCESS}/users?q=nobody+is+called+so&mfa=missing"),
    Stop(Visitor.OPERATOR, "access_users.one", _USER),
    Stop(Visitor.OPERATOR, "access_users.one", f"{_ACCESS}/users/{{former}}"),
    Stop(Visitor.OPERATOR, "access_users.role", f"{_USER}/role"),
    Stop(Visitor.OPERATOR, "access_users.remove", f"{_USER}/remove"),
    Stop(Visitor.OPERATOR, "access_users.operator", f"{_USER}/operator"),
    Stop(Visitor.OPERATOR, "access_users.suspend", f"{_USER}/suspend"),
    Stop(Visitor.OPERATOR, "access_users.restore", f"{_ACCESS}/users/{{former}}/restore"),
    Stop(Visitor.OPERATOR, "access_users.end_logins", f"{_USER}/end-logins"),
    Stop(Visitor.OPERATOR, "access_users.reset_mfa", f"{_USER}/reset-mfa"),
    Stop(Visitor.OPERATOR, "access_users.reset_link", f"{_USER}/reset-link", press="Make reset link"),
    Stop(Visitor.OPERATOR, "access_requests.index", f"{_ACCESS}/requests"),
    Stop(Visitor.OPERATOR, "access_requests.index", f"{_ACCESS}/requests", 422, press="Accept"),
    Stop(Visitor.OPERATOR, "access_requests.index", f"{_ACCESS}/requests?history=1"),
    Stop(Visitor.OPERATOR, "access_signup.edit", f"{_ACCESS}/signup"),
    Stop(
        Visitor.OPERATOR,
        "access_signup.edit",
        f"{_ACCESS}/signup",
        422,
        {"Contact": LONG_NAME},
        check=("Open",),
        press="Save",
    ),
    Stop(Visitor.OPERATOR, "access_security.edit", f"{_ACCESS}/security"),
    Stop(Visitor.OPERATOR, "account.own_activity", "/account/security/activity"),
    Stop(Visitor.OPERATOR, "access_activity.index", f"{_ACCESS}/activity"),
    Stop(Visitor.OPERATOR, "access_activity.index", f"{_ACCESS}/activity?person=nobody+is+called+so&kind=people"),
    Stop(Visitor.OPERATOR, "installation_activity.index", "/installation/activity?from=2000-01-01"),
    Stop(Visitor.OPERATOR, "installation_mail.index", "/installation/mail"),
    Stop(Visitor.OPERATOR, "installation_portals.index", _PORTALS),
    Stop(Visitor.OPERATOR, "installation_portals.add", f"{_PORTALS}/new"),
    Stop(
        Visitor.OPERATOR,
        "installation_portals.add",
        f"{_PORTALS}/new",
        422,
        {"Name": LONG_NAME[:80], "Slug": "city-data"},
        press="Save",
    ),
    Stop(Visitor.OPERATOR, "installation_portals.edit", f"{_PORTALS}/city-data"),
    Stop(Visitor.OPERATOR, "installation_portals.delete", f"{_PORTALS}/city-data/delete", 409, press="Delete"),
    Stop(Visitor.OPERATOR, "installation_accounts.index", "/installation/accounts"),
    Stop(Visitor.OPERATOR, "installation_accounts.one", f"{_ACCOUNT}"),
    Stop(Visitor.OPERATOR, "installation_accounts.operator", f"{_ACCOUNT}/operator"),
    Stop(Visitor.OPERATOR, "installation_accounts.suspend", f"{_ACCOUNT}/suspend"),
    Stop(Visitor.OPERATOR, "installation_accounts.restore", "/installation/accounts/{former}/restore"),
    Stop(Visitor.OPERATOR, "installation_accounts.end_logins", f"{_ACCOUNT}/end-logins"),
    Stop(Visitor.OPERATOR, "installation_accounts.reset_mfa", f"{_ACCOUNT}/reset-mfa"),
    Stop(Visitor.OPERATOR, "installation_accounts.reset_link", f"{_ACCOUNT}/reset-link", press="Make reset link"),
    Stop(Visitor.OPERATOR, "", "/no-such-page", 404),
)
STOPS = (*_FIRST, *_STRANGER, *_TRAVELLER, *_ON_THE_WAY, *_READER, *_ADMIN, *_OPERATOR)

NO_PAGES = {"static", "health.alive", "health.ready", "people_csv.users", "front_office.dataset_file"}
NO_PAGES |= {"account.download_recovery_codes"}
NO_PAGES |= {"access_activity.as_csv", "installation_activity.as_csv", "installation_activity.as_jsonl"}
NO_PAGES |= {"installation_mail.try_again", "installation_mail.try_all_again"}
NO_PAGES |= {"hand_off.hand_off", "gateway.for_nginx", "gateway.for_others"}
NO_PAGES |= {"guarded_host.enter", "guarded_host.denied", "guarded_host.static"}  # looked at in tests/proxies
"""What answers a GET with something else than a page."""


@dataclass(frozen=True)
class Town:
    """The people of the walks, and what stands in their paths."""

    walkers: Mapping[Visitor, Person]
    names: Mapping[str, object]


def settle(cast: Cast, clock: MovableClock) -> Town:
    """A portal with long names in it, people in every state, and open links. Inside an app context."""
    for name in ("KeePassXC on the laptop", "W" * 64):
        give_app(cast.operator, clock, name)
    long = add_person(clock, LONG_EMAIL, LONG_NAME[:100], "editor")
    former = add_person(clock, "former@example.org", "Former Reader", "reader")
    trees = add_person(clock, "trees@example.org", "Trees Editor", "editor")
    give_app(cast.editor, clock)
    to_confirm = _ask_for_access(clock)
    wide = ",".join(f"column {number}" for number in range(12)) + f"\n{'W' * 120},{LONG_NAME}\n"
    words = f"{LONG_NAME}\n\n{'W' * 120}"
    dataset = add_dataset(clock, LONG_NAME, wide.encode(), f"{'W' * 80}.csv", description=words)
    add_dataset(clock, "Plans", b"PK\x03\x04", "plans.csv", visibility=MEMBERS)
    caller = on_the_command_line(clock)
    with transaction() as session:
        account = session.get(Account, former.id)
        assert account is not None
        account.suspended_at = clock()
        here = session.query(Portal).one().id
        for host in ("data.example.org", f"{'w' * 60}.example.org:8443"):
            session.add(GuardedAddress(portal_id=here, scheme="https", host=host, prefix="/app"))
        reset = link_rows.make(session, caller, LinkKind.RESET, long.id)
        invitation = link_rows.make(session, caller, LinkKind.INVITATION, cast.reader.id)
        to_change = link_rows.add(session, caller, LinkKind.EMAIL, long.id, email=f"new.{LONG_EMAIL}")[1]
    walkers = {
        Visitor.HALF: cast.editor,
        Visitor.SETTING_UP: trees,
        Visitor.READER: cast.reader,
        Visitor.ADMIN: cast.admin,
        Visitor.OPERATOR: cast.operator,
    }
    numbers = {"reader": cast.reader.id, "long": long.id, "former": former.id, "app": apps_of(cast.operator)[-1].id}
    invited = _invite(clock, to_reader=cast.reader.email, to_long=LONG_EMAIL, to_nobody=f"a.{LONG_EMAIL}")
    return Town(
        walkers,
        {
            **numbers,
            "dataset": dataset,
            "reset": reset,
            "invitation": invitation,
            "to_confirm": to_confirm,
            "to_change": to_change,
            **invited,
        },
    )


def _invite(clock: MovableClock, **emails: str) -> dict[str, str]:
    """Links for these addresses, members or not; one invitation is too old by now, and has no link here."""
    tokens = {name: new_token() for name in emails}
    with transaction() as session:
        portal = session.query(Portal).one()
        asked = {"portal_id": portal.id, "role": "editor", "made_at": clock()}
        ends = clock() + timedelta(days=7)
        session.add(Invitation(email="late@example.org", token_digest=b"late", expires_at=clock(), **asked))
        session.add_all(
            [
                Invitation(email=email, token_digest=digest(tokens[name]), expires_at=ends, **asked)
                for name, email in emails.items()
            ]
        )
    return tokens


def _ask_for_access(clock: MovableClock) -> str:
    """The portal takes requests: some wait, with long names, one was declined, and one waits for its address: the
    token of the link that confirms it.
    """
    token = new_token()
    with transaction() as session:
        portal = session.query(Portal).one()
        portal.sign_up, portal.contact = SignUp.APPROVAL, LONG_EMAIL
        asked = {"portal_id": portal.id, "password_digest": DIGEST, "made_at": clock()}
        session.add_all(
            [
                AccessRequest(email=LONG_EMAIL, name=LONG_NAME[:100], message=f"{LONG_NAME}\n\n{'W' * 120}", **asked),
                AccessRequest(email=LONG_EMAIL, name="Somebody New", **asked),
                AccessRequest(
                    email="declined@example.org",
                    name=LONG_NAME[:100],
                    state=RequestState.DECLINED,
                    decided_at=clock(),
                    reason=f"{LONG_NAME} {'W' * 120}",
                    **asked,
                ),
                AccessRequest(
                    email="unconfirmed@example.org",
                    name=LONG_NAME[:100],
                    state=RequestState.UNCONFIRMED,
                    confirm_digest=digest(token),
                    **asked,
                ),
            ]
        )
    return token


def open_the_doors(visitor: Visitor, clock: MovableClock) -> None:
    """What has to hold in the portal before somebody walks through it. Inside an app context."""
    if visitor is Visitor.SETTING_UP:
        set_rule(MfaRule.BACK_OFFICE, clock)
    if visitor in (Visitor.STRANGER, Visitor.TRAVELLER):
        with transaction() as session:
            session.execute(update(Portal).values(visibility=Visibility.PUBLIC))
    if visitor is Visitor.READER:
        with transaction() as session:
            session.add(Portal(name="Harbour", slug="harbour", sign_up=SignUp.APPROVAL, created_at=clock()))
    if visitor is Visitor.TRAVELLER:
        with transaction() as session:
            session.add(Portal(name=LONG_NAME[:60], slug="harbour", visibility=Visibility.PUBLIC, created_at=clock()))
