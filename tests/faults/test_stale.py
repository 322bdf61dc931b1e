"""D8: four workers, one truth. A request that begins after a change was answered sees it, whoever answers."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mfaportal.domain import one_time_links
from mfaportal.domain.outcomes import LinkMade
from tests.faults.length import either
from tests.faults.place import standing
from tests.people import PORTAL, give_app, on_the_command_line
from tests.plugins.figures import Figure
from tests.races.arena import UNCOVERED, Arena, Browser
from tests.races.volley import Answer

READS = 12
"""For each change: over fresh connections, three a worker."""
CHANGES = either(21, 840)
USERS = f"/portals/{PORTAL}/backoffice/access/users"
Change = Callable[["Town"], int]
"""Makes one change over HTTP, and reads; how many of the reads did not see it."""


class Town:
    """An operator who changes things, and a member whom they are about."""

    def __init__(self, place: Arena) -> None:
        self.place = place
        self.reads = 0
        self.desk = self._desk()
        self.member = place.person(apps=2)

    def _desk(self) -> Browser:
        boss = self.place.person(None, operator=True, apps=1)
        return self.place.logins(boss, 1)[0]

    def do(self, path: str, **fields: str) -> None:
        answer = self.place.fire([self.desk.post(path, **fields)])[0]
        assert answer.status == 303, f"{path}: {answer.status} {answer.body[-600:]}"

    def read(self, browser: Browser, path: str) -> list[Answer]:
        self.reads += READS
        return self.place.fire([browser.get(path)] * READS)


def _is_logged_out(answer: Answer) -> bool:
    return answer.status == 303 and answer.location.startswith("/log-in")


def role(town: Town) -> int:
    """Up to editor, and down again: the back office opens, and is closed."""
    browser = town.place.logins(town.member, 1)[0]
    stale = 0
    for new in ("editor", "reader"):
        town.do(f"{USERS}/{town.member.id}/role", role=new)
        browser = town.place.logins(town.member, 1)[0]
        answers = town.read(browser, f"/portals/{PORTAL}/backoffice/datasets")
        stale += sum((answer.status == 200) != (new == "editor") for answer in answers)
    return stale


def suspended(town: Town) -> int:
    browser = town.place.logins(town.member, 1)[0]
    assert {answer.status for answer in town.read(browser, "/account")} == {200}
    town.do(f"{USERS}/{town.member.id}/suspend", reason="away")
    stale = sum(not _is_logged_out(answer) for answer in town.read(browser, "/account"))
    town.do(f"{USERS}/{town.member.id}/restore")
    again = town.place.logins(town.member, 1)[0]
    return stale + sum(answer.status != 200 for answer in town.read(again, "/account"))


def rule(town: Town) -> int:
    """Raised and applied now, somebody without an app is sent to set up; dropped, the page is open again."""
    person = town.place.person("reader", portal=UNCOVERED)
    path = f"/portals/{UNCOVERED}/backoffice/access/security"
    browser, page, stale = town.place.logins(person, 1)[0], f"/portals/{UNCOVERED}/", 0
    for wanted in ("everyone", "off"):
        town.do(path, visibility="private", mfa_rule=wanted, apply_now="yes")
        expected = (303, "/log-in/set-up") if wanted == "everyone" else (200, "")
        stale += sum((answer.status, answer.location) != expected for answer in town.read(browser, page))
    return stale


def visibility(town: Town) -> int:
    stranger, stale = town.place.browser(), 0
    for wanted, open_ in (("public", True), ("private", False)):
        town.do(f"/portals/{UNCOVERED}/backoffice/access/security", visibility=wanted, mfa_rule="off")
        answers = town.read(stranger, f"/portals/{UNCOVERED}/")
        stale += sum((answer.status == 200) != open_ for answer in answers)
    return stale


def password(town: Town) -> int:
    """A new password by a link ends every login."""
    browser = town.place.logins(town.member, 1)[0]
    made = one_time_links.make_reset_link(on_the_command_line(town.place.clock()), town.member.id)
    assert isinstance(made, LinkMade)
    visitor = town.place.browser({"reset_token": made.token})
    answer = town.place.fire([visitor.post("/reset-password", password="marmalade lantern orbit")])[0]
    assert (answer.status, answer.location) == (303, "/log-in"), answer.body
    return sum(not _is_logged_out(answer) for answer in town.read(browser, "/account"))


def app(town: Town) -> int:
    """An app that was deleted is on no list, and its code no longer works anywhere."""
    phone = give_app(town.member, town.place.clock(), "Old phone")
    gone = town.place.apps(town.member)[-1]
    browser = town.place.logins(town.member, 1)[0]
    path = "/account/security/methods"
    assert all("Old phone" in answer.body for answer in town.read(browser, path))
    answer = town.place.fire([browser.post(f"{path}/{gone.id}/delete")])[0]
    assert answer.status == 303, answer.body
    stale = sum("Rename Old phone" in answer.body for answer in town.read(browser, path))
    half, code = town.place.half_logins(town.member, 4), phone.code(town.place.now())
    return stale + sum(
        each.status == 303 for each in town.place.fire([one.post("/log-in/code", code=code) for one in half])
    )


def log_out(town: Town) -> int:
    browser = town.place.logins(town.member, 1)[0]
    assert town.place.fire([browser.post("/log-out")])[0].status == 303
    return sum(not _is_logged_out(answer) for answer in town.read(browser, "/account"))


KINDS: tuple[Change, ...] = (role, suspended, rule, visibility, password, app, log_out)


@pytest.fixture
def town(instance: Path, tmp_path: Path, owasp_hashes: None) -> Iterator[Town]:
    with standing(instance, tmp_path) as place:
        yield Town(place)


def test_no_worker_answers_from_the_past(town: Town, figure: Figure) -> None:
    stale: list[str] = []
    for number in range(CHANGES):
        kind = KINDS[number % len(KINDS)]
        if number % 35 == 34:
            town.desk, town.member = town._desk(), town.place.person(apps=2)
        wrong = kind(town)
        stale += [f"{kind.__name__}: {wrong} of {READS}"] if wrong else []
    requests = sum(town.place.statuses.values())
    figure("D8 stale reads", changes=CHANGES, requests=requests, reads=town.reads, stale=len(stale))
    assert town.reads > either(400, 10_000)
    town.place.verdict()
    assert not stale, stale
