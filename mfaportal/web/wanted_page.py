"""The page that somebody wanted before they were asked to log in: kept in the session until the log-in is whole."""

from urllib.parse import quote

from flask import current_app, request, session
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from ..rules.return_to import local_path

KEY = "wanted"
_OF_A_QUERY = "%&=?/:;@!$'()*+,-._~"
_NOT_AGAIN = ("auth.", "health.", "static")


def usable(wanted: str | None) -> str | None:
    """The path if it leads to a page of this portal that a GET opens and that is no step of logging in."""
    path = local_path(wanted)
    if path is None:
        return None
    adapter = current_app.url_map.bind_to_environ(request.environ)
    try:
        endpoint, _values = adapter.match(path.partition("?")[0], method="GET")
    except RequestRedirect:
        return path
    except HTTPException:
        return None
    return None if endpoint.startswith(_NOT_AGAIN) else path


def here() -> str:
    """The address of this request, to be asked for again: in ASCII, whatever bytes came."""
    query = quote(request.query_string, safe=_OF_A_QUERY)
    return f"{request.path}?{query}" if query else request.path


def keep(wanted: str | None) -> None:
    """Remember it for the rest of the log-in; ASCII only, as addresses are: other text may burst the cookie."""
    path = usable(wanted)
    if path is not None and path.isascii():
        session[KEY] = path


def take() -> str:
    """The page wanted, once; the home page if none was."""
    return usable(session.pop(KEY, None)) or "/"
