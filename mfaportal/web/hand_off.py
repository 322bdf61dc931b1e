"""From the portal's own host, where people log in, to a page of a guarded host."""

import re
from base64 import urlsafe_b64decode
from urllib.parse import quote

from flask import Blueprint, abort, redirect, request
from flask.typing import ResponseReturnValue
from flask.wrappers import Response

from ..domain import gateway, hand_offs
from ..domain.outcomes import PausedUntil
from ..rules.access import Audience
from ..rules.gateway import return_url
from . import asking, guarded_pages, wanted_page
from .gate import audience
from .guarded_host import PREFIX
from .headers import policy

blueprint = Blueprint("hand_off", __name__)
_BROWSER = re.compile(r"[A-Za-z0-9_-]{43}")
_NOT_OURS = (
    "The proxy of this host keeps /.mfaportal/ to itself. It has to hand every path below it to the portal, with Host"
    " as the browser sent it, and without asking the gateway first."
)


@blueprint.get("/hand-off")
@audience(Audience.ACCOUNT)
def hand_off() -> ResponseReturnValue:
    """To the guarded host, which marks the browser and sends it back with the mark's digest; then with a token."""
    wanted = gateway.at(request.args.get("to", ""))
    if wanted is None:
        abort(404)
    host = wanted.forwarded.host
    path = return_url(wanted.forwarded, wanted.prefix).removeprefix(wanted.origin)
    if path.lower().startswith(PREFIX):
        return guarded_pages.misconfigured(host, _NOT_OURS, on_own_host=True)
    way = f"{wanted.origin}{PREFIX}/enter?next={quote(path, safe='')}"
    browser = request.args.get("browser")
    if browser is None:
        return redirect(way, 303)
    if not _BROWSER.fullmatch(browser):
        abort(404)
    if request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate":
        abort(403)  # a part of some page, which nobody opens
    made = hand_offs.make(asking.caller(), host, urlsafe_b64decode(browser + "="))
    if isinstance(made, PausedUntil):
        abort(429)
    return redirect(f"{way}&token={made.token}", 303)


@blueprint.after_app_request
def _let_forms_leave(response: Response) -> Response:
    """A form whose answer leads on to a guarded host: browsers hold the redirects after it to `form-action`, too."""
    origin = wanted_page.leads_to() if response.mimetype == "text/html" and _has_form() else None
    if origin is not None:
        response.headers["Content-Security-Policy"] = policy(forms_to=origin)
    return response


def _has_form() -> bool:
    """Whether this is one of the pages on which somebody logs in."""
    return (request.endpoint or "").startswith("auth.") or request.endpoint == "account.recovery_codes"
