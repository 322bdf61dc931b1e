"""Who may open what: each endpoint declares an audience, and this one function answers for all of them."""

from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from .roles import Role
from .stages import Stage


class Audience(Enum):
    """Whom an endpoint is for (design.md §3)."""

    PUBLIC = "public"
    GUESTS = "guests"
    SETTING_UP = "setting up"
    ENTERING_CODE = "entering a code"
    HALF_LOGGED_IN = "half logged in"
    ACCOUNT = "account"
    FRONT_OFFICE = "front office"
    BACK_OFFICE = "back office"
    ADMINS = "admins"
    OPERATORS = "operators"
    GATEWAY = "gateway"
    """A trusted reverse proxy, which asks about somebody else."""


class Destination(Enum):
    """Where somebody is sent instead."""

    LOG_IN = "log in"
    CODE = "code"
    SET_UP = "set up"
    CONFIRM = "confirm"
    HOME = "home"


@dataclass(frozen=True, slots=True)
class Pass:
    """They may."""


@dataclass(frozen=True, slots=True)
class SendTo:
    """Not yet: first there."""

    destination: Destination


@dataclass(frozen=True, slots=True)
class Refuse:
    """No, and no form to fill in would change it. `outsider`: they have no place in this portal at all."""

    outsider: bool = False


Decision = Pass | SendTo | Refuse

_PAGE_OF_STAGE = {
    Stage.ANONYMOUS: Destination.LOG_IN,
    Stage.CODE: Destination.CODE,
    Stage.SET_UP: Destination.SET_UP,
    Stage.COMPLETE: Destination.HOME,
}
_ROLE_NEEDED = {
    Audience.ACCOUNT: Role.NONE,
    Audience.FRONT_OFFICE: Role.VISITOR,
    Audience.BACK_OFFICE: Role.EDITOR,
    Audience.ADMINS: Role.ADMIN,
    Audience.OPERATORS: Role.OPERATOR,
}


def decide(audience: Audience, stage: Stage, role: Role, fresh: bool = True) -> Decision:
    """Whether somebody at `stage`, who counts as `role` in the URL's portal, may open an endpoint for `audience`.

    `fresh`: the endpoint asks for no step-up, or there was one lately enough.
    """
    home = SendTo(_PAGE_OF_STAGE[stage])
    match audience:
        case Audience.PUBLIC | Audience.GATEWAY:
            return Pass()
        case Audience.GUESTS:
            return Pass() if stage is Stage.ANONYMOUS else home
        case Audience.SETTING_UP:
            return Pass() if stage is Stage.SET_UP else home
        case Audience.ENTERING_CODE:
            return Pass() if stage is Stage.CODE else home
        case Audience.HALF_LOGGED_IN:
            return Pass() if stage is not Stage.ANONYMOUS else home
        case Audience.FRONT_OFFICE if stage is Stage.ANONYMOUS and role is Role.VISITOR:
            return Pass()
        case Audience.ACCOUNT | Audience.FRONT_OFFICE | Audience.BACK_OFFICE | Audience.ADMINS | Audience.OPERATORS:
            if stage is not Stage.COMPLETE:
                return home
            if role < _ROLE_NEEDED[audience]:
                return Refuse(outsider=role < Role.READER)
            return Pass() if fresh else SendTo(Destination.CONFIRM)
        case _:
            assert_never(audience)
