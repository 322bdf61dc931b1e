"""Rendering: pages, refused forms, and what templates may call."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Flask, g, make_response, render_template, request, url_for
from flask.wrappers import Response
from wtforms import Field, Form

from ..domain.outcomes import PausedUntil
from . import asking, navigation, static_files
from .wording import moment, of_size, since

UNPROCESSABLE = 422
TOO_MANY = 429
UNAVAILABLE = 503
BUSY = "The portal is very busy just now. Wait a few seconds, then try again. This did not count as an attempt."


def register(app: Flask) -> None:
    """What every template knows. Nothing of it is computed before a template asks."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    addresses: dict[tuple[str, str, str], str] = {}

    def asset(name: str) -> str:
        endpoint = "guarded_host.static" if g.get("guarded_host") else "static"
        key = (endpoint, name, request.root_path)
        if key not in addresses:
            addresses[key] = url_for(endpoint, filename=name, v=static_files.version(name))
        return addresses[key]

    app.jinja_env.globals.update(asset=asset, nav=navigation)
    app.jinja_env.filters["moment"] = _moment
    app.jinja_env.filters["since"] = _since
    app.jinja_env.filters["size"] = of_size


def _moment(instant: datetime | None) -> str:
    return moment(instant, asking.now())


def _since(instant: datetime | None) -> str:
    return since(instant, asking.now())


def refused(template: str, form: Form, field: Field | None, sentence: str, **context: Any) -> Response:
    """The form again, with the reason tied to its field (or above the form): 422."""
    if field is not None:
        field.errors = [*field.errors, sentence]
    else:
        context["refusal"] = sentence
    return invalid(template, form, **context)


def invalid(template: str, form: Form, *, status: int = UNPROCESSABLE, **context: Any) -> Response:
    """The form again, its errors at its fields."""
    return make_response(render_template(template, form=form, **context), status)


def paused(template: str, form: Form, field: Field, sentence: str, pause: PausedUntil, **context: Any) -> Response:
    """The form again, throttled: 429, and when to come back if time alone helps."""
    field.errors = [*field.errors, sentence]
    response = invalid(template, form, status=TOO_MANY, **context)
    if pause.until is not None:
        seconds = (pause.until - g.now).total_seconds()
        response.headers["Retry-After"] = str(max(1, int(seconds) + 1))
    return response


def if_busy(show: Callable[[], Response]) -> None:
    """What to show where there is no place for this request's password: the form with what was typed, and `BUSY`."""
    g.if_busy = show


def turned_away(retry_after: int) -> Response | None:
    """The page of `if_busy`: 503, and when to come back; None where the view has named none."""
    show: Callable[[], Response] | None = g.get("if_busy")
    if show is None:
        return None
    response = show()
    response.status_code = UNAVAILABLE
    response.headers["Retry-After"] = str(retry_after)
    return response
