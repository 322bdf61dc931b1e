"""What a proxy hands over of each guarded host: the way in, the page for those who may not, and their look."""

from base64 import urlsafe_b64encode
from urllib.parse import quote

from flask import Blueprint, g, redirect, request
from flask.typing import ResponseReturnValue
from flask.wrappers import Response

from ..domain import gateway, hand_offs
from ..domain.gateway import Asked
from ..domain.hand_offs import HandOffRefused, PassGiven
from ..plumbing.probes import MARK_HEADER, mark_of
from ..plumbing.runtime import runtime
from ..plumbing.tokens import digest, well_formed
from ..rules.access import Audience, Refuse
from ..rules.gateway import Malformed, read_forwarded, return_url
from ..rules.return_to import fits_in_link
from . import asking, guarded_pages, static_files
from .gate import audience
from .host_check import Under
from .pass_cookies import PassCookies

PREFIX = "/.mfaportal"
blueprint = Blueprint("guarded_host", __name__, url_prefix=PREFIX)
_NO_COOKIE = (
    "The proxy of this host does not pass the browser's cookies on when it asks the gateway. Its request to"
    " /gateway/… needs the header Cookie as the browser sent it, and X-Forwarded-Host as it stands in the address."
)


@blueprint.after_request
def _say_whose(response: Response) -> Response:
    """`doctor` sees by it, from outside, that this portal answers here."""
    response.headers[MARK_HEADER] = mark_of(runtime().settings.public_url)
    return response


@blueprint.get("/enter")
@audience(Audience.PUBLIC, under=Under.GUARDED)
def enter() -> ResponseReturnValue:
    """Twice on the way in: first to mark the browser that asks, then with the token that it brings back."""
    host, scheme = g.guarded_host, g.guarded_scheme
    cookies, wanted = PassCookies(scheme, host), _wanted(scheme, host)
    token = request.args.get("token")
    if token is None:
        return _ask(cookies, wanted)
    outcome = _take(cookies, token, wanted)
    if isinstance(outcome, PassGiven):
        response = redirect(f"{scheme}://{host}{wanted}", 303)
        cookies.give(response, outcome.token)
        return response
    if _has_pass(cookies):  # another tab was quicker
        return redirect(f"{scheme}://{host}{wanted}", 303)
    return guarded_pages.gone(host, f"{scheme}://{host}{wanted}", no_cookies=cookies.asked_token is None)


def _take(cookies: PassCookies, token: str, wanted: str) -> PassGiven | HandOffRefused:
    marked = cookies.asked_token
    if marked is None or not well_formed(token):
        return HandOffRefused()
    found = gateway.at(f"{cookies.scheme}://{cookies.host}{wanted}")
    whose = found.portal.id if found else None
    return hand_offs.take(asking.caller(), token, host=cookies.host, browser_digest=digest(marked), portal_id=whose)


def _has_pass(cookies: PassCookies) -> bool:
    held = cookies.pass_digest
    return held is not None and gateway.is_live(cookies.host, held, now=asking.now(), limits=asking.limits())


def _ask(cookies: PassCookies, wanted: str) -> ResponseReturnValue:
    """To the portal's own host, where the log-in is; unless the browser has a pass, and is asked all the same."""
    here = f"{cookies.scheme}://{cookies.host}{wanted}"
    if _has_pass(cookies):
        if cookies.came_back:
            return guarded_pages.misconfigured(cookies.host, _NO_COOKIE)
        response = redirect(here, 303)
        cookies.send_back(response)
        return response
    response = Response(status=303)
    marked = urlsafe_b64encode(digest(cookies.ask(response))).decode().rstrip("=")
    there = f"{runtime().settings.public_url}/hand-off?to={quote(_linked(here), safe='')}&browser={marked}"
    response.headers["Location"] = there
    return response


def _linked(here: str) -> str:
    """The address, or as near to it as a link may be long."""
    found = None if fits_in_link(here) else gateway.at(here)
    return return_url(found.forwarded, found.prefix) if found is not None else here


def _wanted(scheme: str, host: str) -> str:
    """The path and query that are wanted on this host; its first page where they cannot be read."""
    wanted = request.args.get("next", "/")
    read = read_forwarded("GET", scheme, host, wanted)
    return "/" if isinstance(read, Malformed) or wanted.lower().startswith(PREFIX) else wanted


@blueprint.get("/denied")
@audience(Audience.PUBLIC, under=Under.GUARDED)
def denied() -> ResponseReturnValue:
    """For proxies that send people here rather than hand on the gateway's own 403."""
    host, scheme = g.guarded_host, g.guarded_scheme
    forwarded = read_forwarded("GET", scheme, host, _wanted(scheme, host))
    if isinstance(forwarded, Malformed):
        raise TypeError("what is wanted was read before")
    held = PassCookies(scheme, host).pass_digest
    found = gateway.ask(forwarded, held, now=asking.now(), limits=asking.limits())
    refused = isinstance(found, Asked) and isinstance(found.decision, Refuse)
    return guarded_pages.denied(forwarded, found if isinstance(found, Asked) and refused else None)


@blueprint.get("/static/<path:filename>")
@audience(Audience.PUBLIC, under=Under.GUARDED)
def static(filename: str) -> ResponseReturnValue:
    """The look of these pages: on a guarded host, /static is the application's."""
    return static_files.answer(filename)
