"""What every answer carries: a content security policy without exception, and nothing kept by anybody."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

from ..plumbing.runtime import runtime

Start = Callable[..., Any]
Application = Callable[[dict[str, Any], Start], Iterable[bytes]]


def policy(*, forms_to: str = "") -> str:
    """The content security policy. `forms_to`: a further origin to which forms may lead."""
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
        f" form-action 'self'{' ' + forms_to if forms_to else ''};"
        " base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
    )


_FEATURES = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
_ALWAYS = (
    ("Content-Security-Policy", policy()),
    ("Permissions-Policy", _FEATURES),
    ("Referrer-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
FOREIGN = "mfaportal.foreign_host"
"""Set in the environment of a request whose answer is shown on somebody else's host, who may not want HSTS."""
YES = "mfaportal.yes"
"""Set in the environment of a proxy's question that is answered by yes. No browser sees that answer, it has no body,
and what it would say of pages costs the server as much as the rest.
"""
_HSTS = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
_NOT_KEPT = ("Cache-Control", "no-store")


class SafeHeaders:
    """Around the whole application, so that no answer escapes: not an error's, not a static file's.

    Here rather than in an `after_request` because it is on every path: adding to the finished list is free.
    """

    def __init__(self, inner: Application, always: tuple[tuple[str, str], ...]) -> None:
        self._inner = inner
        self._always = always

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        """Serve, with the headers added that the answer has not itself. What does not say so is kept by nobody."""

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            if YES in environ:
                headers.append(_NOT_KEPT)
                return start_response(status, headers, *rest)
            given = {name for name, _value in headers}
            always = _ALWAYS if FOREIGN in environ else self._always
            headers.extend(header for header in always if header[0] not in given)
            if "Cache-Control" not in given:
                headers.append(_NOT_KEPT)
            return start_response(status, headers, *rest)

        return self._inner(environ, start)


def register(app: Flask) -> None:
    """Put the headers around the application."""
    always = (*_ALWAYS, _HSTS) if runtime().settings.https else _ALWAYS
    app.wsgi_app = SafeHeaders(app.wsgi_app, always)  # type: ignore[method-assign]
