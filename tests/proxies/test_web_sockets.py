"""WebSockets through the proxies: judged once, at the handshake. Nothing else may leave HTTP."""

import socket

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.proxies.applications import Echo, Socket
from tests.proxies.conftest import FILES, SOCKET, Guarded
from tests.proxies.fronts import Front

pytestmark = pytest.mark.slow
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def _opened(front: Front, cookie: str) -> ClientConnection:
    return connect(
        f"{front.url(SOCKET).replace('https', 'wss')}/chat",
        sock=socket.create_connection(("127.0.0.1", front.site.port), timeout=10),
        ssl=front.client,
        server_hostname=SOCKET,
        additional_headers={"Cookie": cookie, "Remote-User": "operator@example.org"},
        compression=None,
    )


def test_a_member_s_socket_repeats_what_it_is_told_and_knows_who_it_is(
    guarded: Guarded, front: Front, web_socket: Socket
) -> None:
    web_socket.opened.clear()
    with _opened(front, f"theme=dark; {guarded.cookie(guarded.people.reader, SOCKET)}") as connection:
        for message in ("ahoy", "x" * 100_000):
            connection.send(message)
            assert connection.recv(timeout=10) == message
    [seen] = web_socket.opened
    assert seen["remote-user"] == guarded.people.reader.email
    assert seen["cookie"].strip("; ") == "theme=dark"


def test_a_stranger_s_handshake_is_refused_and_the_application_hears_of_none(
    guarded: Guarded, front: Front, web_socket: Socket
) -> None:
    web_socket.opened.clear()
    stranger = front.get(SOCKET, "/chat", HANDSHAKE)
    assert (stranger.status, stranger.json) == (401, {"error": "log_in_required"})
    reader = guarded.cookie(guarded.people.reader, SOCKET)
    assert front.get(SOCKET, "/admin/chat", {**HANDSHAKE, "Cookie": reader}).status == 403
    assert not web_socket.opened


def test_an_upgrade_to_anything_else_does_not_reach_the_application(
    guarded: Guarded, front: Front, application: Echo
) -> None:
    """Through such a tunnel requests would go that nobody judges."""
    application.seen.clear()
    known = ("Cookie", guarded.cookie(guarded.people.reader, FILES))
    for to in ("h2c", "TLS/1.0", "h2c, websocket", "websocket, h2c"):
        asked = [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", to), ("HTTP2-Settings", "AAMAAABkAAQAAP__")]
        assert front.get(FILES, "/page", [known, *asked]).status == 200
        assert application.seen.pop().all("Upgrade") == [], to
    twice = [("Connection", "Upgrade"), ("Upgrade", "h2c"), ("Upgrade", "websocket")]
    assert front.get(FILES, "/page", [known, *twice]).status != 101
    assert not application.seen or "h2c" not in application.seen.pop().all("Upgrade")
