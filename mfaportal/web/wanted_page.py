"""The page that somebody wanted before they were asked to log in: kept in the session until the log-in is whole."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from flask import current_app, request, session
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from ..domain import gateway
from ..rules.gateway import return_url
from ..rules.return_to import local_path

KEY = "wanted"
_TO_GUARDED = "/hand-off?to="
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
    path = local_path(wanted) or _way_to_guarded(wanted)
    guarded = guarded_in(path)
    if path is None or (guarded is not None and gateway.at(guarded) is None):
        return None
    try:
        endpoint, _values = _matched(path)
    except RequestRedirect:
        return path
    except HTTPException:
        return None
    again = getattr(current_app.view_functions[endpoint], "comes_back", False)
    return path if again or not endpoint.startswith(_NOT_AGAIN) else None


def _matched(path: str) -> tuple[str, Mapping[str, Any]]:
    """The endpoint that a GET of this path would reach, and the values in it.

    Raises:
        HTTPException: none, or not as it is written.
    """
    adapter = current_app.create_url_adapter(None)
    if adapter is None:
        raise TypeError("addresses are matched against the public URL")
    return adapter.match(path.partition("?")[0], method="GET")


def _way_to_guarded(wanted: str | None) -> str | None:
    """The local page that leads on to a page of a guarded address, or as near to it as a link may be long."""
    found = gateway.at(wanted) if wanted is not None else None
    return _TO_GUARDED + quote(return_url(found.forwarded, found.prefix), safe="") if found is not None else None


def guarded_in(wanted: Any) -> str | None:
    """The page of a guarded address that a wanted page leads to."""
    if not isinstance(wanted, str) or not wanted.startswith(_TO_GUARDED):
        return None
    return unquote(wanted.removeprefix(_TO_GUARDED).partition("&")[0])


def leads_to() -> str | None:
    """The origin of the guarded address to which the form on this page may lead at last."""
    wanted = guarded_in(session.get(KEY)) or guarded_in(_way_in_query(request.args.get("next")))
    found = gateway.at(wanted) if wanted is not None else None
    return found.origin if found is not None else None


def _way_in_query(wanted: str | None) -> str | None:
    return local_path(wanted) or _way_to_guarded(wanted)


def portal_of(wanted: str | None) -> str | None:
    """The slug of the portal to which a wanted page belongs."""
    guarded = guarded_in(usable(wanted))
    if guarded is not None:
        found = gateway.at(guarded)
        return found.portal.slug if found else None
    path = local_path(wanted)
    if path is None:
        return None
    try:
        slug = _matched(path)[1].get("portal")
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
