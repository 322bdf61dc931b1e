"""Three machines over one PostgreSQL server: one dies and one loses the database while people log in.

Nothing of a login, a throttle, a mail or a rule lives in a process: so no login is lost, no code is taken twice,
every mail arrives, and what one machine changes all of them know at once.
"""

import signal
import time
from collections import Counter

import pytest
from sqlalchemy import func, select

from mfaportal.domain import notices
from mfaportal.models import Login, Mail, MailKind
from mfaportal.plumbing.db import transaction
from tests import datasets
from tests.faults.crowd import Crowd, Seen, again, log_in
from tests.faults.length import either
from tests.hosts.conftest import Hosts
from tests.people import Person, on_the_command_line
from tests.plugins.figures import Figure
from tests.races import of_codes, of_limits
from tests.races.arena import Browser

pytestmark = [
    pytest.mark.postgresql_only("several machines share a server"),
    pytest.mark.needs("ip", "initdb", "nginx"),
]

PEOPLE = either(24, 90)
LOGIN_EVERY = 0.6
READERS = 6
MAILS = 30
DIES, IS_CUT_OFF, COMES_BACK = 2.0, 5.0, 13.0
TROUBLE_SECONDS = 7.0
"""After a machine died or was cut off: within these the others must have taken over for good."""
ROUNDS = either(1, 10)
SUBJECT = "Three machines"


def test_one_dies_and_one_loses_the_database_while_people_log_in(hosts: Hosts, figure: Figure) -> None:
    arena = hosts.arena
    people = [arena.person(apps=1) for _ in range(PEOPLE)]
    inside = [arena.logins(arena.person(apps=1), 1)[0] for _ in range(READERS)]
    hosts.mails.seconds = 0.1
    seen = _while_it_happens(hosts, people, inside)
    failed = [each for each in seen if each.status == 0 or each.status >= 500]
    late = [each for each in failed if not _is_forgiven(each.at)]
    done = {each.name.split()[0] for each in seen if each.name.endswith(" page") and each.status == 200}
    done -= {each.name.split()[0] for each in failed}
    lost = [person for number, person in enumerate(people) if f"p{number}" in done and not _is_inside(hosts, person)]
    lost_readers = [browser for browser in inside if not _reads_everywhere(hosts, browser)]
    missing = _missing_mails(hosts)
    figure(
        SUBJECT,
        log_ins=len(done),
        logins_lost=len(lost) + len(lost_readers),
        requests=len(seen),
        answers_that_failed=len(failed),
        too_late=len(late),
        mails=len(hosts.mails.received),
        mails_lost=len(missing),
    )
    assert not late, Counter((each.name.partition(" ")[2], each.status, round(each.at)) for each in late)
    assert not lost
    assert not lost_readers
    assert not missing
    assert len(done) > PEOPLE // 2


def test_what_one_knows_all_know(hosts: Hosts, figure: Figure) -> None:
    """Codes, limits, the end of a login and the files of datasets, whichever machine is asked."""
    arena = hosts.arena
    wrong = [fault for race in _RACES for _ in range(ROUNDS) if (fault := race(arena))]
    stale = sum(_ends_everywhere(hosts) for _ in range(ROUNDS))
    content = b"name,height\n" + b"elm,12\n" * 50_000
    datasets.add(arena.clock(), "Trees", content)
    (browser,) = arena.logins(arena.person(apps=1), 1)
    asked = arena.fire([browser.get("/portals/city-data/datasets/trees/file")] * 9)
    bad = [answer.status for answer in asked if answer.body.encode() != content]
    figure(SUBJECT, rounds_of_races=ROUNDS * len(_RACES), went_wrong=len(wrong), old_answers=stale)
    assert not wrong
    assert not stale
    assert not bad
    arena.verdict()


_RACES = (
    of_codes.one_code_at_log_in,
    of_codes.one_code_everywhere,
    of_codes.one_reset_link,
    of_limits.wrong_codes_at_log_in,
    of_limits.wrong_passwords,
)


def _while_it_happens(hosts: Hosts, people: list[Person], inside: list[Browser]) -> list[Seen]:
    seconds = PEOPLE * LOGIN_EVERY
    scripts = [
        log_in(f"p{number}", number * LOGIN_EVERY, person, f"10.9.{number}.1") for number, person in enumerate(people)
    ]
    scripts += [
        again(f"reader {number}", browser, "/account", seconds=seconds, every=0.5)
        for number, browser in enumerate(inside)
    ]
    first, second, _third = hosts.machines
    began = time.monotonic()
    crowd = Crowd(hosts.arena.server.port, scripts)
    _write_mails(hosts, people[0])

    def wait_for(at: float) -> None:
        time.sleep(max(0.0, began + at - time.monotonic()))

    wait_for(DIES)
    first.server.stop(signal.SIGKILL)
    _write_mails(hosts, people[0])
    wait_for(IS_CUT_OFF)
    second.cut_off()
    _write_mails(hosts, people[0])
    wait_for(COMES_BACK)
    second.reconnect()
    first.server.start(workers=2)
    return crowd.result()


def _write_mails(hosts: Hosts, person: Person) -> None:
    """More than leave until the next thing happens: whoever sends is in the middle of it."""
    with transaction() as session:
        for _ in range(MAILS):
            notices.tell(session, on_the_command_line(hosts.arena.clock()), MailKind.CODES_REPLACED, person.id)


def _ends_everywhere(hosts: Hosts) -> int:
    """How often a login is believed in after it was ended."""
    (browser,) = hosts.arena.logins(hosts.arena.person(apps=1), 1)
    assert _reads_everywhere(hosts, browser)
    assert hosts.arena.fire([browser.post("/log-out")])[0].status == 303
    return sum(answer.status == 200 for answer in hosts.arena.fire([browser.get("/account")] * 9))


def _is_forgiven(at: float) -> bool:
    return any(when <= at <= when + TROUBLE_SECONDS for when in (DIES, IS_CUT_OFF))


def _is_inside(hosts: Hosts, person: Person) -> bool:
    whole = select(func.count()).where(
        Login.account_id == person.id, Login.second_factor_at.is_not(None), Login.ended_at.is_(None)
    )
    return hosts.arena.rows(whole)[0] == 1


def _reads_everywhere(hosts: Hosts, browser: Browser) -> bool:
    """Nine requests in turn meet each machine three times."""
    return {answer.status for answer in hosts.arena.fire([browser.get("/account")] * 9)} == {200}


def _missing_mails(hosts: Hosts) -> set[str]:
    """What was written and never came, though the sender had twenty seconds more."""
    until = time.monotonic() + 20
    while True:
        written = set(hosts.arena.rows(select(Mail.message_id)))
        missing = written - {str(mail["Message-ID"]) for mail in hosts.mails.received}
        if not missing or time.monotonic() > until:
            return missing
        time.sleep(0.2)
