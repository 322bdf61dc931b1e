"""What the login and set-up pages weigh, and how long the latter takes to draw."""

from __future__ import annotations

import math
import re
import zlib
from dataclasses import dataclass
from time import perf_counter
from urllib.parse import urljoin, urlsplit

from .adapter import Peer
from .client import Response, Session
from .measure import running
from .stats import median
from .users import User, fresh

SETUP_RENDERINGS = 12

_ASSET = re.compile(r"<(?:link|script|img)\b[^>]*>", re.IGNORECASE)
_URL = re.compile(r"""\b(?:href|src)\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)
_BASE = re.compile(r"""<base\b[^>]*href=["']([^"']+)""", re.IGNORECASE)
_WANTED = re.compile(r"^<(?:script|img)|rel=[\"']?(?:stylesheet|modulepreload)", re.IGNORECASE)


@dataclass
class Weight:
    """What a browser with an empty cache loads to show one page."""

    html: int = 0
    assets: int = 0  # style sheets, scripts and images from the server itself
    asset_count: int = 0
    external: int = 0  # of those from other hosts, the bytes (as the adapter knows them)
    external_count: int = 0
    gzip: int = 0  # everything from the server, each file compressed on its own
    styled: bool = False


def weigh(peer: Peer, session: Session, responses: list[Response]) -> Weight:
    """The first response is the page; what it links to is fetched unless it is among the rest."""
    page, *images = responses
    weight = Weight(html=len(page.body), gzip=_zipped(page.body))
    files = {urlsplit(image.url).path: image.body for image in images}
    base = urljoin(page.url, found[1] if (found := _BASE.search(page.text)) else page.url)
    for tag in _ASSET.findall(page.text):
        if not _WANTED.search(tag) or not (found := _URL.search(tag)):
            continue
        if found[1].startswith("data:"):
            continue
        url = urljoin(base, found[1])
        weight.styled |= "stylesheet" in tag
        if urlsplit(url).netloc:
            weight.external_count += 1
            weight.external += peer.external_bytes.get(url, 0)
        elif urlsplit(url).path not in files:
            files[urlsplit(url).path] = session.get(url).body
    weight.asset_count = len(files)
    weight.assets = sum(map(len, files.values()))
    weight.gzip += sum(map(_zipped, files.values()))
    return weight


def _zipped(data: bytes) -> int:
    return len(zlib.compress(data, 6))


@dataclass
class Pages:
    """The login and set-up pages, as far as the system has them."""

    login: Weight | None = None
    setup: Weight | None = None
    setup_ms: float = math.nan


def pages(peer: Peer) -> Pages:
    """Weight of the login and set-up pages, and milliseconds to render the latter."""
    result = Pages()
    with running(peer, peer.usual):
        if peer.has_login:
            with Session(peer.port) as session:
                result.login = weigh(peer, session, [session.get(peer.login_path)])
        if peer.has_mfa:
            with Session(peer.port) as session:
                peer.open_setup(session, User(fresh(peer.users)[0]))
                result.setup = weigh(peer, session, peer.render_setup(session))
                samples = []
                for _ in range(SETUP_RENDERINGS):
                    start = perf_counter()
                    peer.render_setup(session)
                    samples.append(1000 * (perf_counter() - start))
                result.setup_ms = median(samples)
    return result
