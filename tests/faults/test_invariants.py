"""Random days of four people: the invariants of security.md hold after every step, for as long as one likes."""

from collections.abc import Callable

from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.clock import MovableClock
from tests.faults.length import FULL, either
from tests.faults.machine import World
from tests.faults.outside import Strangers
from tests.guarded import DATA, TRUST, guard
from tests.input.database import Database
from tests.people import Cast
from tests.plugins.figures import Figure

RUNS, STEPS = either((6, 30), (500, 50))
LEAST, FURTHER = either((0, 0), (RUNS * STEPS, 50))
"""Hypothesis may end a run early, so that a failure can be made short: further runs make up for it."""
LONG_DAYS = settings(
    max_examples=RUNS,
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    derandomize=not FULL,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)


def world_of(make_app: Callable[..., Flask], clock: MovableClock, people: Cast, database: Database) -> World:
    """Two processes over one folder. The portal guards an address."""
    apps = [make_app(**TRUST), make_app(**TRUST)]
    guard(apps[0], DATA, back_office=("/admin",))
    database.remember()
    return World(apps, clock, people, database.restore)


def test_the_invariants_hold_on_random_days(
    make_app: Callable[..., Flask], clock: MovableClock, people: Cast, database: Database, figure: Figure
) -> None:
    world = world_of(make_app, clock, people, database)

    class Here(Strangers):
        pass

    Here.world = world
    try:
        run_state_machine_as_test(Here, settings=LONG_DAYS)
        while world.steps < LEAST:
            run_state_machine_as_test(Here, settings=settings(LONG_DAYS, max_examples=FURTHER))
    finally:
        figure(
            "Invariants on random days",
            runs=world.runs,
            steps=world.steps,
            requests=world.requests,
            codes_taken=world.codes_taken,
            most_wrong_codes_in_a_row=world.most_wrong_in_a_row,
            double_acceptances=world.accepted_twice,
        )
