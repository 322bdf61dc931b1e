"""Twenty requests in one instant, round after round, against four workers: all is taken as often as it should be.

That these rounds would show the flaws is what `test_power` proves.
"""

import re
from collections import Counter

import pytest

from tests.plugins.figures import Figure
from tests.races import (
    of_changes,
    of_codes,
    of_datasets,
    of_hand_offs,
    of_invitations,
    of_last_ones,
    of_limits,
    of_passwords,
    of_recovery,
    of_requests,
)
from tests.races.arena import PARALLEL, WORKERS, Arena, Race, hold


def test_each_worker_takes_its_share_of_the_requests(arena: Arena) -> None:
    """Otherwise the threads of one process would race, and take turns at its interpreter."""
    volleys = 5
    for _ in range(volleys):
        arena.fire([arena.browser().get("/volley")] * PARALLEL)
    workers = Counter(re.findall(r"worker (\S+): GET /volley", arena.server.log))
    assert len(workers) == WORKERS, workers
    assert min(workers.values()) >= volleys * PARALLEL / WORKERS / 2, workers


@pytest.mark.parametrize(
    "race",
    [
        of_codes.one_code_at_log_in,
        of_codes.one_code_at_step_up,
        of_codes.one_code_everywhere,
        of_codes.first_set_up,
        of_codes.first_set_up_by_choice,
        of_codes.one_reset_link,
        of_hand_offs.one_hand_off,
        of_limits.wrong_codes_at_log_in,
        of_limits.wrong_codes_at_step_up,
        of_limits.wrong_codes_at_set_up,
        of_limits.wrong_passwords,
        of_last_ones.last_app,
        of_last_ones.operators_demote_each_other,
        of_last_ones.operators_suspend_each_other,
        of_last_ones.operators_step_down,
        of_last_ones.log_out_and_pages,
        of_datasets.edits_of_one_version,
        of_changes.suspended_while_coming_in,
        of_changes.new_password_while_coming_in,
        of_changes.rule_applied_while_coming_in,
        of_changes.renamed_while_deleted,
        of_requests.accepted_by_many,
        of_requests.accepted_and_declined,
        of_requests.one_account_asks,
        of_passwords.changed_while_codes_are_entered,
        of_passwords.one_address_confirmed,
        of_recovery.one_recovery_code,
        of_recovery.ten_recovery_codes,
        of_recovery.wrong_recovery_codes,
        of_recovery.replaced_while_used,
        of_recovery.replaced_while_deleted,
        of_invitations.one_invitation_of_an_account,
        of_invitations.admins_leave,
        of_invitations.admin_leaves_and_is_left,
    ],
)
def test_a_race_ends_as_it_should(arena: Arena, race: Race, figure: Figure) -> None:
    hold(arena, race, figure)


@pytest.mark.parametrize(
    ("race", "rounds"),
    [
        (of_codes.one_pending_key, 5),
        (of_passwords.changed_by_many, 2),
        (of_datasets.files_that_come_while_they_go, 5),
        (of_limits.the_last_place_for_an_app, 3),
        (of_limits.right_passwords, 3),
        (of_limits.wrong_passwords_for_nobody, 2),
        (of_limits.wrong_codes_from_one_address, 3),
        (of_limits.wrong_passwords_from_everywhere, 1),
        (of_invitations.one_invitation_of_a_new_person, 3),
        (of_invitations.admins_delete_their_accounts, 5),
        (of_last_ones.first_operator, 2),
        (of_last_ones.the_last_two_portals, 3),
    ],
)
def test_so_does_a_longer_one_in_fewer_rounds(arena: Arena, race: Race, rounds: int, figure: Figure) -> None:
    hold(arena, race, figure, rounds)
