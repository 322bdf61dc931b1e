"""D12: 200,000 mixed requests, with workers that give way to new ones: memory and tables stay as they are."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from mfaportal.domain import upkeep
from mfaportal.domain.caller import the_portal_itself
from mfaportal.models import Login, LoginPass, Throttle
from mfaportal.plumbing.runtime import runtime
from tests.faults.crowd import Crowd, Script, Seen, again, log_in, percentile
from tests.faults.length import FULL, either
from tests.faults.lives import with_apps
from tests.faults.loads import gateway, guarded_host, memory, serving
from tests.people import PORTAL
from tests.plugins.figures import Figure
from tests.races.arena import Arena

REQUESTS = either(700, 200_000)
RECYCLE_AFTER = either(120, 5_000)
SECONDS = either(3.0, 360.0)
LOG_INS_A_SECOND = either(2, 8)
PEOPLE = int(min(SECONDS, 35) * LOG_INS_A_SECOND)
"""Nobody comes back before their app shows another code."""
BACK_OFFICE = f"/portals/{PORTAL}/backoffice"
PAGES = (
    "/",
    "/account",
    "/account/security/methods",
    f"/portals/{PORTAL}/",
    f"{BACK_OFFICE}/access/users?q=person",
    f"{BACK_OFFICE}/access/security",
    "/nothing-here",
)
GROWTH = either(1.5, 1.2)
LONG_AFTER = timedelta(days=90)


@pytest.fixture
def place(instance: Path, tmp_path: Path, owasp_hashes: None) -> Iterator[Arena]:
    with serving(instance, tmp_path, recycle_after=RECYCLE_AFTER) as made:
        guarded_host(made)
        yield made


def _mixed(place: Arena) -> list[Script]:
    """Pages, the gateway and wrong passwords, each as fast as it goes; people who log in, in their own time."""
    inside = place.logins(with_apps(place, 1, "admin")[0], len(PAGES) + 1)
    people = [with_apps(place, 1)[0] for _ in range(PEOPLE)]
    log_ins = int(SECONDS * LOG_INS_A_SECOND)
    each = (REQUESTS - 5 * log_ins) // (len(PAGES) + 2) + 1
    scripts = [again(path, browser, path, times=each) for path, browser in zip(PAGES, inside, strict=False)]
    scripts.append(gateway("gateway", place, inside[-1], times=2 * each))
    for number in range(log_ins):
        address = f"10.{number >> 8 & 255}.{number & 255}.1"
        scripts.append(log_in("person", number / LOG_INS_A_SECOND, people[number % PEOPLE], address))
    (stranger,) = place.browsers(1)
    wrong = again("wrong", stranger, "/log-in", seconds=SECONDS, every=1, email="{n}@example.org", password="wrong")
    wrong.headers["X-Forwarded-For"] = "2001:db8:{n}::1"
    return [*scripts, wrong]


def _watched(place: Arena, scripts: list[Script]) -> tuple[list[Seen], list[float], int]:
    """What was answered, the memory every so often, and how many workers there were."""
    crowd, sizes, workers = Crowd(place.server.port, scripts), [], set()
    while crowd.is_there:
        try:
            sizes.append(memory(place.server).now)
        except FileNotFoundError:
            continue  # a worker was giving way
        workers.update(place.server.workers)
        time.sleep(either(0.1, 1.0))
    return crowd.result(), sizes, len(workers)


def test_a_long_day_leaves_memory_tables_and_times_as_they_were(place: Arena, figure: Figure) -> None:
    seen, sizes, workers = _watched(place, _mixed(place))
    tenth = max(1, len(sizes) // 10)
    early, late = (sorted(part)[len(part) // 2] for part in (sizes[tenth : 3 * tenth], sizes[-2 * tenth :]))
    seen.sort(key=lambda each: each.at)
    part = len(seen) // 8
    first, last = percentile(seen[:part], 0.95), percentile(seen[-2 * part : -part], 0.95)
    failed = [each for each in seen if each.status >= 500 or each.status == 0]
    left = _left_long_after(place)
    figure(
        "D12 soak",
        requests=len(seen),
        workers=workers,
        failed=len(failed),
        most_MiB_early=round(early),
        most_MiB_late=round(late),
        most_MiB_ever=round(max(sizes)),
        most_ms_p95_first=round(first, 1),
        most_ms_p95_last=round(last, 1),
        rows_left=sum(left.values()),
    )
    assert not failed, failed[:5]
    assert len(seen) >= REQUESTS
    assert workers > 4, "workers give way"
    assert late < GROWTH * early
    assert not any(left.values()), left
    if FULL:
        assert last < 1.2 * first + 5
    assert "Traceback" not in place.server.log


def _left_long_after(place: Arena) -> dict[str, int]:
    """What is still in the tables of things that end, once their time is over and upkeep was there."""
    later = place.now() + LONG_AFTER
    runtime().clock = lambda: later
    report = upkeep.run(replace(the_portal_itself(), now=later))
    assert not report.failed
    return {
        table.__tablename__: place.rows(select(func.count()).select_from(table))[0]
        for table in (Login, LoginPass, Throttle)
    }
