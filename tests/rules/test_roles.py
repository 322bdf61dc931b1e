from itertools import product

import pytest

from mfaportal.rules.roles import MemberRole, Role, has_back_office, role_in_portal


@pytest.mark.parametrize(
    ("member", "private", "public"),
    [
        (None, Role.NONE, Role.VISITOR),
        ("", Role.NONE, Role.VISITOR),
        ("reader", Role.READER, Role.READER),
        ("editor", Role.EDITOR, Role.EDITOR),
        ("admin", Role.ADMIN, Role.ADMIN),
        ("operator", Role.NONE, Role.VISITOR),
        ("Admin", Role.NONE, Role.VISITOR),
        ("admin ", Role.NONE, Role.VISITOR),
        ("owner", Role.NONE, Role.VISITOR),
    ],
)
def test_a_membership_gives_its_role_and_one_that_cannot_be_read_gives_nothing(
    member: str | None, private: Role, public: Role
) -> None:
    assert role_in_portal(operator=False, member=member, public=False) is private
    assert role_in_portal(operator=False, member=member, public=True) is public


@pytest.mark.parametrize(("member", "public"), list(product([None, "reader", "admin", "owner"], [True, False])))
def test_an_operator_is_one_in_every_portal(member: str | None, public: bool) -> None:
    assert role_in_portal(operator=True, member=member, public=public) is Role.OPERATOR


def test_each_role_includes_all_before_it() -> None:
    assert list(Role) == sorted(Role)
    assert [role.name for role in Role] == ["NONE", "VISITOR", "READER", "EDITOR", "ADMIN", "OPERATOR"]


def test_editors_admins_and_operators_have_the_back_office() -> None:
    assert [role for role in Role if has_back_office(role)] == [Role.EDITOR, Role.ADMIN, Role.OPERATOR]


def test_a_membership_says_one_of_three_roles() -> None:
    assert [role.value for role in MemberRole] == ["reader", "editor", "admin"]
