"""D1: the portal is killed while eight people use it, and started again. Nothing that anybody was told is lost."""

import os
import random
import signal
import threading
import time
from pathlib import Path

from sqlalchemy import delete

from mfaportal.models import Throttle
from mfaportal.plumbing.db import transaction
from tests.faults.desks import Admin, Editor, Operator
from tests.faults.length import either, in_ci
from tests.faults.lives import Dweller, Forgetful, Life, Newcomer
from tests.faults.place import back_again, standing, unsound
from tests.plugins.figures import Figure
from tests.races.arena import Arena

ROUNDS = in_ci(2, 20, 200)
WORKERS = either(2, 4)
LATEST = 0.5
"""Seconds that the kill may come later than the last of so many successes as there are people."""
PATIENCE = 30
START = either(15.0, 5.0)
"""Seconds until it answers again; the short form runs beside other tests."""
PEOPLE: tuple[type[Life], ...] = (Newcomer, Newcomer, Dweller, Dweller, Forgetful, Admin, Editor, Operator)
SUBJECT = "D1 kill loop"


def _live_until_killed(place: Arena, lives: list[Life], kill: bool, chance: random.Random) -> float:
    """Everybody lives; all processes are killed, or (`kill` is false) one worker; seconds until it answers again."""
    stop = threading.Event()
    threads = [threading.Thread(target=life.until, args=(stop,)) for life in lives]
    for thread in threads:
        thread.start()
    until = time.monotonic() + PATIENCE
    while sum(life.told for life in lives) < len(lives) and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(chance.uniform(0, LATEST))
    if kill:
        place.server.stop(signal.SIGKILL)
    else:
        os.kill(chance.choice(place.server.workers), signal.SIGKILL)
        time.sleep(0.3)  # the others go on meanwhile
    stop.set()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return back_again(place, workers=WORKERS) if kill else 0.0


def _taken_again(place: Arena, lives: list[Life]) -> int:
    """How many of the codes and links that were taken are taken a second time."""
    with transaction() as session:
        session.execute(delete(Throttle))
    again = [request() for life in lives for request in life.used]
    answers = [answer for start in range(0, len(again), 4) for answer in place.fire(again[start : start + 4])]
    return sum(answer.status not in (410, 422, 429) for answer in answers)


def test_a_portal_that_is_killed_loses_nothing_that_anybody_was_told(
    instance: Path, tmp_path: Path, owasp_hashes: None, figure: Figure
) -> None:
    chance = random.Random(int.from_bytes(os.urandom(4)))
    faults: list[str] = []
    told = taken = 0
    slowest = 0.0
    with standing(instance, tmp_path, workers=WORKERS) as place:
        for number in range(ROUNDS):
            lives = [kind(place) for kind in PEOPLE]
            slowest = max(slowest, _live_until_killed(place, lives, number % 2 == 0, chance))
            lost = [fault for life in lives for fault in life.wrong()]
            faults += [f"round {number}: {fault}" for fault in (*lost, *unsound(place))]
            faults += [bad for life in lives for bad in life.bad]
            taken += _taken_again(place, lives)
            told += sum(life.told for life in lives)
        locked = place.times_locked
    figure(
        SUBJECT,
        rounds_killed=ROUNDS,
        successes_heard_of=told,
        rows_lost=len(faults),
        double_acceptances=taken,
        times_locked=locked,
        most_seconds_to_start=round(slowest, 1),
    )
    assert not faults, "\n".join(faults)
    assert (taken, locked) == (0, 0)
    assert told >= ROUNDS * len(PEOPLE), "they did too little for a round to mean anything"
    assert slowest < START
