"""Who is asking, for this request: read once, kept for the request, handed to operations as their caller."""

from datetime import datetime
from typing import cast

from flask import g, request, session

from ..domain.caller import Caller, Source
from ..models import identity as identities
from ..models.identity import ONLY_PORTAL, AccountSeen, Identity, PortalSeen
from ..models.login import BROWSER_MAX
from ..plumbing.logs import masked
from ..plumbing.runtime import runtime
from ..plumbing.tokens import digest
from ..rules.lifetimes import LoginLimits
from .client import client_address

TOKEN = "_user_id"  # noqa: S105
"""Flask-Login's own key in the session; what stands under it is the login's token."""
TOKEN_MAX = 100


def now() -> datetime:
    """The request's one instant, read by the gate."""
    return cast("datetime", g.now)


def limits() -> LoginLimits:
    settings = runtime().settings
    return LoginLimits(settings.login_idle, settings.login_max_age)


def token_digest() -> bytes | None:
    """The digest of the token in the browser's session, if there is one."""
    token = session.get(TOKEN)
    return digest(token) if isinstance(token, str) and len(token) <= TOKEN_MAX else None


def identity() -> Identity:
    """Who is asking: one statement a request, outside any transaction."""
    found = g.get("identity")
    if found is None:
        found = identities.of_browser(token_digest=token_digest(), slug=_slug(), now=now(), limits=limits())
        g.identity = found
    return cast("Identity", found)


def is_nobody() -> bool:
    """Whether the browser brings no token of a login."""
    return session.get(TOKEN) is None


def _slug() -> str | None:
    values = request.view_args or {}
    slug = values.get("portal")
    return slug if isinstance(slug, str) else ONLY_PORTAL


def caller() -> Caller:
    """The first argument of every operation."""
    who = None if is_nobody() else identity()
    return Caller(
        now=now(),
        source=Source.WEB,
        limits=limits(),
        account_id=who.account.id if who is not None and who.account else None,
        login_id=who.login_id if who is not None else None,
        address=client_address(),
        browser=masked(request.headers.get("User-Agent", ""))[:BROWSER_MAX],
    )


def account() -> AccountSeen:
    """The account; only for views that the gate opens to somebody logged in."""
    found = identity().account
    if found is None:
        raise TypeError("nobody is logged in here")
    return found


def portal() -> PortalSeen:
    """The portal of the URL; only for views below it."""
    found = identity().portal
    if found is None:
        raise TypeError("there is no portal in this URL")
    return found
