"""Whose turn it is to have a password hashed: how many at once, who waits, who does not; never in a transaction."""

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread

import pytest
from flask import Flask

from mfaportal.models import Account
from mfaportal.plumbing import passwords
from mfaportal.plumbing.db import reading, transaction
from mfaportal.plumbing.hash_slots import Busy, HashSlots
from mfaportal.plumbing.machine import Plan, our_cores, our_memory, plan
from tests.source import MODULES

GIB = 1 << 30
SOON = 10.0


class Hall:
    """People before the places, each in a thread and a request of their own; who is inside stays until let out."""

    def __init__(self, app: Flask, plan: Plan) -> None:
        self.slots = HashSlots(plan)
        self.inside: list[str] = []
        self.turned_away: list[str] = []
        self._app = app
        self._out: dict[str, Event] = {}
        self._threads: list[Thread] = []

    def come(self, name: str, source: str = "", *, known: bool = False, in_request: bool = True) -> None:
        """Returns when they are inside, in the queue or turned away."""
        before = self._known()
        self._out[name] = Event()
        context = self._app.test_request_context if in_request else self._app.app_context
        self._threads.append(Thread(target=self._enter, args=(name, source, known, context)))
        self._threads[-1].start()
        self.until(lambda: self._known() > before)

    def _known(self) -> int:
        return len(self.inside) + len(self.turned_away) + len(self.slots._queue)

    def _enter(self, name: str, source: str, known: bool, context: Callable[[], object]) -> None:
        try:
            with context(), self.slots.place(source, known=known):  # type: ignore[attr-defined]
                self.inside.append(name)
                assert self._out[name].wait(SOON)
        except Busy:
            self.turned_away.append(name)

    def let_out(self, name: str) -> None:
        self._out[name].set()

    @staticmethod
    def until(what: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SOON
        while not what():
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def close(self) -> None:
        for out in self._out.values():
            out.set()
        for thread in self._threads:
            thread.join(SOON)


@pytest.fixture
def hall(app: Flask) -> Iterator[Callable[[Plan], Hall]]:
    made: list[Hall] = []

    def make(plan: Plan) -> Hall:
        made.append(Hall(app, plan))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_so_many_are_inside_the_next_wait_in_their_order_and_the_rest_is_turned_away(
    hall: Callable[[Plan], Hall],
) -> None:
    place = hall(Plan(at_once=2, waiting=3, patience=SOON))
    for name in "abcdef":
        place.come(name)
    assert (place.inside, place.turned_away) == (["a", "b"], ["f"])
    for leaves, enters in zip("bac", "cde", strict=True):
        place.let_out(leaves)
        place.until(lambda: place.inside[-1] == enters)  # noqa: B023  # waited for before the next
    assert place.inside == list("abcde")
    place.close()
    assert (place.slots._free, place.slots._queue) == (2, [])


def test_who_waits_too_long_is_turned_away_but_on_the_command_line_one_waits(hall: Callable[[Plan], Hall]) -> None:
    place = hall(Plan(at_once=1, waiting=3, patience=0.05))
    place.come("first")
    place.come("command", in_request=False)
    place.come("page")
    place.until(lambda: place.turned_away == ["page"])
    place.let_out("first")
    place.until(lambda: place.inside == ["first", "command"])


def test_a_full_queue_gives_up_the_latest_of_whoever_has_most_in_it(hall: Callable[[Plan], Hall]) -> None:
    place = hall(Plan(at_once=1, waiting=3, patience=SOON))
    place.come("inside", "flood")
    for number in range(5):
        place.come(f"flood {number}", "flood")
    assert place.turned_away == ["flood 3", "flood 4"]
    place.come("somebody", "elsewhere")
    place.until(lambda: place.turned_away[2:] == ["flood 2"])
    place.come("another", "a third network")
    place.until(lambda: place.turned_away[3:] == ["flood 1"])
    place.come("one more", "a fourth network")
    assert place.turned_away[4:] == ["one more"], "nobody has more than one by now"


def test_sources_take_turns_whoever_has_most_in_the_queue(hall: Callable[[Plan], Hall]) -> None:
    place = hall(Plan(at_once=1, waiting=9, patience=SOON))
    for number in range(4):
        place.come(f"flood {number}", "flood")
    place.come("somebody", "elsewhere")
    place.come("owner", "account 1", known=True)
    place.come("owner again", "account 1", known=True)
    order = ["flood 0", "owner", "somebody", "flood 1", "owner again", "flood 2", "flood 3"]
    for leaves, enters in pairwise(order):
        place.let_out(leaves)
        place.until(lambda: place.inside[-1] == enters)  # noqa: B023  # waited for before the next
    assert place.inside == order


def test_who_has_shown_who_they_are_is_let_in_before_strangers_but_not_more_than_once(
    hall: Callable[[Plan], Hall],
) -> None:
    place = hall(Plan(at_once=1, waiting=3, patience=SOON))
    for number in range(4):
        place.come(f"stranger {number}", f"network {number}")
    place.come("owner", "account 1", known=True)
    place.until(lambda: place.turned_away == ["stranger 3"])
    place.come("owner again", "account 1", known=True)
    assert place.turned_away[1:] == ["owner again"]
    place.come("stranger 4", "network 4")
    assert place.turned_away[2:] == ["stranger 4"]


def test_a_password_is_never_hashed_inside_a_transaction(app: Flask) -> None:
    """Who waits for a place would hold the lock that whoever has a place waits for."""
    digest = passwords.hash_password("nine kettles")
    for block in (transaction, reading):
        with app.app_context(), block() as session:
            session.get(Account, 1)
            for work in (
                lambda: passwords.hash_password("nine kettles"),
                lambda: passwords.verify_password("nine kettles", digest),
                lambda: passwords.place().__enter__(),
            ):
                with pytest.raises(RuntimeError, match="inside a transaction"):
                    work()


def test_the_rule_holds_for_whoever_has_a_place_already(app: Flask) -> None:
    with app.app_context(), passwords.place(), transaction() as session:
        session.get(Account, 1)
        with pytest.raises(RuntimeError, match="inside a transaction"):
            passwords.hash_password("nine kettles")


def test_one_module_alone_hashes_passwords() -> None:
    """So there is no way around the places."""
    assert {path.name for path in MODULES if "argon2" in path.read_text()} == {"passwords.py"}


@pytest.mark.parametrize(
    ("workers", "cores", "memory", "at_once"),
    [
        (2, 2, 24 * GIB, 2),
        (4, 2, 24 * GIB, 2),
        (1, 4, 8 * GIB, 5),
        (2, 0.5, 2 * GIB, 2),
        (2, 2, GIB // 2, 1),
        (2, 2, GIB // 8, 1),
        (2, 64, 256 * GIB, 16),
        (64, 64, 256 * GIB, 2),
    ],
)
def test_a_worker_has_a_place_for_its_share_of_the_cores_and_one_more_as_far_as_memory_goes(
    workers: int, cores: float, memory: int, at_once: int
) -> None:
    made = plan(workers, cores, memory)
    assert (made.at_once, made.waiting, made.patience) == (at_once, 24, 5.0)
    assert made.threads == at_once + 24 + 8, "eight threads are left, whoever waits"


def test_limits_of_a_container_count_its_own_and_those_around_it(tmp_path: Path) -> None:
    top = tmp_path / "sys/fs/cgroup"
    own = top / "service/portal"
    own.mkdir(parents=True)
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("12:cpu:/elsewhere\n0::/service/portal\n")
    assert our_cores(tmp_path) >= 1
    (own / "cpu.max").write_text("max 100000\n")
    (own / "memory.max").write_text("268435456\n")
    (own.parent / "cpu.max").write_text("50000 100000\n")
    (own.parent / "memory.max").write_text("max\n")
    (top / "memory.max").write_text("not a number")
    assert (our_cores(tmp_path), our_memory(tmp_path)) == (0.5, 268435456)
    (tmp_path / "proc/self/cgroup").write_text("0::/\n")
    (top / "memory.max").write_text("1048576\n")
    assert our_memory(tmp_path) == 1048576, "in a container the files stand at the top"
