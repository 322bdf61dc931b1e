"""The value that shows a form to be ours. Flask-WTF checks it; it is made here, with a signer that is made once."""

import secrets
from typing import cast

from flask import Flask, current_app, g, session

from ..plumbing.runtime import runtime
from .signing import Signatures

_KEY = "csrf_token"
_SALT = "wtf-csrf-token"
_SIGNATURES = "mfaportal_form_signatures"


def register(app: Flask) -> None:
    app.extensions[_SIGNATURES] = Signatures([runtime().keys.signing], _SALT)
    app.jinja_env.globals[_KEY] = form_token


def form_token() -> str:
    """The session's value, signed; the same for the whole request."""
    signed = g.get(_KEY)
    if signed is None:
        value = session.get(_KEY)
        if not isinstance(value, str):
            value = session[_KEY] = secrets.token_hex(20)
        signatures: Signatures = current_app.extensions[_SIGNATURES]
        signed = signatures.dumps(value)
        setattr(g, _KEY, signed)
    return cast("str", signed)


def renew() -> None:
    """A new value, for a browser whose login has a new token.

    It is made here, in a POST, so that no GET of somebody logged in needs to write into the session.
    """
    session.pop(_KEY, None)
    g.pop(_KEY, None)
    form_token()
