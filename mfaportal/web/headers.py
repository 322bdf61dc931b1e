"""What every answer carries: a content security policy without exception, and nothing kept by anybody."""

from flask import Flask, request
from flask.wrappers import Response

from ..plumbing.runtime import runtime

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
_FEATURES = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
_ALWAYS = (
    ("Content-Security-Policy", _POLICY),
    ("Permissions-Policy", _FEATURES),
    ("Referrer-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
_HSTS = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")


def register(app: Flask) -> None:
    """Add the headers to every answer, errors and static files included."""
    always = (*_ALWAYS, _HSTS) if runtime().settings.https else _ALWAYS

    @app.after_request
    def add(response: Response) -> Response:
        for name, value in always:
            response.headers.setdefault(name, value)
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response
