"""A portal served as it is in production, for tests of load: what is asked of it, and how much memory it takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from mfaportal.models import GuardedAddress, Portal
from mfaportal.plumbing.db import transaction
from mfaportal.rules.cookie_names import on_guarded_host
from tests.faults.crowd import Script
from tests.faults.place import standing
from tests.people import PORTAL
from tests.proxies import passes
from tests.races.arena import Arena, Browser
from tests.server import Server

HOST = "data.example.org"
_KB = 1024


@contextmanager
def serving(instance: Path, scratch: Path, *, workers: int = 2, recycle_after: int = 0) -> Iterator[Arena]:
    """As many connections and threads as the portal itself wants."""
    with standing(instance, scratch, workers=0) as place:
        place.server.environment.clear()
        place.server.recycle_after = recycle_after
        place.server.start(workers=workers)
        yield place


def guarded_host(place: Arena) -> None:
    """A host that the portal guards."""
    with transaction() as session:
        portal_id = session.scalars(select(Portal.id).where(Portal.slug == PORTAL)).one()
        session.add(GuardedAddress(portal_id=portal_id, scheme="https", host=HOST, prefix=""))


def gateway(
    name: str, place: Arena, browser: Browser, *, seconds: float = 0.0, every: float = 0.0, times: int = 0
) -> Script:
    """What nginx asks about a member's browser that has a pass for the guarded host."""
    with transaction() as session:
        token = passes.of_login(session, browser.login_id, HOST, place.now())
    headers = {
        "Cookie": f"{on_guarded_host('pass', 'https', HOST)}={token}",
        "X-Forwarded-Method": "GET",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": HOST,
        "X-Forwarded-Uri": "/trees?year=2026",
        "X-Forwarded-For": browser.address,
    }
    return Script("again", name, 0.0, seconds, every, times, path="/gateway/nginx", headers=headers)


@dataclass(frozen=True)
class Memory:
    """MiB of all processes of a server together: now, and at most so far (of those that live)."""

    now: float
    most: float


def memory(server: Server) -> Memory:
    pids = [server.pid, *server.workers]
    return Memory(sum(_status(pid, "VmRSS") for pid in pids), sum(_status(pid, "VmHWM") for pid in pids))


def _status(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / _KB
    return 0.0
