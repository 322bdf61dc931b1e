"""D3: no space for files, no further files, no right to write, no log. Who must write gets a 503; reading goes on.

Limits of running processes are moved from outside, so nothing is restarted when things get better.
"""

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest
from sqlalchemy import delete, event

from mfaportal.models import Throttle
from mfaportal.plumbing.db import db, transaction
from mfaportal.rules.cookie_names import on_guarded_host
from tests.browser_client import Browser
from tests.databases import on_postgresql
from tests.faults.length import either
from tests.faults.lives import with_apps
from tests.faults.loads import HOST, guarded_host
from tests.faults.place import standing, unsound, visitor_of
from tests.input.scenes import Scene
from tests.people import PORTAL
from tests.plugins.figures import Figure
from tests.proxies import passes
from tests.races import arena
from tests.races.arena import Arena
from tests.races.volley import Request
from tests.visitor import Visitor

BACK = 5.0
"""Seconds within which all is as before once there is space again."""
SUBJECT = "D3 disk full, read-only, no files, no log"
READING = ("/account", "/account/security", f"/portals/{PORTAL}/", "/healthz")
WORKERS = 2


@contextmanager
def limited(place: Arena, kind: int, limit: int) -> Iterator[None]:
    """All workers may have no more than that, and afterwards as much as before.

    One that cannot take up a connection for lack of files ends, by gunicorn's own rule, and another takes its place.
    """
    workers = place.server.workers
    before = [resource.prlimit(worker, kind) for worker in workers]
    for worker, (_soft, hard) in zip(workers, before, strict=True):
        resource.prlimit(worker, kind, (limit, hard))
    try:
        yield
    finally:
        for worker, limits in zip(workers, before, strict=True):
            with suppress(ProcessLookupError):
                resource.prlimit(worker, kind, limits)
    assert kind == resource.RLIMIT_NOFILE or place.server.workers == workers, "a worker died of it"


class Watch:
    """Somebody inside, and somebody who tries to get in, at any time."""

    def __init__(self, place: Arena) -> None:
        self.place = place
        self.person, _ = with_apps(place, 1, "editor")
        self.inside: arena.Browser = place.logins(self.person, 1)[0]
        self.asked = 0
        guarded_host(place)
        with transaction() as session:
            self._pass = passes.of_login(session, self.inside.login_id, HOST, place.now())

    def read(self) -> list[int]:
        """The statuses of pages that only read; 0 where the line was cut."""
        self.asked += len(READING)
        return [self._status(self.inside.get(path)) for path in READING]

    def ask(self) -> tuple[list[int], list[int]]:
        """What the gateway says, by both ways, of the browser inside and of one without a pass."""
        ways = ("/gateway/nginx", "/gateway/forward")
        self.asked += 2 * len(ways)
        return [self._asked(way, self._pass) for way in ways], [self._asked(way, "x" * 43) for way in ways]

    def _asked(self, way: str, token: str) -> int:
        connection = HTTPConnection("127.0.0.1", self.place.server.port, timeout=30)
        headers = {
            "Cookie": f"{on_guarded_host('pass', 'https', HOST)}={token}",
            "X-Forwarded-Method": "GET",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": HOST,
            "X-Forwarded-Uri": "/trees",
            "X-Forwarded-For": self.inside.address,
        }
        try:
            connection.request("GET", way, headers=headers)
            return connection.getresponse().status
        except (OSError, HTTPException):
            return 0
        finally:
            connection.close()

    def _status(self, request: Request) -> int:
        try:
            return self.place.fire([request])[0].status
        except (OSError, HTTPException):
            return 0

    def enter(self) -> list[int]:
        """The statuses of a password, of a code, and of an upload: each has to write."""
        visitor = Visitor(self.place.server)
        try:
            visitor.get("/log-in")
            visitor.post("/log-in", email=self.person.email, password=self.person.password)
            statuses = [visitor.status]
        except (OSError, HTTPException):
            statuses = [0]
        visitor.close()
        with transaction() as session:
            session.execute(delete(Throttle))
        half = self.place.half_logins(self.person, 1)[0]
        assert self.person.phone is not None
        wrong = self.person.phone.wrong_code(self.place.now())
        self.asked += 2
        return [*statuses, self._status(half.post("/log-in/code", code=wrong))]

    def upload(self) -> int:
        visitor = visitor_of(self.place, self.inside)
        path = f"/portals/{PORTAL}/backoffice/datasets/new"
        visitor.get(path)
        visitor.upload(path, b"a,b\n" * 5000, title="Trees", description="", visibility="public")
        visitor.close()
        self.asked += 2
        return visitor.status

    def recovers(self) -> None:
        deadline = time.monotonic() + BACK
        while self.enter() != [303, 422]:
            assert time.monotonic() < deadline, self.place.server.log[-2000:]
            time.sleep(0.2)
        assert unsound(self.place) == []


@pytest.fixture
def watch(instance: Path, tmp_path: Path, owasp_hashes: None) -> Iterator[Watch]:
    with standing(instance, tmp_path, workers=WORKERS) as place:
        yield Watch(place)


def test_a_full_disk_and_a_lack_of_files_refuse_what_has_to_write_and_pass(watch: Watch, figure: Figure) -> None:
    """Half logins are written by the test itself, whose own processes have all that they need."""
    assert (watch.read(), watch.enter(), watch.upload()) == ([200] * 4, [303, 422], 303)
    assert watch.ask() == ([200, 200], [401, 302])
    with limited(watch.place, resource.RLIMIT_FSIZE, 1):
        full = (watch.read(), watch.enter(), watch.upload())
        gateway = [watch.ask()]
    watch.recovers()
    assert full == ([200] * 4, [303, 422] if on_postgresql() else [503, 503], 503), "PostgreSQL has a disk of its own"
    assert gateway == [([200, 200], [401, 302])], "it only reads"
    few = []
    for spare in (0, 1, 3):
        workers = watch.place.server.workers
        files = max(len(list(Path(f"/proc/{worker}/fd").iterdir())) for worker in workers)
        with limited(watch.place, resource.RLIMIT_NOFILE, files + spare):
            few += watch.read() + watch.enter()
            gateway.append(watch.ask())
        watch.recovers()
    let_in = sum(strangers.count(200) for _members, strangers in gateway)
    let_in += 0 if on_postgresql() else full[1].count(303)
    figure(SUBJECT, requests=watch.asked, let_in_by_mistake=let_in)
    assert set(few) <= {0, 200, 303, 422, 503}
    for members, strangers in gateway:
        assert (set(members) <= {0, 200, 503}, set(strangers) <= {0, 302, 401, 503}) == (True, True), gateway


@pytest.mark.sqlite_only("what it says of a file that nobody may write")
def test_a_database_that_may_only_be_read_is_read(scene: Scene, figure: Figure) -> None:
    """What SQLite says of a file that nobody may write, said on every connection."""
    people, browser = scene.seed(), scene.browser
    browser.log_in(people.editor)
    with scene.app.app_context():
        engine = db.engine
    event.listen(
        engine, "checkout", read_only := lambda connection, *_more: connection.execute("PRAGMA query_only = 1")
    )
    stranger = Browser(scene.app, scene.clock)
    statuses = [browser.get(path).status for path in READING]
    refused = [stranger.give_password(people.reader).status, browser.submit("/account", name="Another").status]
    scene.clock.advance(minutes=2)
    statuses += [browser.get("/account").status]  # the last use is not noted, and no page is worth less for it
    event.remove(engine, "checkout", read_only)
    engine.dispose()
    assert stranger.give_password(people.reader).status == 303
    figure(SUBJECT, requests=len(statuses) + 2, let_in_by_mistake=refused.count(303))
    assert (set(statuses), refused) == ({200}, [503, 503])


def _closed(place: Arena) -> None:
    place.server.before = ["sh", "-c", 'exec "$@" >&- 2>&-', "sh"]


def _full(place: Arena) -> None:
    place.server.before = ["sh", "-c", 'exec "$@" >/dev/full 2>&1', "sh"]


@pytest.mark.parametrize("log", either([_full], [_full, _closed]))
def test_a_log_that_takes_nothing_stops_nobody(
    instance: Path, tmp_path: Path, owasp_hashes: None, figure: Figure, log: Callable[[Arena], None]
) -> None:
    with standing(instance, tmp_path, workers=0) as place:
        log(place)
        place.server.start(workers=1)
        watch = Watch(place)
        for _ in range(2):
            assert (watch.read(), watch.enter()) == ([200] * 4, [303, 422])
    figure(SUBJECT, requests=watch.asked)
