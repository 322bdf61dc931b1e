"""Every operation that takes a right: who has it, and how it is done."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import update

from mfaportal.domain import (
    accepting,
    access_requests,
    access_security,
    accounts,
    authenticators,
    backups,
    cleansing,
    copy_target,
    database_copy,
    datasets,
    email_changes,
    events_export,
    hand_offs,
    invitations,
    key_rotation,
    leaving,
    login_list,
    logins,
    members,
    notices,
    one_time_links,
    outbox,
    password_changes,
    people_export,
    portals,
    recovery_codes,
    request_decisions,
    set_up,
    sign_up,
)
from mfaportal.domain.accounts import Newcomer
from mfaportal.domain.activity import EventsQuery
from mfaportal.domain.caller import Caller
from mfaportal.domain.events_export import Format
from mfaportal.domain.member_list import MembersQuery
from mfaportal.domain.request_decisions import Decision, Verdict
from mfaportal.models import AccessRequest, MailKind, Portal, SignUp, Visibility
from mfaportal.plumbing.db import transaction
from mfaportal.plumbing.runtime import runtime
from mfaportal.plumbing.tokens import new_token
from mfaportal.rules.mfa_rule import MfaRule
from mfaportal.rules.roles import MemberRole
from tests.clock import MovableClock
from tests.datasets import add as add_dataset
from tests.datasets import described, upload
from tests.people import PORTAL, Cast, Person, apps_of, on_the_command_line
from tests.phone import Phone


@dataclass
class World:
    """Everybody, a clock, and two people to act on. The reader alone has an app."""

    people: Cast
    clock: MovableClock
    somebody: Person
    suspended: Person
    key: str = ""

    @property
    def code(self) -> str:
        assert self.people.reader.phone is not None
        return self.people.reader.phone.code(self.clock())

    @property
    def recovery_code(self) -> str:
        return self.people.reader.codes[0]

    @property
    def app_id(self) -> int:
        return apps_of(self.people.reader)[0].id


@dataclass(frozen=True)
class Operation:
    """Who may do it, whether it asks for a recent step-up, how it is done, and what has to come before."""

    who: str
    step_up: bool
    run: Callable[[Caller, World], object]
    half: bool = False
    before: Callable[[Caller, World], None] = lambda _caller, _world: None


def _begin(caller: Caller, world: World) -> None:
    world.key = set_up.begin(caller)


def _finish(caller: Caller, world: World) -> object:
    return set_up.finish(caller, Phone(world.key).code(world.clock()), "New app", end_others=True)


def _new_file() -> Path:
    return runtime().settings.instance / f"{new_token()}.tar"


def _copy_database(caller: Caller) -> object:
    file = runtime().settings.instance / f"{new_token()}.sqlite3"
    return database_copy.copy(caller, f"sqlite:///{file}", copy_target.nobody_listens)


def _have_mail() -> None:
    """From now on there is a mail server, which nothing is sent to."""
    runtime().settings = replace(runtime().settings, mail_url="smtp://127.0.0.1:1")


def _take_requests() -> None:
    with transaction() as session:
        session.execute(update(Portal).values(sign_up=SignUp.APPROVAL))


def _ask(caller: Caller, _world: World) -> None:
    _take_requests()
    access_requests.ask(caller, "other", "Please")


def _add_request(caller: Caller) -> None:
    """A stranger's, to the portal of the cast."""
    with transaction() as session:
        here = session.query(Portal).filter_by(slug=PORTAL).one().id
        session.add(AccessRequest(portal_id=here, email="new@example.org", name="New", made_at=caller.now))


def _invite(email: str, slug: str = PORTAL) -> Callable[[Caller, World], None]:
    """Somebody has been invited; the token of the link is the world's key."""

    def before(_caller: Caller, world: World) -> None:
        made = invitations.invite(on_the_command_line(world.clock), slug, [email], MemberRole.READER)
        assert isinstance(made, list)
        world.key = made[0].token or ""

    return before


def _fail_a_mail(caller: Caller, world: World) -> None:
    """A mail to somebody, which could not be sent so often that the next try is hours away."""
    with transaction() as session:
        notices.tell(session, caller, MailKind.CODES_REPLACED, world.somebody.id)
    mail = outbox.claim(caller)
    assert mail is not None
    for _ in range(6):
        outbox.failed(caller, mail.id, "no answer", for_good=False)


TREES = described("Trees of the city")


def _add_trees(world: World) -> None:
    add_dataset(world.clock, "Trees")


def _with_file(operation: Callable[..., object], caller: Caller, slug: str) -> object:
    sent = upload()
    with sent.file:
        return operation(caller, slug, TREES, sent)


OPERATIONS = {
    "accepting.accept": Operation(
        "reader",
        True,
        lambda caller, world: accepting.accept(caller, world.key),
        before=_invite("reader@example.org", "other"),
    ),
    "access_security.change": Operation(
        "admin",
        True,
        lambda caller, _: access_security.change(
            caller, PORTAL, visibility=Visibility.PUBLIC, rule=MfaRule.EVERYONE, apply_now=False
        ),
    ),
    "accounts.create": Operation(
        "operator", True, lambda caller, _: accounts.create(caller, Newcomer("new@example.org", "New"))
    ),
    "accounts.rename": Operation("reader", False, lambda caller, _: accounts.rename(caller, "Another name")),
    "accounts.suspend": Operation(
        "operator", True, lambda caller, world: accounts.suspend(caller, world.somebody.id, "left")
    ),
    "accounts.restore": Operation(
        "operator", True, lambda caller, world: accounts.restore(caller, world.suspended.id)
    ),
    "accounts.end_logins": Operation(
        "operator", True, lambda caller, world: accounts.end_logins(caller, world.somebody.id)
    ),
    "accounts.change_operator": Operation(
        "operator", True, lambda caller, world: accounts.change_operator(caller, world.somebody.id, operator=True)
    ),
    "accounts.unlock": Operation("operator", True, lambda caller, world: accounts.unlock(caller, world.somebody.id)),
    "database_copy.copy": Operation("operator", True, lambda caller, _: _copy_database(caller)),
    "backups.make": Operation("operator", True, lambda caller, _: backups.make(caller, _new_file(), None)),
    "cleansing.after_restore": Operation(
        "operator",
        True,
        lambda caller, _: cleansing.after_restore(caller, "2026-03-01T00:00:00+00:00", void_recovery_codes=True),
    ),
    "key_rotation.begin": Operation("operator", True, lambda caller, _: key_rotation.begin(caller)),
    "key_rotation.finish": Operation(
        "operator", True, lambda caller, _: key_rotation.finish(caller, key_rotation.Progress(0, 0, 0))
    ),
    "authenticators.rename": Operation(
        "reader", False, lambda caller, world: authenticators.rename(caller, world.app_id, "Another name")
    ),
    "authenticators.delete_app": Operation(
        "reader", True, lambda caller, world: authenticators.delete_app(caller, world.app_id, end_others=True)
    ),
    "authenticators.reset": Operation(
        "operator",
        True,
        lambda caller, world: authenticators.reset(caller, world.somebody.id, "lost", new_password_too=True),
    ),
    "invitations.invite": Operation(
        "admin",
        True,
        lambda caller, _: invitations.invite(caller, PORTAL, ["new@example.org"], MemberRole.READER),
    ),
    "invitations.again": Operation(
        "admin", True, lambda caller, _: invitations.again(caller, PORTAL, 1), before=_invite("new@example.org")
    ),
    "invitations.revoke": Operation(
        "admin", True, lambda caller, _: invitations.revoke(caller, PORTAL, 1), before=_invite("new@example.org")
    ),
    "email_changes.ask": Operation(
        "reader",
        True,
        lambda caller, _: email_changes.ask(caller, "new@example.org"),
        before=lambda _caller, _world: _have_mail(),
    ),
    "hand_offs.make": Operation(
        "reader", False, lambda caller, _: hand_offs.make(caller, "data.example.org", b"x" * 32)
    ),
    "leaving.leave": Operation("reader", True, lambda caller, _: leaving.leave(caller, PORTAL)),
    "leaving.delete_account": Operation("reader", True, lambda caller, _: leaving.delete_account(caller)),
    "login_list.end": Operation("reader", True, lambda caller, _: login_list.end(caller, caller.login_id or 0)),
    "login_list.end_others": Operation("reader", True, lambda caller, _: login_list.end_others(caller)),
    "logins.enter_code": Operation(
        "reader", False, lambda caller, world: logins.enter_code(caller, world.code), half=True
    ),
    "logins.confirm_by_code": Operation(
        "reader", False, lambda caller, world: logins.confirm_by_code(caller, world.code)
    ),
    "logins.confirm_by_password": Operation(
        "editor", False, lambda caller, world: logins.confirm_by_password(caller, world.people.editor.password)
    ),
    "datasets.add": Operation("editor", False, lambda caller, _: _with_file(datasets.add, caller, PORTAL)),
    "datasets.change": Operation(
        "editor",
        False,
        lambda caller, _: datasets.change(caller, PORTAL, "trees", 1, TREES, None),
        before=lambda _, world: _add_trees(world),
    ),
    "datasets.delete": Operation(
        "editor",
        False,
        lambda caller, _: datasets.delete(caller, PORTAL, "trees"),
        before=lambda _, world: _add_trees(world),
    ),
    "members.change_role": Operation(
        "admin", True, lambda caller, world: members.change_role(caller, PORTAL, world.somebody.id, MemberRole.ADMIN)
    ),
    "members.remove": Operation(
        "admin", True, lambda caller, world: members.remove(caller, PORTAL, world.somebody.id)
    ),
    "members.add": Operation(
        "operator", True, lambda caller, world: members.add(caller, PORTAL, world.somebody.id, MemberRole.EDITOR)
    ),
    "one_time_links.make_reset_link": Operation(
        "operator", True, lambda caller, world: one_time_links.make_reset_link(caller, world.somebody.id)
    ),
    "password_changes.change": Operation(
        "reader",
        True,
        lambda caller, world: password_changes.change(caller, world.people.reader.password, "nine kettles, one lid"),
    ),
    "portals.create": Operation(
        "operator", True, lambda caller, _: portals.create(caller, "Second", "second-portal")
    ),
    "portals.rename": Operation(
        "operator", True, lambda caller, _: portals.rename(caller, PORTAL, "Town data", "town-data")
    ),
    "portals.delete": Operation("operator", True, lambda caller, _: portals.delete(caller, PORTAL)),
    "events_export.export": Operation(
        "admin", True, lambda caller, _: events_export.export(caller, PORTAL, EventsQuery(), Format.CSV)
    ),
    "outbox.try_again": Operation(
        "operator",
        True,
        lambda caller, _: outbox.try_again(caller, None),
        before=_fail_a_mail,
    ),
    "people_export.export": Operation(
        "admin", True, lambda caller, _: people_export.export(caller, PORTAL, MembersQuery())
    ),
    "access_requests.ask": Operation(
        "reader",
        False,
        lambda caller, _: access_requests.ask(caller, "other", "Please"),
        before=lambda _caller, _world: _take_requests(),
    ),
    "access_requests.withdraw": Operation(
        "reader", False, lambda caller, _: access_requests.withdraw(caller, "other"), before=_ask
    ),
    "request_decisions.decide": Operation(
        "admin",
        True,
        lambda caller, _: request_decisions.decide(caller, PORTAL, [1], Verdict(Decision.ACCEPT)),
        before=lambda caller, _world: _add_request(caller),
    ),
    "sign_up.change": Operation(
        "admin",
        True,
        lambda caller, _: sign_up.change(
            caller, PORTAL, policy=SignUp.APPROVAL, message_required=True, contact="Kim"
        ),
    ),
    "recovery_codes.enter": Operation(
        "reader", False, lambda caller, world: recovery_codes.enter(caller, world.recovery_code), half=True
    ),
    "recovery_codes.confirm": Operation(
        "reader", False, lambda caller, world: recovery_codes.confirm(caller, world.recovery_code)
    ),
    "recovery_codes.save": Operation("reader", True, lambda caller, _: recovery_codes.save(caller, None)),
    "recovery_codes.replace": Operation("reader", True, lambda caller, _: recovery_codes.replace(caller)),
    "set_up.begin": Operation("reader", True, lambda caller, _: set_up.begin(caller)),
    "set_up.leave": Operation("reader", False, lambda caller, _: set_up.leave(caller), before=_begin),
    "set_up.finish": Operation("reader", True, _finish, before=_begin),
}
