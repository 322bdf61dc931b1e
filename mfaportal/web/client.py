"""Where a request comes from: the peer, or what a trusted proxy says, or nobody knows."""

import ipaddress
import logging
from datetime import datetime, timedelta
from functools import lru_cache

from flask import Flask, Response, current_app, g, request
from sqlalchemy.exc import SQLAlchemyError

from ..domain import proxy_watch
from ..domain.caller import the_portal_itself
from ..plumbing.runtime import runtime

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_log = logging.getLogger("mfaportal.proxy")
_NOTED = "mfaportal_proxy_noted"
_LOOKED_AT = "mfaportal_proxy_looked_at"
_EVERY = timedelta(hours=1)
"""How often a process looks whether an undeclared proxy is noted."""


def register(app: Flask) -> None:
    app.after_request(_note_proxy)


def client_address() -> str | None:
    """The client's address; None where an undeclared proxy stands in between (security.md, fact 27).

    Then everybody would share the proxy's address, and throttles by address would lock all out.
    """
    peer = _parsed(request.remote_addr or "")
    trusted = runtime().settings.trusted_proxies
    forwarded = request.headers.get("X-Forwarded-For")
    if peer is None:
        return None
    if _is_trusted(peer):
        return str(peer) if forwarded is None else _behind(forwarded)
    if forwarded is not None and not trusted and (peer.is_loopback or peer.is_private):
        if not current_app.extensions.get(_NOTED):
            current_app.extensions[_NOTED] = True
            _log.warning(
                "a proxy at %s forwards requests but is not trusted: set MFAPORTAL_TRUSTED_PROXIES,"
                " or nothing is throttled by address",
                peer,
            )
        g.undeclared_proxy = str(peer)
        return None
    return str(peer)


def trusted_peer() -> bool:
    """Whether the request comes from a proxy that is declared trusted: only such a one may speak for others."""
    peer = _parsed(request.remote_addr or "")
    return peer is not None and _is_trusted(peer)


def _is_trusted(address: Address) -> bool:
    return any(
        address in network for network in runtime().settings.trusted_proxies if network.version == address.version
    )


def _note_proxy(response: Response) -> Response:
    """Behind the answer's back: whatever fails here, the request has been done."""
    peer = g.get("undeclared_proxy")
    if peer is not None and _is_time(runtime().now()):
        try:
            proxy_watch.note(the_portal_itself(), peer)
        except SQLAlchemyError:
            _log.warning("could not note the proxy that is not trusted", exc_info=True)
    return response


def _is_time(now: datetime) -> bool:
    before = current_app.extensions.get(_LOOKED_AT)
    if before is not None and abs(now - before) < _EVERY:
        return False
    current_app.extensions[_LOOKED_AT] = now
    return True


def _behind(forwarded: str) -> str | None:
    """From the right, the first address that no trusted proxy has: what is further left anybody may have written.

    The farthest where all are trusted; None where a proxy wrote no address: the proxy's own would be everybody's.
    """
    address = None
    for part in reversed(forwarded[-1000:].split(",")):
        address = _parsed(part.strip())
        if address is None or not _is_trusted(address):
            break
    return None if address is None else str(address)


@lru_cache(maxsize=256)
def _parsed(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
