"""What every application of an installation stands on: settings, keys, database. No pages, no commands."""

from collections.abc import Callable, MutableMapping
from typing import Any

from flask import Flask, Request
from flask import request as current_request
from flask.templating import Environment
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError
from werkzeug.routing import MapAdapter

from . import db, engines, runtime
from .config import ROOT, Settings
from .keys import Keys
from .url_rules import LateRule


class Pages(Environment):
    """Flask's, but that templates have one dictionary of what all of them know: it is gone through for each page."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """What all templates know: complete before the first of them is loaded."""
        return {**self.globals, **(d or {})}


class Portal(Flask):
    """Flask, but for what it works out anew for each request and is the same for all: 100 microseconds of each."""

    url_rule_class = LateRule
    jinja_environment = Pages
    _bound: MapAdapter | None = None

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """As Flask's own where SERVER_NAME is set: that is what addresses are matched against, not `Host`.

        A WebSocket's handshake, which Caddy shows the gateway as it is, counts as a request like any other.
        """
        if self.config["SERVER_NAME"] is None:
            return super().create_url_adapter(request)
        if self._bound is None:
            self._bound = super().create_url_adapter(None)
        bound = self._bound
        if request is None or bound is None:
            return bound
        return MapAdapter(
            self.url_map,
            bound.server_name,
            request.root_path,
            bound.subdomain,
            request.scheme,
            request.path,
            request.method,
            request.query_string.decode("latin-1"),
        )

    def dispatch_request(self) -> ResponseReturnValue:
        """A page that has only read is made once more where the connection to the database died under it."""
        try:
            return super().dispatch_request()
        except OperationalError as error:
            if current_request.method not in ("GET", "HEAD") or not db.may_ask_again(error):
                raise
        return super().dispatch_request()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """None of our functions is a coroutine."""
        return func


def bare_app(settings: Settings, keys: Keys, *, threads: int) -> Flask:
    """An application with nothing in it yet, whose context gives the database and the keys.

    Raises:
        SettingError: the database's file cannot be opened, or is none.
    """
    app = Portal("mfaportal", root_path=str(ROOT), instance_path=str(settings.instance), static_folder=None)
    app.config.update(SECRET_KEY=keys.signing, SECRET_KEY_FALLBACKS=list(keys.signing_fallbacks))
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engines.engine_options(settings.database_url, threads),
    )
    runtime.install(app, runtime.Runtime(settings, keys))
    engines.prepare(settings.database_url)
    db.db.init_app(app)
    with app.app_context():
        engines.listen(db.db.engine)
    return app
