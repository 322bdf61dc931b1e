"""Every operation that takes a right: who has it, and how it is done."""

from collections.abc import Callable
from dataclasses import dataclass

from mfaportal.domain import (
    access_security,
    accounts,
    authenticators,
    logins,
    members,
    one_time_links,
    portals,
    set_up,
)
from mfaportal.domain.accounts import Newcomer
from mfaportal.domain.caller import Caller
from mfaportal.models import Visibility
from mfaportal.rules.mfa_rule import MfaRule
from mfaportal.rules.roles import MemberRole
from tests.clock import MovableClock
from tests.people import PORTAL, Cast, Person, apps_of
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


OPERATIONS = {
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
    "logins.enter_code": Operation(
        "reader", False, lambda caller, world: logins.enter_code(caller, world.code), half=True
    ),
    "logins.confirm_by_code": Operation(
        "reader", False, lambda caller, world: logins.confirm_by_code(caller, world.code)
    ),
    "logins.confirm_by_password": Operation(
        "editor", False, lambda caller, world: logins.confirm_by_password(caller, world.people.editor.password)
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
    "portals.create": Operation(
        "operator", True, lambda caller, _: portals.create(caller, "Second", "second-portal")
    ),
    "set_up.begin": Operation("reader", True, lambda caller, _: set_up.begin(caller)),
    "set_up.leave": Operation("reader", False, lambda caller, _: set_up.leave(caller), before=_begin),
    "set_up.finish": Operation("reader", True, _finish, before=_begin),
}
