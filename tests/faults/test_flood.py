"""The flood of D11: fifty people, each with a wrong password as fast as it goes. Whoever is inside hardly notices.

Each try comes from another address and names another account, so that no throttle ends it: the places alone hold.
"""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from mfaportal.models import Throttle
from mfaportal.models.throttle import unpacked
from mfaportal.rules.throttling import Kind
from tests.faults.crowd import Crowd, Script, again, log_in, of, percentile
from tests.faults.length import either
from tests.faults.lives import with_apps
from tests.faults.loads import Memory, gateway, guarded_host, memory, serving
from tests.people import Person
from tests.plugins.figures import Figure
from tests.races.arena import UNCOVERED, Arena
from tests.visitor import Visitor

CLIENTS = 50
SECONDS = either(2.0, 30.0)
SOON = either(5000.0, 500.0)
"""Milliseconds that 99 of 100 pages take at most; more where other tests want the cores, too."""
MIB = 1024.0
OWNERS = either(3, 20)
SUBJECT = "D11 flood of wrong passwords"
REST = 2.0
"""Seconds after which the memory of hashes is given back."""


@pytest.fixture
def place(instance: Path, tmp_path: Path, owasp_hashes: None) -> Iterator[Arena]:
    with serving(instance, tmp_path) as made:
        yield made


def _flood(place: Arena, address: str = "10.200.{n}") -> list[Script]:
    made = []
    for number, browser in enumerate(place.browsers(CLIENTS)):
        script = again(
            "flood", browser, "/log-in", seconds=SECONDS, email="guess-{n}@example.org", password="wrong horse"
        )
        script.headers["X-Forwarded-For"] = f"2001:db8:{number:x}:{{n}}::1" if "{n}" in address else address
        made.append(script)
    return made


def _known_browser(place: Arena) -> tuple[Person, dict[str, str]]:
    """Somebody who needs no app, and what their browser keeps of a log-in."""
    person = place.person("reader", portal=UNCOVERED)
    visitor = Visitor(place.server)
    assert visitor.give_password(person).status == 303
    visitor.get("/account").post("/log-out")
    return person, visitor.cookies


def test_a_flood_of_wrong_passwords_leaves_pages_memory_and_everybody_else_alone(
    place: Arena, figure: Figure
) -> None:
    _from_everywhere(place, figure)
    _from_one_network(place, figure)


def _from_everywhere(place: Arena, figure: Figure) -> None:
    guarded_host(place)
    inside = place.logins(with_apps(place, 1)[0], 2)
    known = [_known_browser(place) for _ in range(OWNERS)]
    before = memory(place.server)
    scripts = _flood(place)
    scripts += [again("page", inside[0], "/account", seconds=SECONDS, every=0.05)]
    scripts += [gateway("gateway", place, inside[1], seconds=SECONDS, every=0.05)]
    for number, (person, cookies) in enumerate(known, 1):
        at = SECONDS * number / (OWNERS + 1)
        scripts.append(log_in("owner", at, person, f"203.0.113.{number}", **cookies))
    seen = Crowd(place.server.port, scripts).result()
    during = memory(place.server)
    time.sleep(REST)
    after = memory(place.server)
    tries, pages = of(seen, "flood"), of(seen, "page", "gateway")
    statuses = Counter(each.status for each in tries)
    owners = Counter(each.status for each in of(seen, "owner password"))
    figure(
        SUBJECT,
        tries=len(tries),
        judged=statuses[422],
        turned_away=statuses[503],
        most_ms_of_a_page_p50=round(percentile(pages, 0.5)),
        most_ms_of_a_page_p99=round(percentile(pages, 0.99)),
        most_MiB_before=round(before.now),
        most_MiB=round(during.most),
        most_MiB_after=round(after.now),
        owners_kept_out=OWNERS - owners[303],
    )
    _nothing_but(statuses, pages_ok=Counter(each.status for each in pages))
    assert {each.retry_after for each in tries if each.status == 503} == {"5"}
    assert statuses[422] == _counted(place), "who was turned away was not counted, and everybody else was"
    assert owners == {303: OWNERS}
    assert percentile(pages, 0.99) < SOON
    _modest(before, during, after)


def _nothing_but(statuses: Counter[int], pages_ok: Counter[int]) -> None:
    assert set(statuses) == {422, 503}, statuses
    assert set(pages_ok) == {200}, pages_ok


def _modest(before: Memory, during: Memory, after: Memory) -> None:
    assert during.most < MIB
    assert after.now < before.now + 2 * 38, "a second after the last hash, its memory is everybody's again"


def _counted(place: Arena) -> int:
    rows = place.rows(select(Throttle).where(Throttle.kind == Kind.PASSWORD_FROM_ADDRESS))
    return sum(len(unpacked(row.attempts, row.in_a_row).attempts) for row in rows)


def _from_one_network(place: Arena, figure: Figure) -> None:
    """It keeps out nobody else, not even at a browser that the portal has never seen."""
    people = [with_apps(place, 1)[0] for _ in range(OWNERS)]
    scripts = _flood(place, address="198.51.100.7")
    scripts += [
        log_in("stranger", SECONDS * number / (OWNERS + 1), person, f"203.0.113.{number}")
        for number, person in enumerate(people, 1)
    ]
    seen = Crowd(place.server.port, scripts).result()
    strangers = [each for each in seen if each.name.startswith("stranger ")]
    failed = [each for each in strangers if each.status >= 500 or each.status == 0]
    figure(SUBJECT, tries=len(of(seen, "flood")), strangers_kept_out=len(failed))
    assert Counter(each.status for each in of(seen, "stranger page")) == {200: OWNERS}, strangers
    assert set(Counter(each.status for each in of(seen, "flood"))) <= {422, 429, 503}
