"""The races prove that they would see the flaws: run against portals that have them, they fail."""

import pytest

from tests.races import (
    of_changes,
    of_codes,
    of_hand_offs,
    of_invitations,
    of_last_ones,
    of_limits,
    of_passwords,
    of_recovery,
    of_requests,
)
from tests.races.arena import Arena, Race, broken


@pytest.mark.parametrize(
    "race",
    [
        of_codes.one_code_at_log_in,
        of_codes.one_code_at_step_up,
        of_codes.one_code_everywhere,
        of_codes.first_set_up,
        of_codes.first_set_up_by_choice,
        of_codes.one_pending_key,
        of_codes.one_reset_link,
        of_hand_offs.one_hand_off,
        of_limits.wrong_codes_at_log_in,
        of_limits.wrong_codes_at_step_up,
        of_limits.wrong_codes_at_set_up,
        of_limits.the_last_place_for_an_app,
        of_limits.wrong_passwords,
        of_last_ones.last_app,
        of_last_ones.operators_step_down,
        of_last_ones.operators_demote_each_other,
        of_last_ones.operators_suspend_each_other,
        of_last_ones.log_out_and_pages,
        of_passwords.changed_by_many,
        of_passwords.one_address_confirmed,
        of_changes.suspended_while_coming_in,
        of_changes.new_password_while_coming_in,
        of_changes.rule_applied_while_coming_in,
        of_changes.renamed_while_deleted,
        of_recovery.one_recovery_code,
        of_recovery.ten_recovery_codes,
        of_recovery.wrong_recovery_codes,
        of_recovery.replaced_while_used,
        of_recovery.replaced_while_deleted,
        of_requests.accepted_by_many,
        of_requests.accepted_and_declined,
        of_requests.one_account_asks,
        of_invitations.one_invitation_of_an_account,
        of_invitations.admins_leave,
        of_invitations.admin_leaves_and_is_left,
        of_invitations.admins_delete_their_accounts,
        of_last_ones.the_last_two_portals,
    ],
)
def test_a_portal_that_looks_before_it_writes_loses_the_race(naive_arena: Arena, race: Race) -> None:
    broken(naive_arena, race)


def test_transactions_that_begin_by_reading_are_seen_to_fail(deferred_arena: Arena) -> None:
    broken(deferred_arena, of_limits.wrong_codes_at_step_up)
    assert deferred_arena.statuses.get(503), deferred_arena.statuses
    assert deferred_arena.times_locked
    with pytest.raises(AssertionError, match="503"):
        deferred_arena.verdict()
