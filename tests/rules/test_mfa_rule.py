from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfaportal.rules.mfa_rule import BEGINNING, MfaRule, RuleInForce, changed
from mfaportal.rules.roles import Role

OLD = datetime(2026, 1, 10, tzinfo=UTC)
NEWER = datetime(2026, 2, 10, tzinfo=UTC)
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BACK_OFFICE = [Role.EDITOR, Role.ADMIN, Role.OPERATOR]
OTHERS = [Role.NONE, Role.VISITOR, Role.READER]
OFF = RuleInForce("off", None, None)


@pytest.mark.parametrize(
    ("rule", "of_back_office", "of_others"),
    [
        (OFF, None, None),
        (RuleInForce("off", OLD, NEWER), None, None),
        (RuleInForce("back_office", OLD, None), OLD, None),
        (RuleInForce("back_office", OLD, NEWER), OLD, None),
        (RuleInForce("back_office", None, None), BEGINNING, None),
        (RuleInForce("everyone", None, NEWER), NEWER, NEWER),
        (RuleInForce("everyone", OLD, NEWER), OLD, NEWER),
        (RuleInForce("everyone", NEWER, OLD), OLD, OLD),
        (RuleInForce("everyone", OLD, None), BEGINNING, BEGINNING),
        (RuleInForce("everyone", None, None), BEGINNING, BEGINNING),
        (RuleInForce("", OLD, NEWER), BEGINNING, BEGINNING),
        (RuleInForce("Off", None, None), BEGINNING, BEGINNING),
        (RuleInForce("off ", None, None), BEGINNING, BEGINNING),
        (RuleInForce("admins", OLD, NEWER), BEGINNING, BEGINNING),
    ],
)
def test_a_rule_covers_by_role_since_its_instant_and_one_that_cannot_be_read_covers_everyone(
    rule: RuleInForce, of_back_office: datetime | None, of_others: datetime | None
) -> None:
    assert [rule.covered_since(role) for role in BACK_OFFICE] == [of_back_office] * 3
    assert [rule.covered_since(role) for role in OTHERS] == [of_others] * 3
    assert [rule.covers(role) for role in BACK_OFFICE] == [of_back_office is not None] * 3
    assert [rule.covers(role) for role in OTHERS] == [of_others is not None] * 3


@pytest.mark.parametrize(
    ("current", "wanted", "becomes"),
    [
        (OFF, MfaRule.OFF, OFF),
        (OFF, MfaRule.BACK_OFFICE, RuleInForce("back_office", NOW, None)),
        (OFF, MfaRule.EVERYONE, RuleInForce("everyone", NOW, NOW)),
        (RuleInForce("back_office", OLD, None), MfaRule.BACK_OFFICE, RuleInForce("back_office", OLD, None)),
        (RuleInForce("back_office", OLD, None), MfaRule.EVERYONE, RuleInForce("everyone", OLD, NOW)),
        (RuleInForce("back_office", OLD, None), MfaRule.OFF, OFF),
        (RuleInForce("everyone", OLD, NEWER), MfaRule.EVERYONE, RuleInForce("everyone", OLD, NEWER)),
        (RuleInForce("everyone", OLD, NEWER), MfaRule.BACK_OFFICE, RuleInForce("back_office", OLD, None)),
        (RuleInForce("everyone", OLD, NEWER), MfaRule.OFF, OFF),
        (RuleInForce("everyone", BEGINNING, NEWER), MfaRule.EVERYONE, RuleInForce("everyone", BEGINNING, NEWER)),
        (RuleInForce("nonsense", NEWER, NEWER), MfaRule.EVERYONE, RuleInForce("everyone", BEGINNING, BEGINNING)),
        (RuleInForce("nonsense", NEWER, NEWER), MfaRule.OFF, OFF),
    ],
)
def test_a_change_keeps_the_instants_of_those_who_were_covered_before(
    current: RuleInForce, wanted: MfaRule, becomes: RuleInForce
) -> None:
    assert changed(current, wanted, NOW, apply_now=False) == becomes


@pytest.mark.parametrize(
    ("current", "wanted"),
    list(product([OFF, RuleInForce("back_office", OLD, None), RuleInForce("everyone", OLD, NEWER)], MfaRule)),
)
def test_apply_now_sets_the_instants_to_the_beginning_of_time(current: RuleInForce, wanted: MfaRule) -> None:
    becomes = {
        MfaRule.OFF: OFF,
        MfaRule.BACK_OFFICE: RuleInForce("back_office", BEGINNING, None),
        MfaRule.EVERYONE: RuleInForce("everyone", BEGINNING, BEGINNING),
    }
    assert changed(current, wanted, NOW, apply_now=True) == becomes[wanted]


instants = st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2026, 3, 1), timezones=st.just(UTC))  # noqa: DTZ001
texts = st.sampled_from([*MfaRule, "", "nonsense"])
rules = st.builds(RuleInForce, texts, instants, instants)


@given(rules, st.sampled_from(MfaRule), st.booleans(), st.sampled_from(Role))
def test_no_change_lets_anybody_off_whom_the_new_rule_still_covers(
    current: RuleInForce, wanted: MfaRule, apply_now: bool, role: Role
) -> None:
    before = current.covered_since(role)
    after = changed(current, wanted, NOW, apply_now=apply_now).covered_since(role)
    if before is not None and after is not None:
        assert after <= before


@given(rules, st.sampled_from(Role))
def test_choosing_what_is_in_force_moves_nobodys_instant(current: RuleInForce, role: Role) -> None:
    in_force = MfaRule(current.rule) if current.rule in list(MfaRule) else MfaRule.EVERYONE
    assert changed(current, in_force, NOW, apply_now=False).covered_since(role) == current.covered_since(role)


@given(rules, st.sampled_from(MfaRule), st.booleans(), st.sampled_from(Role))
def test_a_second_save_moves_nothing(current: RuleInForce, wanted: MfaRule, apply_now: bool, role: Role) -> None:
    once = changed(current, wanted, NOW, apply_now=apply_now)
    assert changed(once, wanted, NOW + timedelta(days=1), apply_now=False) == once


@given(rules, st.lists(st.tuples(st.sampled_from(MfaRule), st.booleans()), max_size=6))
def test_the_rule_that_was_chosen_last_decides_who_is_covered(
    current: RuleInForce, choices: list[tuple[MfaRule, bool]]
) -> None:
    for day, (wanted, apply_now) in enumerate(choices):
        current = changed(current, wanted, NOW + timedelta(days=day), apply_now=apply_now)
        assert current.rule == wanted
        assert current.covers(Role.EDITOR) is (wanted is not MfaRule.OFF)
        assert current.covers(Role.READER) is (wanted is MfaRule.EVERYONE)
        if wanted is MfaRule.OFF:
            assert current == OFF
