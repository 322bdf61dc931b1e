"""What `doctor` sees of each guarded address from the outside: whether the proxy before it asks, and with what.

It looks as a stranger, as somebody with a pass (a probe, which the gateway answers with what it saw), and for the
route `/.mfaportal/`. What cannot be seen from there is not spoken of.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import select

from ..models import BackOfficePath, GuardedAddress, Portal
from ..models.portal import Visibility
from ..plumbing import http_look, probes
from ..plumbing.db import reading
from ..plumbing.http_look import Answer, NoAnswer
from ..plumbing.runtime import runtime
from ..rules import cookie_names
from . import probe_report
from .probe_report import FORWARD, HOST, METHOD, PROTO, URI

_ODD = "/mfaportal%20doctor"
"""A path that a proxy must hand on as it is: one that decodes it first loses what the browser sent."""
_LOOK = f"{_ODD}?look=1"
_GUARD = "put auth_request (nginx), forward_auth (Caddy) or ForwardAuth (Traefik) before all of it, as in deploy/"
_KEPT = (
    "The proxy keeps the gateway's 401 or 403 to itself, so nobody is sent to log in, or told why not: let it hand"
    " both on to /gateway/forward (nginx: error_page 401 403, as in deploy/nginx)."
)
_FAULT = 500
_UNDER_ANOTHER_NAME = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
"""A name that nobody guards, the portal's own, and one that is not what `X-Forwarded-Host` says."""
_ROUTE = "let the proxy hand /.mfaportal/ to the portal without asking the gateway"


@dataclass(frozen=True, slots=True)
class Place:
    """A guarded address. `closed` are the paths under it that no stranger may open."""

    scheme: str
    host: str
    prefix: str
    closed: tuple[str, ...]

    @property
    def cookie(self) -> str:
        return cookie_names.on_guarded_host("pass", self.scheme, self.host)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}{self.prefix}"


def look() -> Iterator[tuple[str, str | None]]:
    """Each guarded address with what is wrong about it; None where all is well."""
    for place in _places():
        yield str(place), " ".join(_troubles(place)) or None


def _places() -> list[Place]:
    with reading() as session:
        paths = defaultdict(list)
        for portal_id, path in session.execute(select(BackOfficePath.portal_id, BackOfficePath.path)):
            paths[portal_id].append(path)
        rows = session.execute(
            select(GuardedAddress, Portal.visibility)
            .join(Portal, Portal.id == GuardedAddress.portal_id)
            .order_by(GuardedAddress.host, GuardedAddress.prefix)
        ).all()
        return [
            Place(
                each.scheme,
                each.host,
                each.prefix,
                (*(() if visibility == Visibility.PUBLIC else ("/",)), *sorted(paths[each.portal_id])),
            )
            for each, visibility in rows
        ]


def _troubles(place: Place) -> Iterator[str]:
    first = http_look.look(f"{place}/")
    if isinstance(first, NoAnswer):
        yield f"It cannot be opened from here: {first.why}."
        return
    shown = _shown_to_anybody(place)
    if shown:
        yield shown
    url = f"{place}{_LOOK}"
    probe = probes.new_probe(runtime().keys, place.host, runtime().now())
    seen = http_look.look(url, cookie=f"{place.cookie}={probe}")
    report = probe_report.read(probe, seen.body) if isinstance(seen, Answer) else None
    if report is not None:
        yield from probe_report.troubles(report, _expected(place))
        if first.status == HTTPStatus.UNAUTHORIZED and report.asked == FORWARD:
            yield _KEPT
    elif not shown:
        yield _why_unreported(place, url, first, seen)
    if isinstance(seen, Answer) and seen.status >= _FAULT:
        return  # the route has the same fault, or nobody can say
    yield from _route(place)


def _shown_to_anybody(place: Place) -> str | None:
    """The first closed path that the application answers without a log-in."""
    for path in place.closed:
        url = f"{place}{path}"
        answer = http_look.look(url)
        if _leads_elsewhere(answer):  # a proxy may do so before it asks: what lies below it is looked at
            url = url.rstrip("/") + _ODD
            answer = http_look.look(url)
        if isinstance(answer, Answer) and _is_shown(answer):
            return f"NOT GUARDED: {url} answers {answer.status} to anybody, without a log-in; {_GUARD}."
    return None


def _is_shown(answer: Answer) -> bool:
    refused = answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) or answer.status >= _FAULT
    return not refused and _wanted(answer) is None


def _leads_elsewhere(answer: Answer | NoAnswer) -> bool:
    return isinstance(answer, Answer) and "location" in answer.headers and _wanted(answer) is None


def _wanted(answer: Answer) -> str | None:
    """The page that is kept for after the log-in, where an answer sends to the portal's log-in."""
    location = answer.headers.get("location", "")
    if not location.startswith(f"{runtime().settings.public_url}/log-in?"):
        return None
    wanted = parse_qs(urlsplit(location).query).get("next", [""])[0]
    return wanted if wanted.isascii() and wanted.isprintable() else None  # it comes from anybody, and is printed


def _expected(place: Place) -> dict[str, str]:
    return {METHOD: "GET", PROTO: place.scheme, HOST: place.host, URI: f"{place.prefix}{_LOOK}"}


def _why_unreported(place: Place, url: str, first: Answer, seen: Answer | NoAnswer) -> str:
    """A probe went out and no report came back."""
    if isinstance(seen, NoAnswer):
        return f"{url} cannot be opened from here: {seen.why}."
    no_cookie = (
        f"The cookie {place.cookie} does not reach the gateway, so nobody gets in: let the proxy send Cookie"
        " with its question."
    )
    wanted = _wanted(seen)
    if wanted is not None:
        return no_cookie if wanted == url else _asked_about(wanted, url)
    match seen.status:
        case HTTPStatus.UNAUTHORIZED:
            return f"{_KEPT} {no_cookie}"
        case HTTPStatus.FORBIDDEN if first.status == HTTPStatus.FORBIDDEN:
            return f"Everybody is answered 403; the portal's log says why, if it was asked. {_KEPT} {no_cookie}"
        case HTTPStatus.FORBIDDEN:
            return _KEPT
        case status if status >= _FAULT:
            return (
                f"It answers {status}: look whether the portal runs, and whether the proxy asks it at /gateway/nginx"
                " (nginx) or /gateway/forward (Caddy, Traefik)."
            )
        case status if "/" in place.closed:
            return f"NOT GUARDED: {url} answers {status} to anybody, without a log-in; {_GUARD}."
        case _ if place.closed:
            return no_cookie
        case _:
            return f"NOT GUARDED, or else this: the proxy does not ask about it ({_GUARD}). {no_cookie}"


def _asked_about(wanted: str, url: str) -> str:
    return (
        f"The gateway is asked about {wanted} in place of {url}: let the proxy send X-Forwarded-Proto, -Host and -Uri"
        " as the browser sent them."
    )


def _route(place: Place) -> Iterator[str]:
    """Whether `/.mfaportal/` leads to this portal, under the host's own name, and cookies come back from there."""
    root = f"{place.scheme}://{place.host}/.mfaportal/"
    denied = http_look.look(f"{root}denied")
    if isinstance(denied, NoAnswer):
        yield f"{root} cannot be opened from here: {denied.why}."
    elif _wanted(denied) is not None:
        yield f"{root} is not handed to the portal, or is guarded itself, so nobody gets in: {_ROUTE}."
    elif denied.headers.get(probes.MARK_HEADER.lower()) != probes.mark_of(runtime().settings.public_url):
        yield f"{root} is not handed to this portal (it answers {denied.status}), so nobody gets in: {_ROUTE}."
    elif denied.status in _UNDER_ANOTHER_NAME:
        yield (
            f"{root} is handed to the portal under another name: let the proxy send Host (and X-Forwarded-Host)"
            " as the browser sent it."
        )
    else:
        yield from _way_in(f"{root}enter?next=/")


def _way_in(url: str) -> Iterator[str]:
    """Whoever comes without a pass is marked by a cookie, and sent to the portal's own host."""
    answer = http_look.look(url)
    if isinstance(answer, NoAnswer):
        yield f"{url} cannot be opened from here: {answer.why}."
    elif "set-cookie" not in answer.headers:
        yield f"No cookie comes back from {url} (it answers {answer.status}): let the proxy hand on Set-Cookie."
