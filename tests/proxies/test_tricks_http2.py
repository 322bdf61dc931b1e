"""What only HTTP/2 lets somebody say, through nginx and Caddy: nobody gets in by it, or becomes somebody else."""

import ssl
from collections.abc import Callable

import pytest

from tests.plugins.figures import Figure
from tests.proxies.applications import Echo
from tests.proxies.conftest import FILES
from tests.proxies.fronts import Front
from tests.proxies.players import Taker, Town, nothing_broke, town
from tests.proxies.playing import faults
from tests.proxies.tricks_http2 import TRICKS_2, Trick2, exchange

__all__ = ["nothing_broke", "town"]


@pytest.fixture
def context(front: Front) -> ssl.SSLContext:
    made: ssl.SSLContext = front.site.certificates.client
    made.set_alpn_protocols(["h2"])
    return made


@pytest.mark.parametrize("name", ["stranger", "reader", "reader in the front office"])
def test_no_trick_of_http2_opens_what_is_guarded_or_gives_another_name(
    town: Town,
    front: Front,
    context: ssl.SSLContext,
    application: Echo,
    name: str,
    figure: Figure,
    nothing_broke: Callable[[], None],
) -> None:
    player, taker, wrong, through = town.player(name), Taker(application), [], 0
    for trick in TRICKS_2:
        exchange(front.site.port, FILES, context, trick.sent({"<WANTED>": player.wants, **player.words}))
        for seen in (arrived := taker()):
            wrong += [f"{trick.name}: {fault} by {seen.method} {seen.path}" for fault in faults(player, seen)]
        through += bool(arrived)
    figure(f"tricks of HTTP/2 through {front.name}", played=len(TRICKS_2), came_through=through, wrong=len(wrong))
    admin = town.player("admin")
    assert exchange(front.site.port, FILES, context, Trick2("none").sent({"<WANTED>": admin.wants, **admin.words})), (
        "no answer"
    )
    assert [seen.path for seen in taker()] == [admin.wants]
    nothing_broke()
    assert not wrong, "\n".join(wrong)
