"""What the browser holds: Flask's signed session with the login's token, and a device cookie that proves nothing but
that this browser once completed a log-in.
"""

from typing import Any

from flask import Flask, flash, g, make_response, redirect, request, session, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask.typing import ResponseReturnValue
from flask.wrappers import Request, Response
from flask_login import LoginManager, UserMixin, current_user
from itsdangerous import BadSignature, URLSafeSerializer

from ..domain.outcomes import LoggedIn
from ..models.identity import AccountSeen
from ..plumbing.keys import Keys
from ..plumbing.runtime import runtime
from ..plumbing.tokens import digest
from ..rules.stages import Stage
from . import asking, form_token, wanted_page
from .signing import Signatures

_NO_COOKIE = ";"
"""No cookie can have this name. Nobody is remembered, and a foreign `remember_token` is never even read."""
INVITATION = "invitation_token"
"""Where an invitation's token stands in the session: whoever has an account logs in to accept it."""
WORTH_TELLING = 3
"""So many wrong codes before a right one: fewer are somebody's own slips."""
_MESSAGES = "_flashes"
_MESSAGES_MAX = 4
"""How many wait for the next page: of a program that posts and never looks, they would outgrow the cookie."""
_DEVICE_SALT = "device"
_DEVICE_DAYS = 400
_DEVICES_MAX = 4
"""How many accounts one browser is remembered for."""


class CurrentUser(UserMixin):
    """Flask-Login's user: somebody whose log-in is whole."""

    def __init__(self, account: AccountSeen, token: str) -> None:
        self.account = account
        self.token = token

    def get_id(self) -> str:
        return self.token


class Sessions(SecureCookieSessionInterface):
    """Flask's own. A browser without a session costs no key to open it with: those of guarded hosts have none."""

    def __init__(self, keys: Keys) -> None:
        self._signatures = Signatures(
            [*keys.signing_fallbacks, keys.signing],
            self.salt,
            serializer=self.serializer,
            derivation=self.key_derivation,
        )

    def get_signing_serializer(self, _app: Flask) -> Signatures:
        """Made once: the keys stay what they were at the start."""
        return self._signatures

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session that the browser holds, or an empty one."""
        if self.get_cookie_name(app) not in request.environ.get("HTTP_COOKIE", ""):
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Nothing, where nobody has written into it; who has looked at it says that the answer depends on it."""
        if session.modified:
            if len(session.get(_MESSAGES, ())) > _MESSAGES_MAX:
                session[_MESSAGES] = session[_MESSAGES][-_MESSAGES_MAX:]
            super().save_session(app, session, response)
        elif session.accessed:
            if "Vary" in response.headers:
                response.vary.add("Cookie")
            else:
                response.headers.add("Vary", "Cookie")


class Manager(LoginManager):
    """Flask-Login's, without what it would work out for each request and nobody asks for."""

    def _session_protection_failed(self) -> bool:
        """Sessions are protected by their logins' rows, which know of a stolen cookie what can be known."""
        return False


def register(app: Flask) -> None:
    """Plain signed sessions; Flask-Login reads who is logged in from the gate's one look-up."""
    settings = runtime().settings
    prefix = "__Host-" if settings.https else ""
    app.config.update(
        SESSION_COOKIE_NAME=f"{prefix}mfaportal{settings.cookie_suffix}",
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        SESSION_REFRESH_EACH_REQUEST=False,
        REMEMBER_COOKIE_NAME=_NO_COOKIE,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,
    )
    app.session_interface = Sessions(runtime().keys)
    manager = Manager()
    manager.user_loader(_load_user)
    app.login_manager = manager  # type: ignore[attr-defined]  # in place of `init_app`: nobody is remembered
    app.jinja_env.globals["current_user"] = current_user  # found out where a template asks


def _load_user(token: str) -> CurrentUser | None:
    """Half logged in is anonymous, and on a page that answers alike for everybody, everybody is."""
    if g.get("alike"):
        return None
    who = asking.identity()
    return CurrentUser(who.account, token) if who.stage is Stage.COMPLETE and who.account else None


def carry_on(token: str) -> None:
    """The browser's login has a new token: put it in place of the old one, and renew the CSRF value with it."""
    session[asking.TOKEN] = token
    form_token.renew()


def begin(token: str, wanted: str | None) -> None:
    """A new login in this browser; nothing of the session before it stays but the wanted page and an invitation."""
    kept = {INVITATION: session[INVITATION]} if INVITATION in session else {}
    session.clear()
    session.update(kept)
    carry_on(token)
    wanted_page.keep(wanted)


def complete(login: LoggedIn, way_on: str) -> Response:
    """The second factor was given: the same login goes on, and its owner hears of wrong codes before it."""
    carry_on(login.token)
    if login.wrong_codes >= WORTH_TELLING:
        flash(f"{login.wrong_codes} wrong codes were entered for your account since your last log-in.", "bad")
    return remember_device(redirect(way_on, 303), login.email, login.device)


def end() -> None:
    session.clear()
    g.pop("csrf_token", None)
    g.pop("identity", None)


def part(sentence: str) -> Response:
    """End what this browser holds, and say why on the page of the log-in; what it cached is cleared, too."""
    end()
    flash(sentence, "good")
    response = make_response(redirect(url_for("auth.log_in"), 303))
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def remember_device(response: ResponseReturnValue, email: str, mark: str) -> Response:
    """Mark this browser as one that completed a log-in to the account; without a mark it stays what it is."""
    response = make_response(response)
    if not mark:
        return response
    whose = _whose(email)
    marks = {whose: mark} | {key: value for key, value in _marks().items() if key != whose}
    kept = dict(list(marks.items())[:_DEVICES_MAX])
    settings = runtime().settings
    response.set_cookie(
        _device_cookie(),
        _serializer().dumps(kept),
        max_age=_DEVICE_DAYS * 24 * 3600,
        secure=settings.https,
        httponly=True,
        samesite="Lax",
    )
    return response


def device_for(email: str) -> str | None:
    """The mark of this browser if it completed a log-in to the account with this e-mail."""
    return _marks().get(_whose(email))


def _whose(email: str) -> str:
    return digest(email.strip(" ").lower()).hex()[:16]


def _marks() -> dict[str, str]:
    cookie = request.cookies.get(_device_cookie())
    if not cookie:
        return {}
    try:
        marks: Any = _serializer().loads(cookie[:2000])
    except BadSignature:
        return {}
    return {key: mark for key, mark in marks.items() if isinstance(mark, str)} if isinstance(marks, dict) else {}


def _device_cookie() -> str:
    settings = runtime().settings
    return f"{'__Host-' if settings.https else ''}mfaportal-device{settings.cookie_suffix}"


def _serializer() -> URLSafeSerializer:
    keys = runtime().keys
    return URLSafeSerializer([*keys.signing_fallbacks, keys.signing], salt=_DEVICE_SALT)
