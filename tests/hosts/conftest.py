"""The machines, with a portal that has people in it, and a mail server in the middle."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mfaportal import create_app
from mfaportal.plumbing.db import db
from mfaportal.rules.mfa_rule import MfaRule
from tests import cluster, kept_connections
from tests.clock import MovableClock
from tests.cluster import Cluster
from tests.contents_on_server import leave_all
from tests.hosts.machines import DATABASE, MIDDLE, NETWORK, Machine, machines, network
from tests.mail_server import MailServer, mail_server
from tests.people import seed, set_rule
from tests.races.arena import Arena
from tests.server import Server, free_port


@dataclass
class Hosts:
    """`arena` speaks to nginx; `mails` is what came to the mail server."""

    machines: list[Machine]
    arena: Arena
    mails: MailServer


@pytest.fixture
def hosts(tmp_path: Path, owasp_hashes: None) -> Iterator[Hosts]:
    if os.geteuid() != 0:
        pytest.skip("only root makes network namespaces")
    port = free_port()
    with network(), mail_server(host=MIDDLE) as mails:
        server = Cluster(port=port, network=(DATABASE, NETWORK)).make()
        try:
            with cluster.connect(server.folder, port=port) as connection:
                connection.execute(f"CREATE DATABASE portal OWNER {cluster.OWNER} TEMPLATE template0")
            url = cluster.url(server.folder, "portal", port=port).replace("127.0.0.1", DATABASE)
            settings = {"MFAPORTAL_INSTANCE": str(tmp_path / "instance"), "MFAPORTAL_DATABASE_URL": url}
            settings["MFAPORTAL_MAIL_URL"] = mails.url
            yield from _hosts(tmp_path, settings, mails)
        finally:
            leave_all()
            kept_connections.forget()
            server.remove()


def _hosts(folder: Path, settings: dict[str, str], mails: MailServer) -> Iterator[Hosts]:
    with machines(folder, settings) as (made, port):
        front = Server(Path(settings["MFAPORTAL_INSTANCE"]), folder)
        front.port, front.url = port, f"http://127.0.0.1:{port}"
        app = create_app({**made[0].server.settings})
        with app.app_context():
            arena = Arena(front, app)
            clock = MovableClock(arena.now())
            seed(clock)
            set_rule(MfaRule.EVERYONE, clock, apply_now=True)
            yield Hosts(made, arena, mails)
            db.engine.dispose()
