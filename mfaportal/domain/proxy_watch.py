"""A reverse proxy that nobody declared trusted (security.md, fact 27): remembered, so that `doctor` can say it."""

import json

from ..models.setting import UNDECLARED_PROXY
from ..plumbing.clock import from_microseconds, to_microseconds
from ..plumbing.db import reading, transaction
from ..plumbing.runtime import runtime
from ..rules.lifetimes import NOTICED, PROXY_NOTED
from . import setting_rows
from .caller import Caller


def note(caller: Caller, peer: str) -> None:
    """Keep that a request came through `peer`, once a day. Only the proxy's own address is kept."""
    with reading() as session:
        noted = setting_rows.value_of(session, UNDECLARED_PROXY)
    if noted is not None and abs(caller.now - from_microseconds(json.loads(noted)["at"])) < PROXY_NOTED:
        return
    with transaction() as session:
        setting_rows.put(session, UNDECLARED_PROXY, json.dumps({"at": to_microseconds(caller.now), "peer": peer}))


def look() -> str | None:
    """What `doctor` says of it; None where proxies are declared, or none was met lately."""
    if runtime().settings.trusted_proxies:
        return None
    with reading() as session:
        noted = setting_rows.value_of(session, UNDECLARED_PROXY)
    if noted is None:
        return None
    found = json.loads(noted)
    at = from_microseconds(found["at"])
    if abs(runtime().now() - at) > NOTICED:
        return None
    return (
        f"A proxy at {found['peer']} forwarded requests ({at:%Y-%m-%d}) and is not trusted, so nothing is throttled"
        f" by address: set MFAPORTAL_TRUSTED_PROXIES={found['peer']}."
    )
