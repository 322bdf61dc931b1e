"""Host names and addresses, as they stand in settings: what is one, and which never leave this machine."""

import ipaddress
import re

_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)
_IPV6 = 6


def is_host(text: str) -> bool:
    """Whether this is a name in ASCII or an address, IPv6 in brackets."""
    if text.startswith("["):
        try:
            return text.endswith("]") and ipaddress.ip_address(text[1:-1]).version == _IPV6
        except ValueError:
            return False
    return all(_LABEL.fullmatch(label) for label in text.split("."))


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def stays_here(host: str) -> bool:
    """Whether RFC 6761 keeps the name on the machine, or no public name server answers for it."""
    return is_loopback(host) or host.endswith((".localhost", ".test"))
