"""Every page of the portal, and the states of it that look different: where the tests of the look stop.

`test_look` holds the list against the application's own URLs, so a page cannot be forgotten.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from sqlalchemy import update

from mfaportal.domain import one_time_links
from mfaportal.models import Account, LinkKind, Portal, Visibility
from mfaportal.plumbing.db import transaction
from mfaportal.rules.mfa_rule import MfaRule
from tests.clock import MovableClock
from tests.people import PASSWORD, Cast, Person, add_person, apps_of, give_app, on_the_command_line, set_rule

LONG_NAME = "Referatsleiterin für Öffentlichkeitsarbeit und Datenbereitstellungsangelegenheiten der Stadtverwaltung"
LONG_EMAIL = "office.for.open.data.and.public.information@archive.of.the.city.and.its.harbour.example.org"
_PORTAL = "/portals/city-data"
_ACCESS = f"{_PORTAL}/backoffice/access"
_USER = f"{_ACCESS}/users/{{reader}}"
_METHODS = "/account/security/methods"


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
    Stop(Visitor.STRANGER, "auth.forgot_password", "/forgot-password"),
    Stop(Visitor.STRANGER, "auth.open_reset_link", "/reset-password/{reset}"),
    Stop(
        Visitor.STRANGER, "auth.reset_password", "/reset-password", 422, {"New password": "x"}, press="Set password"
    ),
    Stop(Visitor.STRANGER, "auth.open_invitation", "/invitations/{invitation}"),
    Stop(Visitor.STRANGER, "auth.invitation", "/invitation"),
    Stop(Visitor.STRANGER, "auth.open_reset_link", "/reset-password/no-such-token", 410),
    Stop(Visitor.STRANGER, "", "/no-such-page", 404),
)
_TRAVELLER = (Stop(Visitor.TRAVELLER, "front_office.home", "/"),)
_ON_THE_WAY = (
    Stop(Visitor.HALF, "auth.enter_code", "/log-in/code"),
    Stop(Visitor.HALF, "auth.enter_code", "/log-in/code", 422, {"One-time code": "12"}, press="Submit"),
    Stop(Visitor.SETTING_UP, "auth.set_up", "/log-in/set-up"),
    Stop(
        Visitor.SETTING_UP, "auth.set_up", "/log-in/set-up", 422, {"One-time code": "12", "Name": "W"}, press="Submit"
    ),
)
_READER = (
    Stop(Visitor.READER, "front_office.home", "/"),
    Stop(Visitor.READER, "account.profile", "/account"),
    Stop(Visitor.READER, "account.profile", "/account", 200, {"Name": LONG_NAME[:90]}, press="Save"),
    Stop(Visitor.READER, "account.security", "/account/security"),
    Stop(Visitor.READER, "account.methods", _METHODS),
    Stop(Visitor.READER, "account.add_app", f"{_METHODS}/add"),
    Stop(Visitor.READER, "auth.confirm", "/confirm"),
    Stop(Visitor.READER, "auth.confirm", "/confirm", 422, {"Password": "no"}, press="Confirm"),
    Stop(Visitor.READER, "back_office.desk", f"{_PORTAL}/backoffice", 403),
)
_ADMIN = (
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
    Stop(Visitor.OPERATOR, "account.delete_app", f"{_METHODS}/{{app}}/delete"),
    Stop(Visitor.OPERATOR, "auth.confirm", "/confirm"),
    Stop(Visitor.OPERATOR, "back_office.desk", f"{_PORTAL}/backoffice"),
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
    Stop(Visitor.OPERATOR, "access_security.edit", f"{_ACCESS}/security"),
    Stop(Visitor.OPERATOR, "", "/no-such-page", 404),
)
STOPS = (*_FIRST, *_STRANGER, *_TRAVELLER, *_ON_THE_WAY, *_READER, *_ADMIN, *_OPERATOR)

NO_PAGES = {"static", "health.alive", "health.ready"}
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
    caller = on_the_command_line(clock)
    with transaction() as session:
        account = session.get(Account, former.id)
        assert account is not None
        account.suspended_at = clock()
        reset = one_time_links.make(session, caller, LinkKind.RESET, long.id)
        invitation = one_time_links.make(session, caller, LinkKind.INVITATION, cast.reader.id)
    walkers = {
        Visitor.HALF: cast.editor,
        Visitor.SETTING_UP: trees,
        Visitor.READER: cast.reader,
        Visitor.ADMIN: cast.admin,
        Visitor.OPERATOR: cast.operator,
    }
    numbers = {"reader": cast.reader.id, "long": long.id, "former": former.id, "app": apps_of(cast.operator)[-1].id}
    return Town(walkers, {**numbers, "reset": reset, "invitation": invitation})


def open_the_doors(visitor: Visitor, clock: MovableClock) -> None:
    """What has to hold in the portal before somebody walks through it. Inside an app context."""
    if visitor is Visitor.SETTING_UP:
        set_rule(MfaRule.BACK_OFFICE, clock)
    if visitor in (Visitor.STRANGER, Visitor.TRAVELLER):
        with transaction() as session:
            session.execute(update(Portal).values(visibility=Visibility.PUBLIC))
    if visitor is Visitor.TRAVELLER:
        with transaction() as session:
            session.add(Portal(name=LONG_NAME[:60], slug="harbour", visibility=Visibility.PUBLIC, created_at=clock()))
