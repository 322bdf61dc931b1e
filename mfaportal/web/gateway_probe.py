"""The gateway's answer to a probe of `doctor`: what it saw of the request, and nothing about anybody.

It comes before anything is decided, for the headers that are missing would not let it come to a decision.
"""

import re

from flask import jsonify, request
from flask.wrappers import Response

from ..domain import gateway
from ..domain.probe_report import HOST, METHOD, PROTO, URI, Header, Report, State, answer_to
from ..plumbing import probes
from ..plumbing.runtime import runtime
from ..rules.gateway import Forwarded, Malformed, read_forwarded
from . import asking
from .client import trusted_peer

_PASS = re.compile(r"(__Host-)?mfaportal-pass(-[0-9]+)?")
_SHOWN_MAX = 500
_ARGUMENTS = {METHOD: "method", PROTO: "proto", HOST: "host", URI: "uri"}
_WELL = {"method": "GET", "proto": "https", "host": "data.example.org", "uri": "/"}
"""What stands in for the other three while one is judged by itself."""


def answer_if_probe() -> Response | None:
    """The report where the request carries a probe; None for any other request, at the price of one comparison."""
    if f"={probes.BEGINNING}" not in request.environ.get("HTTP_COOKIE", ""):
        return None
    probe, named = _probe()
    sent = {argument: request.headers.get(header) for header, argument in _ARGUMENTS.items()}
    forwarded = read_forwarded(**sent)
    if not named or _is_of_another(named, sent["host"]):
        return None
    report = Report(
        asked=request.path,
        peer=request.remote_addr or "",
        trusted=trusted_peer(),
        headers={header: _judged(header, sent[argument]) for header, argument in _ARGUMENTS.items()},
        known=isinstance(forwarded, Forwarded) and gateway.place_of(forwarded) is not None,
    )
    answer = jsonify(answer_to(probe, report))
    answer.status_code = 403
    return answer


def _probe() -> tuple[str, str]:
    """The probe and the host that it names. By which name it comes is no matter: the proxy may have lost the port."""
    for name, value in request.cookies.items(multi=True):
        host = probes.host_of(runtime().keys, value, asking.now()) if _PASS.fullmatch(name) else None
        if host:
            return value, host
    return "", ""


def _is_of_another(named: str, host: str | None) -> bool:
    """Whether the proxy asks about another guarded host. One that nobody guards is what `doctor` looks for."""
    return host is not None and host.lower() != named and gateway.scheme_of(host.lower()) is not None


def _judged(header: str, value: str | None) -> Header:
    if value is None:
        return Header(State.MISSING, "")
    alone = read_forwarded(**(_WELL | {_ARGUMENTS[header]: value}))
    if isinstance(alone, Malformed):
        return Header(State.MALFORMED, alone.why)
    text = {PROTO: alone.scheme, HOST: alone.host}.get(header, value)
    return Header(State.SEEN, text[:_SHOWN_MAX])
