"""What every application of an installation stands on: settings, keys, database. No pages, no commands."""

from flask import Flask

from . import db, runtime
from .config import ROOT, Settings
from .keys import Keys


def bare_app(settings: Settings, keys: Keys, *, threads: int) -> Flask:
    """An application with nothing in it yet, whose context gives the database and the keys.

    Raises:
        SettingError: the database's file cannot be opened, or is none.
    """
    app = Flask("mfaportal", root_path=str(ROOT), instance_path=str(settings.instance), static_folder=None)
    app.config.update(SECRET_KEY=keys.signing, SECRET_KEY_FALLBACKS=list(keys.signing_fallbacks))
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=db.engine_options(settings.database_url, threads),
    )
    runtime.install(app, runtime.Runtime(settings, keys))
    db.prepare_file(settings.database_url)
    db.db.init_app(app)
    with app.app_context():
        db.listen(db.db.engine)
    return app
