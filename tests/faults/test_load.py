"""D11: an ordinary day of a small portal, twenty people at nine o'clock sharp, and a busy guarded application.

In the short form the cores belong to other tests, too: nothing may fail, and times are figures.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from mfaportal.models import Login
from tests.faults.crowd import Crowd, Script, Seen, again, log_in, of, percentile
from tests.faults.length import FULL, either
from tests.faults.lives import with_apps
from tests.faults.loads import gateway, guarded_host, serving
from tests.people import PORTAL
from tests.plugins.figures import Figure
from tests.races.arena import Arena

DAY = either(2.0, 600.0)
LOG_INS = either(4, 200)
PAGES_A_MINUTE = either(60, 5)
GATEWAY = either(20, 50)
BURST = either(6, 20)
BUSY = either(1.0, 60.0)
BUSY_GATEWAY = either(60, 300)
ADMIN = f"/portals/{PORTAL}/backoffice/access/users"


@pytest.fixture
def place(instance: Path, tmp_path: Path, owasp_hashes: None) -> Iterator[Arena]:
    with serving(instance, tmp_path) as made:
        guarded_host(made)
        yield made


def _people(place: Arena, number: int, seconds: float) -> list[Script]:
    """They come one after the other, each at a browser of their own."""
    people = [with_apps(place, 1)[0] for _ in range(number)]
    return [
        log_in("person", seconds * come / number, person, f"10.{come >> 8}.{come & 255}.1")
        for come, person in enumerate(people)
    ]


def _failed(seen: list[Seen]) -> Counter[int]:
    return Counter(each.status for each in seen if each.status >= 500 or each.status == 0)


def _told(figure: Figure, subject: str, seen: list[Seen], **parts: tuple[str, float]) -> None:
    times = {f"most_ms_of_{name}": round(percentile(of(seen, what), part)) for name, (what, part) in parts.items()}
    figure(subject, requests=len(seen), failed=_failed(seen).total(), **times)


def test_nobody_is_refused_on_an_ordinary_day_nor_in_a_busy_moment(place: Arena, figure: Figure) -> None:
    _two_hundred_people_in_ten_minutes_and_a_guarded_application(place, figure)
    _twenty_people_in_one_second(place, figure)
    _a_busy_guarded_application_for_which_nothing_is_written(place, figure)


def _two_hundred_people_in_ten_minutes_and_a_guarded_application(place: Arena, figure: Figure) -> None:
    member, admin = place.logins(with_apps(place, 1)[0], 1)[0], place.logins(with_apps(place, 1, "admin")[0], 1)[0]
    scripts = _people(place, LOG_INS, DAY)
    scripts.append(again("admin", admin, ADMIN, seconds=DAY, every=60 / PAGES_A_MINUTE))
    scripts.append(gateway("gateway", place, member, seconds=DAY, every=1 / GATEWAY))
    seen = Crowd(place.server.port, scripts).result()
    _told(
        figure,
        "D11 ordinary day",
        seen,
        a_password_p95=("person password", 0.95),
        a_code_p95=("person code", 0.95),
        the_gateway_p50=("gateway", 0.5),
        the_gateway_p99=("gateway", 0.99),
    )
    assert not _failed(seen)
    assert Counter(each.status for each in of(seen, "person page")) == {200: LOG_INS}
    assert {each.status for each in of(seen, "gateway", "admin")} == {200}
    if FULL:
        assert percentile(of(seen, "person password"), 0.95) < 1000
        assert percentile(of(seen, "person code"), 0.95) < 200
        assert percentile(of(seen, "gateway"), 0.5) < 10
        assert percentile(of(seen, "gateway"), 0.99) < 100


def _twenty_people_in_one_second(place: Arena, figure: Figure) -> None:
    seen = Crowd(place.server.port, _people(place, BURST, 1.0)).result()
    passwords = {"a_password_p50": ("person password", 0.5), "a_password_p95": ("person password", 0.95)}
    _told(figure, "D11 burst of log-ins", seen, **passwords)
    assert not _failed(seen)
    assert Counter(each.status for each in of(seen, "person page")) == {200: BURST}
    if FULL:
        assert percentile(of(seen, "person password"), 0.95) < 3000


def _a_busy_guarded_application_for_which_nothing_is_written(place: Arena, figure: Figure) -> None:
    member = place.logins(with_apps(place, 1)[0], 1)[0]
    script = gateway("gateway", place, member, seconds=BUSY, every=1 / BUSY_GATEWAY)
    before = _written(place)
    seen = Crowd(place.server.port, [script]).result()
    _told(figure, "D11 busy gateway", seen, an_answer_p50=("gateway", 0.5), an_answer_p99=("gateway", 0.99))
    assert {each.status for each in seen} == {200}
    assert _written(place) == before or BUSY >= 60, "the login's last use is written once a minute"
    assert len(seen) >= BUSY * BUSY_GATEWAY - 1
    if FULL:
        assert percentile(seen, 0.5) < 10
        assert percentile(seen, 0.99) < 100


def _written(place: Arena) -> list[object]:
    return [login.last_seen_at for login in place.rows(select(Login))]
