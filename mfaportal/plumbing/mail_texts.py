"""The texts of mails: a template each, in the app's own environment but without a request, and strict about facts."""

from typing import cast

from flask import current_app
from jinja2 import Environment, StrictUndefined

_KEPT = "mfaportal_mail_texts"
_SUBJECT = "Subject: "


def render(kind: str, facts: dict[str, object]) -> tuple[str, str]:
    """Subject and body of a mail of this kind. Plain text, so nothing is escaped.

    Raises:
        jinja2.TemplateError: there is no such template, or it needs a fact that is not there.
    """
    text = _environment().get_template(f"email/{kind}.txt").render(facts)
    subject, _, body = text.partition("\n")
    return subject.removeprefix(_SUBJECT), body


def _environment() -> Environment:
    """Made once an app: it keeps what it has compiled."""
    kept = current_app.extensions.get(_KEPT)
    if kept is None:
        kept = current_app.jinja_env.overlay(
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,  # a part that is included ends its line
        )
        current_app.extensions[_KEPT] = kept
    return cast("Environment", kept)
