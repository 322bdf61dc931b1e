"""Roles: what somebody is in a portal, in ascending order, each including all before it."""

from enum import IntEnum, StrEnum
from functools import cache


class MemberRole(StrEnum):
    """What a membership says."""

    READER = "reader"
    EDITOR = "editor"
    ADMIN = "admin"


class Role(IntEnum):
    """What an account, or a stranger, counts as in one portal."""

    NONE = 0
    VISITOR = 1
    """Anybody at all, where the portal is public."""
    READER = 2
    EDITOR = 3
    ADMIN = 4
    OPERATOR = 5


_BY_MEMBERSHIP = {"reader": Role.READER, "editor": Role.EDITOR, "admin": Role.ADMIN}


def role_in_portal(*, operator: bool, member: str | None, public: bool) -> Role:
    """The role from the facts; a membership that cannot be read gives nothing."""
    if operator:
        return Role.OPERATOR
    return _BY_MEMBERSHIP.get(member or "", Role.VISITOR if public else Role.NONE)


def is_member(role: Role) -> bool:
    """Whether somebody of this role sees what is for members only."""
    return role >= Role.READER


def has_back_office(role: Role) -> bool:
    """Whether somebody of this role works in the back office."""
    return role >= Role.EDITOR


@cache
def groups_of(role: Role) -> str:
    """Every role that this one includes, the highest first, as other programs read them: `admin,editor,reader`."""
    return ",".join(held.name.lower() for held in sorted(Role, reverse=True) if Role.READER <= held <= role)
