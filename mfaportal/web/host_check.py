"""Under which host names an endpoint answers: the first thing that is decided about a request."""

import logging
from enum import Enum

from flask import abort, current_app, g, request
from flask.wrappers import Response

from ..domain import gateway
from ..plumbing.runtime import runtime
from . import gateway_probe, guarded_pages
from .client import trusted_peer
from .headers import FOREIGN

_log = logging.getLogger("mfaportal.gateway")
_NOTED = "mfaportal_gateway_noted"
_EVERY_SECONDS = 60
_OURS = "/.mfaportal/"
_OTHER_HOST = (
    "The proxy of this host hands /.mfaportal/ over as if it were of {}. It has to hand on the header Host as the"
    " browser sent it; nginx does so with: proxy_set_header Host $http_host;"
)


class Under(Enum):
    """The host names of an endpoint."""

    OWN = "the portal's own"
    ANY = "any"
    PROXY = "any, asked by a trusted proxy"
    GUARDED = "those of guarded addresses"


def check(under: Under) -> Response | None:
    """Refuse the request if the endpoint does not answer under its host, or not to whoever asks. None lets it on."""
    match under:
        case Under.ANY:
            return None
        case Under.PROXY:
            request.environ[FOREIGN] = True
            return None if trusted_peer() else _refuse_proxy()
        case Under.GUARDED:
            return _check_guarded()
        case _:
            _check_own()
    return None


def _check_own() -> None:
    host = request.environ.get("HTTP_HOST", "")
    if host in runtime().allowed_hosts:
        return
    if request.path.startswith(_OURS) and _is_at(host.lower()):
        abort(404)
    abort(400, "This portal does not answer under that host name.")


def _is_at(host: str) -> bool:
    """Whether this is a guarded host: then the answer is shown there, where nothing of the portal's own is near."""
    scheme = gateway.scheme_of(host)
    if scheme is None:
        return False
    request.environ[FOREIGN] = True
    g.alike = True
    g.guarded_host, g.guarded_scheme = host, scheme
    return True


def _refuse_proxy() -> Response:
    probed = gateway_probe.answer_if_probe()
    if probed is not None:
        return probed
    peer = request.remote_addr
    if runtime().settings.trusted_proxies:
        note(f"{peer} asks the gateway and is no trusted proxy: add it to MFAPORTAL_TRUSTED_PROXIES if it is one")
    else:
        note(f"no proxy is trusted, so the gateway lets nobody in: set MFAPORTAL_TRUSTED_PROXIES={peer}")
    return Response("Refused. What to set is in the portal's log.\n", 403, mimetype="text/plain")


def _check_guarded() -> Response | None:
    host = request.environ.get("HTTP_HOST", "").lower()
    asked_for = request.headers.get("X-Forwarded-Host", "").lower()
    if asked_for not in ("", host) and trusted_peer() and _is_at(asked_for):
        is_look = request.endpoint == "guarded_host.static"
        return None if is_look else guarded_pages.misconfigured(asked_for, _OTHER_HOST.format(host))
    g.alike = True
    if host in runtime().allowed_hosts:
        abort(404)
    if not _is_at(host):
        abort(400, "No portal guards an address of this host.")
    return None


def note(line: str) -> None:
    """Say in the log what the operator has to set: each thing at most once a minute, for every request asks."""
    said: dict[str, float] = current_app.extensions.setdefault(_NOTED, {})
    now = g.now.timestamp()
    if abs(now - said.get(line, 0)) < _EVERY_SECONDS:
        return
    if len(said) > 1000:  # noqa: PLR2004  # somebody makes up hosts
        said.clear()
    said[line] = now
    _log.warning("%s", line)
