"""What reverse proxies ask: may this request through? One statement, no session, no page for those who may."""

from urllib.parse import quote

from flask import Blueprint, current_app, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from sqlalchemy.exc import SQLAlchemyError

from ..domain import gateway, logins
from ..domain.caller import Caller, Source
from ..domain.gateway import Asked
from ..models.pass_holder import PassHolder
from ..plumbing.runtime import runtime
from ..rules import cookie_names
from ..rules.access import Audience, Pass, Refuse, SendTo
from ..rules.elsewhere import acts_from_elsewhere
from ..rules.gateway import Forwarded, Malformed, header_safe, read_forwarded, return_url
from ..rules.lifetimes import LAST_SEEN_STEP
from ..rules.roles import groups_of
from . import asking, gateway_probe, guarded_pages
from .client import client_address
from .gate import audience, wants_json
from .headers import YES
from .host_check import Under, note
from .pass_cookies import PassCookies

blueprint = Blueprint("gateway", __name__, url_prefix="/gateway")
_SAFE = ("GET", "HEAD")
_HEADERS = ("HTTP_X_FORWARDED_METHOD", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_URI")


@blueprint.get("/nginx")
@audience(Audience.GATEWAY, under=Under.PROXY)
def for_nginx() -> ResponseReturnValue:
    """`auth_request` knows three answers, and takes any other for a fault."""
    asked = _ask()
    if isinstance(asked, Response):
        return asked
    match asked.decision:
        case Pass():
            return _let_in(asked)
        case SendTo():
            return Response(status=401)
        case Refuse():
            return Response(status=403)
        case _:
            raise RuntimeError(f"unknown decision {asked.decision!r}")


@blueprint.get("/forward")
@audience(Audience.GATEWAY, under=Under.PROXY)
def for_others() -> ResponseReturnValue:
    """Caddy and Traefik hand any answer but a 2xx to the browser as it is.

    A yes also says which cookies are the application's: Traefik cannot take out ours, but can take what we leave.
    """
    asked = _ask()
    if isinstance(asked, Response):
        return asked
    match asked.decision:
        case Pass():
            response = _let_in(asked)
            if left := cookie_names.without_ours(request.headers.get("Cookie", "")):
                response.headers["Cookie"] = left
            return response
        case SendTo():
            return _log_in_first(asked)
        case Refuse():
            return _denied(asked)
        case _:
            raise RuntimeError(f"unknown decision {asked.decision!r}")


def _ask() -> Asked | Response:
    """The decision; or the 403 of a question that makes no sense, and a line in the log that says what to set."""
    probed = gateway_probe.answer_if_probe()
    if probed is not None:
        return probed
    forwarded = read_forwarded(*map(request.environ.get, _HEADERS))
    if isinstance(forwarded, Malformed):
        return _unclear(f"{forwarded.header} is {forwarded.why}")
    digest = None if _is_foreign(forwarded) else PassCookies(forwarded.scheme, forwarded.host).pass_digest
    asked = gateway.ask(forwarded, digest, now=asking.now(), limits=asking.limits())
    if isinstance(asked, Malformed):
        return _unclear(f"{asked.header} is {asked.why}")
    if not isinstance(asked, Asked):
        address = f"{forwarded.scheme}://{forwarded.host}"
        return _unclear(f"no portal guards {address} there: add it under Installation > Portals")
    return asked


def _is_foreign(forwarded: Forwarded) -> bool:
    return acts_from_elsewhere(
        method=forwarded.method,
        web_socket=_is_web_socket(),
        own_origin=f"{forwarded.scheme}://{forwarded.host}",
        site=request.headers.get("Sec-Fetch-Site"),
        origin=request.headers.get("Origin"),
    )


def _is_web_socket() -> bool:
    return request.headers.get("Upgrade", "").lower() == "websocket"


def _unclear(why: str) -> Response:
    note(f"refused what a proxy asked: {why}")
    return Response("Refused. What is wrong is in the portal's log.\n", 403, mimetype="text/plain")


def _let_in(asked: Asked) -> Response:
    """Who it is, for the application; all four headers always, or a proxy might leave the client's own in place."""
    holder = asked.holder
    if asked.member:
        whose = (holder.email.lower(), holder.name, holder.email, groups_of(asked.role))
    else:
        whose = ("", "", "", "")
    _note_use(holder)
    request.environ[YES] = True
    names = ("Remote-User", "Remote-Name", "Remote-Email", "Remote-Groups")
    return Response(status=200, headers=list(zip(names, map(header_safe, whose), strict=True)))


def _note_use(holder: PassHolder) -> None:
    """At most once a minute. No answer is worth less for it."""
    if holder.last_seen_at is None or asking.now() - holder.last_seen_at < LAST_SEEN_STEP:
        return
    try:
        logins.touch(
            Caller(
                asking.now(),
                Source.WEB,
                asking.limits(),
                account_id=holder.account_id,
                login_id=holder.login_id,
                address=client_address(),
            )
        )
    except SQLAlchemyError:
        current_app.logger.warning("could not note the last use of a login", exc_info=True)


def _log_in_first(asked: Asked) -> ResponseReturnValue:
    forwarded = asked.forwarded
    if not _is_page():
        return jsonify(error="log_in_required"), 401
    if forwarded.method not in _SAFE:
        return guarded_pages.not_saved(forwarded, foreign=_is_foreign(forwarded))
    wanted = quote(return_url(forwarded, asked.prefix), safe="")
    return redirect(f"{runtime().settings.public_url}/log-in?next={wanted}", 302)


def _denied(asked: Asked) -> ResponseReturnValue:
    if not _is_page():
        return jsonify(error="forbidden"), 403
    return guarded_pages.denied(asked.forwarded, asked)


def _is_page() -> bool:
    """Whether somebody looks at the answer: not a script's request, not a part of a page, not a WebSocket."""
    if wants_json() or _is_web_socket():
        return False
    return request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
