"""The page that somebody wanted before they were asked to log in: kept in the session until the log-in is whole."""

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

from flask import current_app, request, session
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from ..rules.return_to import local_path

KEY = "wanted"
_OF_A_QUERY = "%&=?/:;@!$'()*+,-._~"
_NOT_AGAIN = ("auth.", "health.", "static")
View = TypeVar("View", bound=Callable[..., Any])


def comes_back(view: View) -> View:
    """Declare that a page of logging in is one to come back to, once the log-in is whole."""
    view.comes_back = True  # type: ignore[attr-defined]
    return view


def usable(wanted: str | None) -> str | None:
    """The path if it leads to a page of this portal that a GET opens and that is no step of logging in.

    Of the pages about logging in, those are usable that declare it (`comes_back`).
    """
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
    again = getattr(current_app.view_functions[endpoint], "comes_back", False)
    return path if again or not endpoint.startswith(_NOT_AGAIN) else None


def portal_of(wanted: str | None) -> str | None:
    """The slug of the portal to which a wanted page belongs."""
    path = local_path(wanted)
    if path is None:
        return None
    adapter = current_app.url_map.bind_to_environ(request.environ)
    try:
        slug = adapter.match(path.partition("?")[0], method="GET")[1].get("portal")
    except HTTPException:  # a redirect is one, too
        return None
    return slug if isinstance(slug, str) else None


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
