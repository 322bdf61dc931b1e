"""The whole of `decide`, cell by cell: audience, stage and role."""

from itertools import product

import pytest

from mfaportal.rules.access import Audience, Destination, Pass, Refuse, SendTo, decide
from mfaportal.rules.roles import Role
from mfaportal.rules.stages import Stage

ROLES = [Role.NONE, Role.VISITOR, Role.READER, Role.EDITOR, Role.ADMIN, Role.OPERATOR]
ANSWERS = {
    "in": Pass(),
    "log-in": SendTo(Destination.LOG_IN),
    "code": SendTo(Destination.CODE),
    "set-up": SendTo(Destination.SET_UP),
    "home": SendTo(Destination.HOME),
    "no": Refuse(),
    "outside": Refuse(outsider=True),
}
# The columns are the roles: none, visitor, reader, editor, admin, operator. One word stands for all of them.
TABLE = {
    Audience.PUBLIC: {
        Stage.ANONYMOUS: "in",
        Stage.CODE: "in",
        Stage.SET_UP: "in",
        Stage.COMPLETE: "in",
    },
    Audience.GATEWAY: {
        Stage.ANONYMOUS: "in",
        Stage.CODE: "in",
        Stage.SET_UP: "in",
        Stage.COMPLETE: "in",
    },
    Audience.GUESTS: {
        Stage.ANONYMOUS: "in",
        Stage.CODE: "code",
        Stage.SET_UP: "set-up",
        Stage.COMPLETE: "home",
    },
    Audience.SETTING_UP: {
        Stage.ANONYMOUS: "log-in",
        Stage.CODE: "code",
        Stage.SET_UP: "in",
        Stage.COMPLETE: "home",
    },
    Audience.ENTERING_CODE: {
        Stage.ANONYMOUS: "log-in",
        Stage.CODE: "in",
        Stage.SET_UP: "set-up",
        Stage.COMPLETE: "home",
    },
    Audience.HALF_LOGGED_IN: {
        Stage.ANONYMOUS: "log-in",
        Stage.CODE: "in",
        Stage.SET_UP: "in",
        Stage.COMPLETE: "in",
    },
    Audience.ACCOUNT: {
        Stage.ANONYMOUS: "log-in",
        Stage.CODE: "code",
        Stage.SET_UP: "set-up",
        Stage.COMPLETE: "in",
    },
    Audience.FRONT_OFFICE: {
        Stage.ANONYMOUS: "log-in in log-in log-in log-in log-in",
        Stage.CODE: "code",
        Stage.SET_UP: "set-up",
        Stage.COMPLETE: "outside in in in in in",
    },
    Audience.BACK_OFFICE: {
        Stage.ANONYMOUS: "log-in",
        Stage.CODE: "code",
        Stage.SET_UP: "set-up",
        Stage.COMPLETE: "outside outside no in in in",
    },
    Audience.ADMINS: {
        Stage.ANONYMOUS: "log-in",
        Stage.CODE: "code",
        Stage.SET_UP: "set-up",
        Stage.COMPLETE: "outside outside no no in in",
    },
    Audience.OPERATORS: {
        Stage.ANONYMOUS: "log-in",
        Stage.CODE: "code",
        Stage.SET_UP: "set-up",
        Stage.COMPLETE: "outside outside no no no in",
    },
}
CELLS = [
    (audience, stage, role, (words.split() * len(ROLES))[column])
    for audience, row in TABLE.items()
    for stage, words in row.items()
    for column, role in enumerate(ROLES)
]


@pytest.mark.parametrize(("audience", "stage", "role", "answer"), CELLS)
def test_everybody_gets_the_answer_of_the_table(audience: Audience, stage: Stage, role: Role, answer: str) -> None:
    assert decide(audience, stage, role) == ANSWERS[answer]


def test_the_table_leaves_out_no_case() -> None:
    assert {cell[:3] for cell in CELLS} == set(product(Audience, Stage, Role))


def test_a_stale_step_up_sends_those_to_confirm_who_would_be_let_in_as_somebody() -> None:
    for audience, stage, role, answer in CELLS:
        for_anybody = audience in (Audience.PUBLIC, Audience.GATEWAY, Audience.HALF_LOGGED_IN)
        asks = answer == "in" and stage is Stage.COMPLETE and not for_anybody
        wanted = SendTo(Destination.CONFIRM) if asks else ANSWERS[answer]
        assert decide(audience, stage, role, fresh=False) == wanted, (audience, stage, role)


@pytest.mark.parametrize(("audience", "stage"), list(product(Audience, Stage)))
def test_a_higher_role_is_never_let_in_less(audience: Audience, stage: Stage) -> None:
    if stage is Stage.ANONYMOUS:
        return  # a stranger has no role but none or visitor
    let_in = [isinstance(decide(audience, stage, role), Pass) for role in ROLES]
    assert let_in == sorted(let_in)


@pytest.mark.parametrize(("audience", "role"), list(product(Audience, Role)))
def test_half_logged_in_is_never_let_in_more_than_anonymous_but_to_finish_or_leave(
    audience: Audience, role: Role
) -> None:
    for stage in (Stage.CODE, Stage.SET_UP):
        if isinstance(decide(audience, stage, role), Pass):
            assert audience in (
                Audience.PUBLIC,
                Audience.GATEWAY,  # which asks about somebody else
                Audience.HALF_LOGGED_IN,
                Audience.ENTERING_CODE if stage is Stage.CODE else Audience.SETTING_UP,
            )
