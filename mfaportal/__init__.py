"""mfaportal: a log-in with enforced multi-factor authentication for data portals. `create_app` puts it together.

Nothing is imported before it is called: the server's own process reads the settings and stays small.
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

MAX_BODY = 64 * 1024
"""Bytes of a form; more is 413 (security.md, fact 5)."""
THREADS = 4
"""A worker's threads, and so its connections to the database."""


def create_app(settings: Mapping[str, str] | None = None) -> "Flask":
    """The portal as a WSGI application.

    `settings` takes the place of the environment. A first start makes the instance folder, the keys and the tables.

    Raises:
        SettingError: a setting is wrong or unsafe.
        RuntimeError: an endpoint has no audience.
    """
    from flask import Flask  # noqa: PLC0415

    from . import cli, models, web  # noqa: F401, PLC0415  # tables are known once they are imported
    from .plumbing import db, keys, logs, migrations, passwords, runtime  # noqa: PLC0415
    from .plumbing.config import ROOT, make_instance_folder, read  # noqa: PLC0415

    logs.configure()
    config = read(os.environ if settings is None else settings)
    first_start = not db.file_exists(config.database_url)
    make_instance_folder(config)
    opened = keys.open_keys(config, first_start=first_start)
    app = Flask("mfaportal", root_path=str(ROOT), instance_path=str(config.instance), static_folder=None)
    app.config.update(SECRET_KEY=opened.signing, SECRET_KEY_FALLBACKS=list(opened.signing_fallbacks))
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY, MAX_FORM_MEMORY_SIZE=MAX_BODY)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=config.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=db.engine_options(config.database_url, THREADS),
    )
    runtime.install(app, runtime.Runtime(config, opened))
    db.prepare_file(config.database_url)
    db.db.init_app(app)
    if os.environ.get("FLASK_RUN_FROM_CLI") == "true":
        migrations.register(app)
    with app.app_context():
        db.listen(db.db.engine)
        if migrations.current(db.db.engine) is None:
            migrations.migrate(config)
    cli.register(app)
    web.register(app)
    passwords.keep_memory_small()
    return app
