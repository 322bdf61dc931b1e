"""Who plays the tricks, by which way, and what the application or the gateway must not have done then."""

import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import unquote

from flask import Flask

from mfaportal.models import Login, LoginPass
from mfaportal.plumbing.db import transaction
from mfaportal.plumbing.tokens import digest, new_token
from mfaportal.rules.cookie_names import on_guarded_host
from mfaportal.web import asking
from tests.cookies import serializer
from tests.people import Person
from tests.proxies.applications import Seen
from tests.proxies.tricks import Trick

BACK = ("admin", "-")
IDENTITY = ("remote-user", "remote-name", "remote-email", "remote-groups")
CHOSEN = (
    "x-original-url",
    "x-original-uri",
    "x-rewrite-url",
    "x-forwarded-uri",
    "x-forwarded-method",
    "x-script-name",
)
"""By these some frameworks find the path, or a part of it, in place of the request's own: no client may send them."""
_ODD = re.compile(r"[^a-z0-9]")
_SILENCE = 0.4
_PATIENCE = 2.0
_OURS = re.compile(r"(?:^|;)\s*(?:__Host-)?mfaportal", re.IGNORECASE)
Send = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Player:
    """Somebody, where they want to go, and what they may see: nothing, or the front office under `identity`."""

    name: str
    wants: str
    words: Mapping[str, str]
    identity: tuple[str, str, str, str] | None = None


def words(host: str, other: str, portal: str, held: Mapping[str, str], admin: Person) -> dict[str, str]:
    """What stands for the words in angle brackets. `held`: what the person's browsers got."""
    name, port = host.split(":")
    cookie = on_guarded_host("pass", "https", host)
    return {
        "<HOST>": host,
        "<HOST_IN_CAPITALS>": host.upper(),
        "<NAME_OF_HOST>": name,
        "<PORT>": port,
        "<OTHER>": other,
        "<PORTAL>": portal,
        "<NAME>": cookie,
        "<NAME_IN_CAPITALS>": cookie.upper(),
        "<HALF_A_PASS>": held["<PASS>"][:20],
        "<PASS_IN_CAPITALS>": held["<PASS>"].swapcase(),
        "<DIGEST>": digest(held["<PASS>"]).hex(),
        "<ADMIN>": admin.email,
        **held,
    }


def nothing_held() -> dict[str, str]:
    """What somebody makes up who never was here."""
    made_up = ("<PASS>", "<ELSEWHERE>", "<HALFWAY>", "<LOGIN>")
    return {**{word: new_token() for word in made_up}, "<SESSION_NAME>": "session", "<SESSION>": "session=x"}


def logged_in(
    app: Flask, person: Person, host: str, other: str, now: datetime, **facts: datetime | None
) -> dict[str, str]:
    """A login with passes of two hosts and a hand-off that nobody took; `facts` say how far it came."""
    since = now - timedelta(seconds=1)
    held = {word: new_token() for word in ("<PASS>", "<ELSEWHERE>", "<HALFWAY>", "<LOGIN>")}
    times = {"second_factor_at": since, "confirmed_at": since, **facts}
    with transaction() as session:
        login = Login(
            token_digest=digest(held["<LOGIN>"]), account_id=person.id, password_at=since, last_seen_at=now, **times
        )
        session.add(login)
        session.flush()
        for where, token in ((host, held["<PASS>"]), (other, held["<ELSEWHERE>"]), (host, None)):
            session.add(
                LoginPass(
                    login_id=login.id,
                    host=where,
                    hand_off_digest=digest(new_token() if token else held["<HALFWAY>"]),
                    browser_digest=digest(held["<HALFWAY>"]),
                    made_at=since,
                    taken_at=since if token else None,
                    token_digest=digest(token) if token else None,
                )
            )
    name = str(app.config["SESSION_COOKIE_NAME"])
    held["<SESSION_NAME>"], held["<SESSION>"] = (
        name,
        f"{name}={serializer(app).dumps({asking.TOKEN: held['<LOGIN>']})}",
    )
    return held


def play(
    tricks: Iterable[Trick], player: Player, send: Send, arrived: Callable[[], list[Seen]]
) -> Iterator[tuple[Trick, bytes, list[Seen]]]:
    """Each trick with what was answered and what came through to the application."""
    for trick in tricks:
        answered = send(trick.sent({"<WANTED>": player.wants, **player.words}))
        yield trick, answered, arrived()


def faults(player: Player, seen: Seen) -> Iterator[str]:
    """What is wrong with a request of this player that the application got."""
    if player.identity is None:
        yield "was let in"
    chosen = [name for name in CHOSEN if values_of(seen, name)]
    if chosen:
        yield f"chose {chosen}"
    if is_back_office(seen.path):
        yield "was let into the back office"
    for number, name in enumerate(IDENTITY):
        if values_of(seen, name) not in ([], [player.identity[number] if player.identity else ""]):
            yield f"is {values_of(seen, name)} as {name}"
    if any(_OURS.search(value) for value in values_of(seen, "cookie")):
        yield "showed our cookie to the application"
    for name, own in (("x-forwarded-host", player.words["<HOST>"]), ("x-forwarded-proto", "https")):
        if any(value.lower().replace(".:", ":") != own for value in values_of(seen, name)):
            yield f"chose {name}: {values_of(seen, name)}"


def values_of(seen: Seen, name: str) -> list[str]:
    """Every value under a name, as a program reads it that takes any odd sign in a name for any other."""
    return [value for key, value in seen.headers if _ODD.sub("-", key.lower().strip()) == name]


def is_back_office(path: str) -> bool:
    """Whether anybody at all may take the path for one of the back office."""
    text = re.sub(r"^[a-z]+://[^/]*", "", path, flags=re.IGNORECASE).partition("?")[0]
    for _ in range(12):
        found: list[str] = []
        for segment in re.split(r"[/\\]", text):
            plain = segment.partition(";")[0].partition("#")[0].partition("\0")[0].strip().casefold()
            if plain == "..":
                found = found[:-1]
            elif plain.rstrip("."):
                found.append(plain.rstrip("."))
        if found and (found[0] in BACK or found[0].partition(".")[0] in BACK):
            return True
        text = unquote(text)
    return False


class Wire:
    """Sends bytes as they are to one place, each time on a new connection, and reads until nothing more comes.

    `source`: from which address of this machine. TLS where there is a context: its sessions are taken up again.
    """

    def __init__(
        self, port: int, name: str, context: ssl.SSLContext | None = None, source: str = "127.0.0.1"
    ) -> None:
        self._port, self._name, self._context, self._source = port, name, context, source
        self._session: ssl.SSLSession | None = None

    def __call__(self, request: bytes) -> bytes:
        try:
            with self._connected() as connection:
                return self._exchanged(connection, request)
        except (ConnectionError, ssl.SSLError):
            return b""

    def _connected(self) -> socket.socket:
        plain = socket.create_connection(("127.0.0.1", self._port), timeout=20, source_address=(self._source, 0))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._context is None:
            return plain
        return self._context.wrap_socket(plain, server_hostname=self._name, session=self._session)

    def _exchanged(self, connection: socket.socket, request: bytes) -> bytes:
        connection.sendall(request)
        closes = b"connection: close\r\n" in request.lower() and b"\r\n\r\nGET" not in request
        answer, until = b"", time.monotonic() + _PATIENCE
        while closes or not _whole(answer):
            connection.settimeout(_PATIENCE if closes or not answer else _SILENCE)
            try:
                data = connection.recv(1 << 16)
            except (TimeoutError, ConnectionError, ssl.SSLError):
                break
            if not data or time.monotonic() > until:
                break
            answer += data
        if isinstance(connection, ssl.SSLSocket):
            self._session = connection.session
        return answer


def _whole(answer: bytes) -> bool:
    """Whether a whole answer has come, as far as a client may know that."""
    head, _, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *([0-9]+)", head, re.IGNORECASE)
    return len(body) >= int(length[1]) if length else answer.endswith(b"0\r\n\r\n")
