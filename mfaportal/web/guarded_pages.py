"""Our pages on other people's hosts: who may not in, and why. They stand alone, for the portal is elsewhere."""

from flask import g, make_response, render_template
from flask.wrappers import Response

from ..domain import gateway
from ..domain.gateway import Asked, Place
from ..plumbing.runtime import runtime
from ..rules.gateway import Forwarded


def denied(forwarded: Forwarded, asked: Asked | None) -> Response:
    """Somebody is logged in and may not open this: as no member of the portal, or without a back office."""
    return _page("gateway/denied.html", 403, forwarded.host, gateway.place_of(forwarded), asked=asked)


def not_saved(forwarded: Forwarded, *, foreign: bool) -> Response:
    """Something was sent, and nobody is logged in any more, or it was a page of another host that sent it."""
    place = gateway.place_of(forwarded)
    return _page("gateway/not_saved.html", 401, forwarded.host, place, foreign=foreign)


def gone(host: str, again: str, *, no_cookies: bool) -> Response:
    """A hand-off that does not work, or not any more. `again`: the page that was wanted."""
    return _page("gateway/gone.html", 410, host, gateway.at(again), again=again, no_cookies=no_cookies)


def misconfigured(host: str, missing: str, *, on_own_host: bool = False) -> Response:
    """The browser would be sent round and round. `missing`: what the operator has to mend."""
    return _page("gateway/misconfigured.html", 409, "" if on_own_host else host, None, missing=missing, guarded=host)


def _page(template: str, status: int, host: str, place: Place | None, **context: object) -> Response:
    g.alike = True  # whoever is logged in at the portal's own host is nobody here
    g.guarded_host = host  # empty on the portal's own host
    if place is not None:
        g.place_name = place.portal.name
    home = runtime().settings.public_url
    return make_response(render_template(template, host=host, home=home, place=place, **context), status)
