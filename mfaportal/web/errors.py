"""Error pages: what happened, in words, and a way on. JSON for those who asked for it. Nothing of the inside."""

import errno
import logging
import secrets
from http import HTTPStatus

from flask import Flask, g, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from ..domain.authority import NotAllowed
from ..domain.throttles import LostRace
from ..plumbing.hash_slots import RETRY_AFTER, Busy
from . import body, gate, page, uploads
from .gate import answer_for, wants_json

_log = logging.getLogger("mfaportal.errors")

_PASSES = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EMFILE, errno.ENFILE}
_WORDS = {
    400: ("That did not work", "The portal could not make sense of this request."),
    403: ("No access", "Your account may not open this page."),
    404: ("Not found", "There is nothing at this address, or not any more."),
    405: ("Not like this", "This address does not take requests of that kind."),
    410: ("This link no longer works", "It was used before, it is too old, or a newer one has taken its place."),
    411: ("Its length is missing", "What was sent does not say how long it is."),
    413: ("Too large", "What was sent is larger than this form takes."),
    429: ("Too often", "This was asked for too often in a short time. Wait a few minutes, then try again."),
    500: ("Something went wrong", "The fault is on our side and was noted. Nothing was changed."),
    503: ("Not just now", "The portal cannot save anything at present. Try again in a moment."),
}


def register(app: Flask) -> None:
    """Hang the handlers onto the app."""
    app.json.mimetype = "application/json; charset=utf-8"  # type: ignore[attr-defined]  # Flask's own provider has it
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(RequestEntityTooLarge, _too_large)
    for refused in (uploads.UploadTooLarge, uploads.NoLength, uploads.TooManyUploads, uploads.DiskFull):
        app.register_error_handler(refused, _no_upload)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(NotAllowed, _not_allowed)
    app.register_error_handler(OperationalError, _database_trouble)
    app.register_error_handler(NoConnection, _database_trouble)
    app.register_error_handler(LostRace, _database_trouble)
    app.register_error_handler(OSError, _disk_trouble)
    app.register_error_handler(Busy, _busy)
    app.register_error_handler(Exception, _bug)


def _page(
    status: int, title: str | None = None, sentence: str | None = None, **context: object
) -> ResponseReturnValue:
    words = _WORDS.get(status) or (HTTPStatus(status).phrase, "The portal does not do this.")
    if wants_json():
        return jsonify(error="forbidden" if status == HTTPStatus.FORBIDDEN else HTTPStatus(status).phrase), status
    html = render_template(
        "error.html", status=status, title=title or words[0], sentence=sentence or words[1], **context
    )
    return html, status


def _http_error(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if request.routing_exception is not None or status == HTTPStatus.BAD_REQUEST:
        g.alike = True  # the same for everybody, whoever asks
    answer = _page(status)
    allow = error.get_headers() if status == HTTPStatus.METHOD_NOT_ALLOWED else []
    allowed = dict(allow).get("Allow")
    return (answer[0], status, {"Allow": allowed}) if isinstance(answer, tuple) and allowed else answer


def _stale_form(error: CSRFError) -> ResponseReturnValue:
    gate.note_refusal(f"its form is not ours: {error.description}")
    g.alike = True
    return _page(
        HTTPStatus.BAD_REQUEST,
        "This form is too old",
        "You logged in or out since it was opened, or your browser keeps no cookies. Nothing was done: try again.",
        again=request.path,
    )


def _too_large(_error: RequestEntityTooLarge) -> ResponseReturnValue:
    g.alike = True
    body.drain()
    return _page(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def _no_upload(error: HTTPException) -> ResponseReturnValue:
    g.alike = True
    body.drain()
    response = make_response(_page(error.code or 400, sentence=error.description))
    response.headers.extend(header for header in error.get_headers() if header[0] == "Retry-After")
    return response


def _not_allowed(error: NotAllowed) -> ResponseReturnValue:
    """The right went between the gate and the operation: answer as the gate would now."""
    g.identity = error.identity
    return answer_for(error.decision)


def _database_trouble(error: Exception) -> ResponseReturnValue:
    what = "disk" if isinstance(error, OSError) else "database"
    number = _number()
    _log.error("the %s did not take it, %s: %s", what, number, type(error).__name__, exc_info=error)
    g.alike = True
    answer = _page(HTTPStatus.SERVICE_UNAVAILABLE, number=number)
    return (*answer[:2], {"Retry-After": "5"}) if isinstance(answer, tuple) else answer


def _busy(_error: Busy) -> ResponseReturnValue:
    """No place for a password: nothing of it was counted, so the answer is the same for all that could be typed."""
    again = None if wants_json() else page.turned_away(RETRY_AFTER)
    if again is not None:
        return again
    answer = _page(HTTPStatus.SERVICE_UNAVAILABLE, "Very busy just now", page.BUSY, again=request.path)
    return (*answer[:2], {"Retry-After": str(RETRY_AFTER)}) if isinstance(answer, tuple) else answer


def _disk_trouble(error: OSError) -> ResponseReturnValue:
    """A full disk or a lack of files is nobody's bug, and passes; any other trouble with files is one."""
    return _database_trouble(error) if error.errno in _PASSES else _bug(error)


def _bug(error: Exception) -> ResponseReturnValue:
    number = _number()
    _log.error("bug %s at %s %s", number, request.method, request.path, exc_info=error)
    g.alike = True
    return _page(HTTPStatus.INTERNAL_SERVER_ERROR, number=number)


def _number() -> str:
    """What stands on the page and in the log, so that one leads to the other."""
    return secrets.token_hex(4)
