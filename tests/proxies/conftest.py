"""Real proxies with what is shipped under deploy/, a real portal behind them, and applications that it guards.

`front` is nginx, then Caddy, one after the other on one port: so the addresses are the same, and so is the portal.
Everything is started once for the folder; `people` empties the portal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from mfaportal.models import BackOfficePath, GuardedAddress, Portal
from mfaportal.plumbing.db import transaction
from mfaportal.rules.cookie_names import on_guarded_host
from tests.browser import conftest as walks
from tests.browser.standing import Standing, standing_in
from tests.clock import MovableClock
from tests.people import PORTAL, Cast, Person, seed
from tests.proxies import passes
from tests.proxies.applications import Echo, Socket, datasette, echo, socket_echo
from tests.proxies.certificates import Certificates
from tests.proxies.deployed import PORTAL_HOST, Site
from tests.proxies.fronts import FRONTS, Front
from tests.server import Server, free_port

DATA = "data.example.test"
"""The guarded host in front of Datasette."""
FILES = "files.example.test"
"""The guarded host in front of the application that repeats what it is asked."""
SOCKET = "socket.example.test"
"""The guarded host in front of the WebSocket."""
BACK_OFFICE = ("/admin", "/-")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("tls") / "certificates", [DATA, FILES, SOCKET, PORTAL_HOST])


@pytest.fixture(scope="session")
def application() -> Iterator[Echo]:
    """What is behind `FILES`."""
    with echo() as running:
        yield running


@pytest.fixture(scope="session")
def web_socket() -> Iterator[Socket]:
    """What is behind `SOCKET`."""
    with socket_echo() as running:
        yield running


@pytest.fixture(scope="session")
def datasette_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """What is behind `DATA`."""
    with datasette(tmp_path_factory.mktemp("datasette")) as port:
        yield port


@pytest.fixture(scope="session")
def public_port() -> int:
    """Where both proxies listen, one after the other."""
    return free_port()


@pytest.fixture(scope="session")
def standing(blank_instance: Path, tmp_path_factory: pytest.TempPathFactory, public_port: int) -> Iterator[Standing]:
    with standing_in(
        blank_instance,
        tmp_path_factory.mktemp("standing"),
        MFAPORTAL_PUBLIC_URL=f"https://{PORTAL_HOST}:{public_port}",
        MFAPORTAL_TRUSTED_PROXIES="127.0.0.1",
    ) as standing:
        yield standing


@pytest.fixture(scope="session")
def site(
    standing: Standing,
    certificates: Certificates,
    application: Echo,
    web_socket: Socket,
    datasette_port: int,
    public_port: int,
) -> Site:
    applications = {DATA: datasette_port, FILES: application.port, SOCKET: web_socket.port}
    return Site(public_port, free_port(), standing.server.port, applications, certificates)


@pytest.fixture(scope="session", params=[pytest.param(name, marks=pytest.mark.needs(name)) for name in FRONTS])
def front(request: pytest.FixtureRequest, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """The proxy in front of everything."""
    running = FRONTS[request.param](tmp_path_factory.mktemp(request.param) / "etc", site)
    try:
        yield running.start()
    finally:
        running.stop()


# The portal behind the proxy with nobody in it, its clock, and the same installation in the test's own process.
portal_server, server_clock, clock, app = walks.portal_server, walks.server_clock, walks.clock, walks.app


@dataclass
class Guarded:
    """The cast, and their portal "City data", private, which guards every host of the site."""

    people: Cast
    front: Front
    clock: MovableClock

    def cookie(self, person: Person, host: str) -> str:
        """A `Cookie` with which somebody is let into a host: a login and its pass, made without a browser."""
        netloc = f"{host}:{self.front.site.port}"
        return f"{on_guarded_host('pass', 'https', netloc)}={passes.give(person, netloc, self.clock())}"


@pytest.fixture
def people(app: Flask, portal_server: Server, clock: MovableClock) -> Iterator[Cast]:
    """The cast, in the running portal's database; its helpers (`give_app`, `set_rule`) work until the test ends."""
    with app.app_context():
        yield seed(clock)


@pytest.fixture
def guarded(people: Cast, front: Front, clock: MovableClock) -> Guarded:
    with transaction() as session:
        portal_id = session.scalars(select(Portal.id).where(Portal.slug == PORTAL)).one()
        for host in front.site.applications:
            netloc = f"{host}:{front.site.port}"
            session.add(GuardedAddress(portal_id=portal_id, scheme="https", host=netloc, prefix=""))
        session.add_all(BackOfficePath(portal_id=portal_id, path=path) for path in BACK_OFFICE)
    return Guarded(people, front, clock)
