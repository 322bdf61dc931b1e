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


def create_app(settings: Mapping[str, str] | None = None) -> "Flask":
    """The portal as a WSGI application.

    `settings` takes the place of the environment. A first start makes the instance folder, the keys and the tables.

    Raises:
        SettingError: a setting is wrong or unsafe.
        RuntimeError: an endpoint has no audience.
    """
    from . import cli, models, web  # noqa: F401, PLC0415  # tables are known once they are imported
    from .domain import caller, key_canary  # noqa: PLC0415
    from .plumbing import assembly, db, engines, hash_memory, keys, logs, machine, migrations, staging  # noqa: PLC0415
    from .plumbing.config import SettingError, make_instance_folder, read  # noqa: PLC0415

    logs.configure()
    config = read(os.environ if settings is None else settings)
    staging.finish(config.instance, config.database_url)
    first_start = not engines.is_there(config.database_url)
    make_instance_folder(config)
    opened = keys.open_keys(config, first_start=first_start)
    share = machine.plan(config.workers)
    app = assembly.bare_app(config, opened, threads=share.threads)
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY, MAX_FORM_MEMORY_SIZE=MAX_BODY)
    if os.environ.get("FLASK_RUN_FROM_CLI") == "true":
        migrations.register(app)
    with app.app_context(), engines.refused_in_words():
        if migrations.current(db.db.engine) is None:
            migrations.migrate(config)
        wrong = key_canary.settle(caller.the_portal_itself())
        if wrong is not None:
            raise SettingError(wrong)
    cli.register(app)
    web.register(app)
    hash_memory.MEMORY.keep_small(share.at_once)
    return app


def after_refusal(error: ValueError) -> "Flask":
    """What is there for `flask` when the portal does not start: the commands that help. Anything else ends here."""
    from .cli import refused  # noqa: PLC0415

    return refused.app_for(error)
