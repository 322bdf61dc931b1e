"""What the cookies of a guarded host are called: browsers hold to the prefix, and the port tells hosts apart."""

import re

_OURS = re.compile(r"(^\s*|[;,]\s*)(?:(?:__Host-)?mfaportal[^;,]*(?:[;,]\s*|$))+", re.IGNORECASE)


def on_guarded_host(what: str, scheme: str, host: str) -> str:
    """The name of the cookie for `what` on a host, which is written as in `Host`: cookies know nothing of ports."""
    prefix = "__Host-" if scheme == "https" else ""
    _name, colon, port = host.rpartition("]")[2].rpartition(":")
    return f"{prefix}mfaportal-{what}{'-' + port if colon else ''}"


def without_ours(cookies: str) -> str:
    """A `Cookie` header with what belongs to the application behind a guarded host, and nothing of ours."""
    return _OURS.sub(r"\1", cookies).strip(";, ")
