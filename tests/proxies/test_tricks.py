"""The table of tricks: through nginx, through Caddy, and straight at the gateway, by people who may not."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import update

from mfaportal.models import Portal, Visibility
from mfaportal.plumbing.db import transaction
from tests.browser.standing import Standing
from tests.faults.length import either
from tests.plugins.figures import Figure
from tests.proxies.applications import Echo
from tests.proxies.conftest import FILES
from tests.proxies.deployed import DEPLOY
from tests.proxies.fronts import Front
from tests.proxies.players import Taker, Town, nothing_broke, town
from tests.proxies.playing import IDENTITY, Player, Wire, faults, is_back_office, play
from tests.proxies.tricks import (
    COOKIES,
    FORWARDED,
    FRAMES,
    HOPS,
    HOSTS,
    IDENTITIES,
    NO_PASSES,
    PATHS,
    SIGNS,
    TRICKS,
    WORDS,
    Trick,
)

__all__ = ["nothing_broke", "town"]

HONEST = Trick("nothing at all")
WRONG = ("stranger", "half logged in", "member of another portal", "reader", "ended login")
AT_THE_BACK = either((*PATHS, *HOSTS, *FORWARDED, *HOPS, *COOKIES, *WORDS), TRICKS)
"""In `make test` the reader plays the whole table, some of it at the back office and some in the front office, and
the others share it; with FAULTS=full everybody plays everything."""
IN_FRONT = either((*FORWARDED, *IDENTITIES, *HOPS, *FRAMES), TRICKS[len(PATHS) :])
WHERE_ALL_MAY = either((*IDENTITIES, *HOPS), TRICKS[len(PATHS) :])
ENDPOINTS = ("/gateway/nginx", "/gateway/forward")
UNTRUSTED = "127.0.0.2"


def tricks_of(name: str, turn: int) -> tuple[Trick, ...]:
    """What somebody plays who may see less than they want to; `turn` deals the table anew."""
    if name == "reader":
        return AT_THE_BACK
    others = [each for each in WRONG if each != "reader"]
    share = TRICKS[(others.index(name) + turn) % len(others) :: len(others)]
    return either((*HOSTS, *share) if name == "stranger" else share, TRICKS)


def _played(tricks: tuple[Trick, ...], player: Player, front: Front, application: Echo, figure: Figure) -> list[str]:
    """What went wrong, a line each."""
    wire, taker = Wire(front.site.port, FILES, front.client), Taker(application)
    through, wrong = 0, []
    for trick, _answer, seen in play(tricks, player, wire, taker):
        through += bool(seen)
        wrong += [
            f"{trick.name}: {fault} by {each.method} {each.path}" for each in seen for fault in faults(player, each)
        ]
    figure(f"tricks through {front.name}", played=len(tricks), came_through=through, wrong=len(wrong))
    return wrong


def _works(town: Town, front: Front, application: Echo) -> None:
    """The reader reads, the admin administers: a proxy that lets nobody in would pass all of this."""
    for name in ("reader in the front office", "admin"):
        player = town.player(name)
        wire = Wire(front.site.port, FILES, front.client)
        ((_, answer, seen),) = play([HONEST], player, wire, Taker(application))
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        assert [each.path for each in seen] == [player.wants]
        assert tuple(seen[0].all(header)[0] for header in IDENTITY) == player.identity


@pytest.mark.parametrize("name", WRONG)
def test_no_trick_shows_the_application_to_somebody_who_may_not_see_it(
    town: Town, front: Front, application: Echo, name: str, figure: Figure, nothing_broke: Callable[[], None]
) -> None:
    tricks = tricks_of(name, turn=len(front.name))
    wrong = _played(tricks, town.player(name), front, application, figure)
    _works(town, front, application)
    nothing_broke()
    assert not wrong, "\n".join(wrong)


def test_no_trick_makes_the_application_take_a_reader_for_somebody_else(
    town: Town, front: Front, application: Echo, figure: Figure, nothing_broke: Callable[[], None]
) -> None:
    wrong = _played(IN_FRONT, town.player("reader in the front office"), front, application, figure)
    _works(town, front, application)
    nothing_broke()
    assert not wrong, "\n".join(wrong)


def test_nothing_but_a_pass_of_this_very_host_opens_it(
    town: Town, front: Front, application: Echo, figure: Figure, nothing_broke: Callable[[], None]
) -> None:
    reader = replace(town.player("reader in the front office"), identity=None)
    wrong = _played(NO_PASSES, reader, front, application, figure)
    _works(town, front, application)
    nothing_broke()
    assert not wrong, "\n".join(wrong)


def test_no_trick_gives_anybody_a_name_where_everybody_may_enter(
    town: Town, front: Front, application: Echo, figure: Figure, nothing_broke: Callable[[], None]
) -> None:
    with transaction() as session:
        session.execute(update(Portal).values(visibility=Visibility.PUBLIC))
    wrong = _played(WHERE_ALL_MAY, town.anybody(), front, application, figure)
    _works(town, front, application)
    nothing_broke()
    assert not wrong, "\n".join(wrong)


def _values(name: bytes, sent: bytes) -> list[str]:
    head = sent.partition(b"\r\n\r\n")[0]
    return [value.decode("latin-1").strip() for value in re.findall(rb"(?im)^%b:(.*)$" % name, head)]


def _gateway_faults(town: Town, player: Player, sent: bytes, answer: bytes) -> Iterator[str]:
    """What is wrong with a yes to this player."""
    if not answer.startswith(b"HTTP/1.1 200 "):
        return
    hosts, paths = _values(b"x-forwarded-host", sent), _values(b"x-forwarded-uri", sent)
    if len(hosts) != 1:
        yield f"yes to {hosts}"
    elsewhere = hosts == [town.other]
    if player.identity is None and not elsewhere:
        yield "yes"
    if any(is_back_office(path) for path in paths) and not (elsewhere and player.name == WRONG[2]):
        yield f"yes to {paths}"
    user = _values(b"remote-user", answer)
    if user != [player.identity[0] if player.identity and not elsewhere else user[0] if elsewhere else ""]:
        yield f"yes to {user}"


@pytest.mark.parametrize("name", WRONG)
def test_the_gateway_says_yes_to_no_trick_that_a_trusted_proxy_passes_on(
    town: Town, standing: Standing, name: str, figure: Figure, nothing_broke: Callable[[], None]
) -> None:
    player, wrong, wire = town.player(name), [], Wire(standing.server.port, "")
    asked = _at_both(TRICKS) if name == "reader" else _questions(tricks_of(name, turn=2))
    for endpoint, trick in asked:
        sent = trick.passed_on(endpoint, {"<WANTED>": player.wants, **player.words})
        wrong += [
            f"{trick.name}: {fault} from {endpoint}" for fault in _gateway_faults(town, player, sent, wire(sent))
        ]
    figure("tricks at the gateway", played=len(asked), wrong=len(wrong))
    nothing_broke()
    assert not wrong, "\n".join(wrong)


def _at_both(tricks: tuple[Trick, ...]) -> list[tuple[str, Trick]]:
    return [(endpoint, trick) for trick in tricks for endpoint in ENDPOINTS]


def _questions(tricks: tuple[Trick, ...]) -> list[tuple[str, Trick]]:
    """Each trick at one endpoint, the next at the other; with FAULTS=full each at both."""
    turns = [(ENDPOINTS[number % 2], trick) for number, trick in enumerate(tricks)]
    return either(turns, _at_both(tricks))


def test_the_gateway_says_yes_to_nobody_who_is_no_trusted_proxy(
    town: Town, standing: Standing, figure: Figure, nothing_broke: Callable[[], None]
) -> None:
    player = town.player("admin")
    filled = {"<WANTED>": player.wants, **player.words}
    trusted, wire = (Wire(standing.server.port, "", source=source) for source in ("127.0.0.1", UNTRUSTED))
    for endpoint in ENDPOINTS:
        assert trusted(HONEST.passed_on(endpoint, filled)).startswith(b"HTTP/1.1 200 ")
        assert wire(HONEST.passed_on(endpoint, filled)).startswith(b"HTTP/1.1 403 ")
    asked = _questions(either(TRICKS[::2], TRICKS))
    answers = [(trick.name, wire(trick.passed_on(endpoint, filled))) for endpoint, trick in asked]
    wrong = [f"{name}: {answer[:15]!r}" for name, answer in answers if b" 200 " in answer[:16]]
    figure("tricks at the gateway by who is no proxy", played=len(asked), wrong=len(wrong))
    nothing_broke()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("sign", SIGNS)
def test_caddy_is_told_to_drop_names_that_many_applications_take_for_others(sign: str) -> None:
    """As nginx does by itself, and Caddy since 2.11: what one application reads as `Remote-User` is endless."""
    told = f"-*{sign}*" if sign != "`" else f'"-*{sign}*"'
    assert f"request_header {told}\n" in (DEPLOY / "caddy" / "mfaportal.caddy").read_text()
