"""The gate: one hook before every request. Endpoints declare their audience; `rules.access` decides; this obeys."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, assert_never
from urllib.parse import quote, urlsplit, urlunsplit

from flask import Flask, abort, current_app, g, jsonify, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import CSRFProtect
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.routing import RequestRedirect

from ..domain import logins
from ..models.identity import Identity
from ..plumbing.runtime import runtime
from ..rules.access import Audience, Decision, Destination, Pass, Refuse, SendTo, decide
from ..rules.lifetimes import LAST_SEEN_STEP
from ..rules.return_to import local_path
from ..rules.stages import Stage
from . import asking, body, host_check, uploads, wanted_page
from .fresh import StepUp, is_fresh
from .host_check import Under

csrf = CSRFProtect()
_log = logging.getLogger("mfaportal.gate")
View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
_WITHOUT_IDENTITY = frozenset({"health.alive", "health.ready", "static"})
_FOR_ANYBODY = (Audience.PUBLIC, Audience.GATEWAY)


@dataclass(frozen=True, slots=True)
class Declared:
    audience: Audience
    step_up: StepUp = StepUp.NO
    uploads: bool = False
    """Whether its form may bring a file."""
    under: Under = Under.OWN


_NOTHING = Declared(Audience.PUBLIC)
"""What no endpoint matches."""


def audience(
    whom: Audience, *, step_up: StepUp = StepUp.NO, uploads: bool = False, under: Under = Under.OWN
) -> Callable[[View], View]:
    """Declare whom a view is for. Stands right above it, once."""

    def declare(view: View) -> View:
        view.declared = Declared(whom, step_up, uploads, under)  # type: ignore[attr-defined]
        return view

    return declare


def declared_of(app: Flask, endpoint: str) -> Declared:
    """What an endpoint declares.

    Raises:
        RuntimeError: it declares nothing; the app must not start.
    """
    found = getattr(app.view_functions[endpoint], "declared", None)
    if not isinstance(found, Declared):
        raise RuntimeError(f"the endpoint {endpoint} declares no audience")  # noqa: TRY004  # not about a type
    return found


def check_all(app: Flask) -> None:
    """Refuse to start when an endpoint forgot its audience."""
    for endpoint in app.view_functions:
        declared_of(app, endpoint)


def stand_guard() -> ResponseReturnValue | None:
    """Decide about this request: host, size, then who may, then that the form is ours. None lets it through."""
    g.now = runtime().now()
    endpoint = request.endpoint or ""
    declared = declared_of(current_app, endpoint) if endpoint else _NOTHING
    refused = host_check.check(declared.under)
    if refused is not None:
        return refused
    takes_file = declared.uploads and request.method == "POST"
    if takes_file:
        uploads.check()
    else:
        body.check()
    if isinstance(request.routing_exception, RequestRedirect):
        return _moved(request.routing_exception)
    if request.routing_exception is not None or endpoint in _WITHOUT_IDENTITY:
        return None  # what no endpoint matches answers alike for everybody
    if "portal" in (request.view_args or {}) and asking.identity().portal is None:
        g.alike = True  # a portal that is not there is not there for anybody
        abort(404)
    is_guest = declared.audience is Audience.GUESTS and asking.is_nobody()  # nobody need be looked for
    if declared.audience not in _FOR_ANYBODY and not is_guest:
        answer = _answer_unless_allowed(declared)
        if answer is not None:
            return answer
    if takes_file:
        uploads.let_in()
    csrf.protect()
    return None


def _moved(to: RequestRedirect) -> ResponseReturnValue:
    """To the same path as it should be written; without a host, for behind a proxy its scheme would be wrong."""
    parts = urlsplit(to.new_url)
    return redirect(urlunsplit(("", "", "/" + parts.path.lstrip("/"), parts.query, "")), to.code)


def _answer_unless_allowed(declared: Declared) -> ResponseReturnValue | None:
    who = asking.identity()
    decision = decide(declared.audience, who.stage, who.role, is_fresh(declared.step_up, who))
    if not isinstance(decision, Pass):
        if declared.uploads and uploads.is_large():
            body.drain()
        return answer_for(decision)
    if who.stage is Stage.COMPLETE and who.last_seen_at and asking.now() - who.last_seen_at >= LAST_SEEN_STEP:
        _touch()
    return None


def _touch() -> None:
    try:
        logins.touch(asking.caller())
    except SQLAlchemyError:
        current_app.logger.warning("could not note the last use of a login", exc_info=True)


def answer_for(decision: Decision) -> ResponseReturnValue:
    """What somebody gets who may not (yet): a redirect, a 403, or the same as JSON."""
    match decision:
        case SendTo(destination):
            if wants_json():
                return _json_refusal(destination)
            if destination in (Destination.CODE, Destination.SET_UP):
                _keep_wanted(destination)
            return redirect(_address_of(destination), 303)
        case Refuse(outsider):
            note_refusal("no right to it")
            if wants_json():
                return jsonify(error="forbidden"), 403
            g.outsider = outsider
            abort(403)
        case _:
            raise RuntimeError(f"unknown decision {decision!r}")


def _keep_wanted(destination: Destination) -> None:
    """Somebody in the middle of a log-in wants another page: that of a further way to log in, for instance from a
    guarded host; or the one on the way to which "apply now" has stopped them.
    """
    if request.endpoint == "auth.log_in":
        wanted_page.keep(request.args.get("next"))
    elif destination is Destination.SET_UP and wanted_page.KEY not in session:
        wanted_page.keep(_asked_for())


def note_refusal(why: str) -> None:
    """A line in the log: who was refused what. Who it was is not asked for the sake of the line."""
    who: Identity | None = g.get("identity")
    account = who.account.id if who and who.account else "none"
    _log.warning("refused %s %s to account %s: %s", request.method, request.path, account, why)


_JSON_CODES = {
    Destination.LOG_IN: "log_in_required",
    Destination.CODE: "code_required",
    Destination.SET_UP: "set_up_required",
    Destination.CONFIRM: "confirmation_required",
}


def _json_refusal(destination: Destination) -> ResponseReturnValue:
    code = _JSON_CODES.get(destination)
    if code is None:  # logged in already: a page for others
        return jsonify(error="forbidden"), 403
    return jsonify(error=code), 401


def _address_of(destination: Destination) -> str:
    match destination:
        case Destination.LOG_IN:
            asked = _asked_for()  # of a step of logging in that took too long, the page wanted before
            wanted = wanted_page.usable(asked) or session.get(wanted_page.KEY) or asked
            return with_next(url_for("auth.log_in"), wanted)
        case Destination.CODE:
            return url_for("auth.enter_code")
        case Destination.SET_UP:
            return url_for("auth.set_up")
        case Destination.CONFIRM:
            return with_next(url_for("auth.confirm"), wanted_page.here())
        case Destination.HOME:
            return wanted_page.usable(request.args.get("next")) or url_for("front_office.home")
        case _:
            assert_never(destination)


def _asked_for() -> str | None:
    """The page that was asked for, if it can be asked for again: a POST is never replayed."""
    return wanted_page.here() if request.method in ("GET", "HEAD") else None


def with_next(path: str, wanted: Any) -> str:
    """The path with the wanted page behind it, unless that is the home page anyway."""
    target = local_path(wanted) if isinstance(wanted, str) else None
    return f"{path}?next={quote(target, safe='/')}" if target and target != "/" else path


def wants_json() -> bool:
    """Whether the client asked for JSON rather than a page."""
    if request.headers.get("X-Requested-With") == "XMLHttpRequest":
        return True
    accept = request.accept_mimetypes
    return accept["application/json"] > accept["text/html"]
