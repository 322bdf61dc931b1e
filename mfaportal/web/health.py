"""For whoever watches the server: alive, and ready. They say nothing about what runs here."""

from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from ..plumbing import migrations
from ..plumbing.db import db
from ..rules.access import Audience
from .gate import audience
from .host_check import Under

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@audience(Audience.PUBLIC, under=Under.ANY)
def alive() -> ResponseReturnValue:
    """The process answers."""
    return "ok\n", 200, {"Content-Type": "text/plain; charset=utf-8"}


@blueprint.get("/readyz")
@audience(Audience.PUBLIC, under=Under.ANY)
def ready() -> ResponseReturnValue:
    """The database answers and has the shape that this program expects. Keys are opened before the process starts."""
    try:
        is_ready = migrations.is_newest(db.engine)
    except SQLAlchemyError:
        is_ready = False
    text, status = ("ok\n", 200) if is_ready else ("not ready\n", 503)
    return text, status, {"Content-Type": "text/plain; charset=utf-8"}
