"""`doctor` looks at nginx and Caddy from the outside: it names each mistake, and finds none in what is shipped."""

import socket
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from mfaportal.domain import outside_look
from mfaportal.models import Portal
from mfaportal.plumbing.db import transaction
from tests.proxies.certificates import Certificates
from tests.proxies.conftest import DATA, FILES, SOCKET, Guarded
from tests.proxies.walks.mistakes import MISTAKES, wrong_front

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def every_name_is_this_machine(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _name, *rest, **more: look_up("127.0.0.1", *rest, **more))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))


def _found(guarded: Guarded) -> dict[str, Any]:
    urls = {guarded.front.url(host): host for host in (DATA, FILES, SOCKET)}
    return {urls[address]: trouble for address, trouble in outside_look.look()}


def test_doctor_has_nothing_to_say_of_what_is_shipped(guarded: Guarded) -> None:
    well = dict.fromkeys((DATA, FILES, SOCKET))
    assert _found(guarded) == well
    with transaction() as session:
        session.execute(update(Portal).values(visibility="public"))
    assert _found(guarded) == well


def test_doctor_names_each_mistake_and_no_other(guarded: Guarded, tmp_path: Path) -> None:
    said, expected = {}, {}
    for number, (what, mistake) in enumerate(MISTAKES.items()):
        wrong = wrong_front(guarded.front, tmp_path / f"etc-{number}", FILES, mistake)
        try:
            wrong.start()
            said[what] = dict(outside_look.look())[wrong.url(FILES)]
        finally:
            wrong.stop()
        expected[what] = mistake.doctor.format(root=wrong.url(FILES), port=wrong.site.port)
    assert said == expected
