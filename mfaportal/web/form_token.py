"""The value that shows a form to be ours, and when it was opened. Flask-WTF checks it; it is made here, with a signer
that is made once.
"""

import secrets
from datetime import datetime
from hmac import compare_digest
from typing import cast

from flask import Flask, current_app, g, request, session
from itsdangerous import BadData

from ..plumbing.runtime import runtime
from .signing import Signatures

_KEY = "csrf_token"
_SALT = "wtf-csrf-token"
_SIGNATURES = "mfaportal_form_signatures"


def register(app: Flask) -> None:
    app.extensions[_SIGNATURES] = Signatures([runtime().keys.signing], _SALT, clock=_now)
    app.jinja_env.globals[_KEY] = form_token


def form_token() -> str:
    """The session's value, signed; the same for the whole request."""
    signed = g.get(_KEY)
    if signed is None:
        value = session.get(_KEY)
        if not isinstance(value, str):
            value = session[_KEY] = secrets.token_hex(20)
        signed = _signatures().dumps(value)
        setattr(g, _KEY, signed)
    return cast("str", signed)


def opened_at() -> datetime | None:
    """When the form that is sent here was opened, in whole seconds; None where it is not this session's."""
    sent = _sent()
    try:
        value, at = _signatures().loads(sent or "", return_timestamp=True)
    except BadData:
        return None
    ours = session.get(_KEY)
    is_ours = isinstance(value, str) and isinstance(ours, str) and compare_digest(value, ours)
    return cast("datetime", at) if is_ours else None


def keep_sent() -> None:
    """A form that is shown once more, with what was typed, is as old as it was."""
    setattr(g, _KEY, _sent())


def _sent() -> str | None:
    """Where Flask-WTF looks for it, too."""
    headers = current_app.config["WTF_CSRF_HEADERS"]
    return request.form.get(_KEY) or next((value for name in headers if (value := request.headers.get(name))), None)


def _signatures() -> Signatures:
    return cast("Signatures", current_app.extensions[_SIGNATURES])


def _now() -> datetime:
    return cast("datetime", g.now) if "now" in g else runtime().now()


def renew() -> None:
    """A new value, for a browser whose login has a new token.

    It is made here, in a POST, so that no GET of somebody logged in needs to write into the session.
    """
    session.pop(_KEY, None)
    g.pop(_KEY, None)
    form_token()
