"""Whether a page of another origin asks: its browser may send our cookies along, for hosts below one domain are one
site to it.
"""

_READING = ("GET", "HEAD", "OPTIONS")
"""RFC 9110 §9.2.1: what changes nothing; and no script of another origin reads what comes back."""
_HERE = ("same-origin", "none")


def acts_from_elsewhere(
    *, method: str, web_socket: bool, own_origin: str, site: str | None, origin: str | None
) -> bool:
    """Whether something is sent, or a WebSocket opened, by a page of another origin.

    `site` is Sec-Fetch-Site; browsers before 2023 may not send it, and say `Origin`. `null` says nothing of where.
    """
    if method in _READING and not web_socket:
        return False
    if site is not None:
        return site not in _HERE
    return origin not in (None, "null", own_origin)
