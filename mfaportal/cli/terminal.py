"""What all commands share: who is calling, how a line, a list and a refusal are put, how a password is read."""

import json
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import wraps
from typing import Any, NoReturn

import click
from flask.cli import AppGroup
from sqlalchemy.exc import OperationalError

from ..domain.caller import Caller, Source
from ..plumbing import migrations
from ..plumbing.addresses import normalise
from ..plumbing.db import db
from ..plumbing.runtime import runtime
from ..rules.lifetimes import LoginLimits
from ..rules.password_rule import PasswordRefusal

FLASK = "flask --app wsgi"
_LINE_MAX = 4096
"""Bytes of a password's line; longer than any that is allowed."""


class Text(click.ParamType[str]):
    """Text that can be stored: a shell may hand over bytes that are none."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            value.encode()
        except UnicodeEncodeError:
            self.fail("This is not UTF-8.", param, ctx)
        return value


class Email(Text):
    """An e-mail address in the one way it is written down; what is none stays as it is, and is nobody's."""

    name = "e-mail"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = super().convert(value, param, ctx)
        return normalise(text) or text


as_json = click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")


class Commands(AppGroup):
    """A group whose commands look at the database before they begin."""

    def command(self, *args: Any, **kwargs: Any) -> Callable[[Callable[..., Any]], click.Command]:  # type: ignore[override]
        register = super().command(*args, **kwargs)
        return lambda function: register(prepared(function))


def prepared(function: Callable[..., Any]) -> Callable[..., Any]:
    """The command, once the database has the shape that this version works with; its failures in one sentence."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            _check_shape()
            return function(*args, **kwargs)
        except OperationalError as error:
            reason = str(error.orig).splitlines()[0]
            raise click.ClickException(f"The database did not answer, and nothing was changed: {reason}") from error

    return run


def _check_shape() -> None:
    revision = migrations.current(db.engine)
    if revision is None or revision < migrations.HEAD:
        refuse(f"The database is not migrated to this version of the portal. Run: {FLASK} db upgrade")
    if revision > migrations.HEAD:
        refuse(f"The database was migrated by a newer version of the portal ({revision}). Run that version.")


def caller() -> Caller:
    """The command line: it may do everything, and the log says that it was it."""
    settings = runtime().settings
    return Caller(now(), Source.COMMAND_LINE, LoginLimits(settings.login_idle, settings.login_max_age))


def now() -> datetime:
    return runtime().now()


def link(path: str, token: str) -> str:
    """A one-time link as people open it."""
    return f"{runtime().settings.public_url}/{path}/{token}"


def refuse(sentence: str) -> NoReturn:
    """Say on standard error why nothing was done, and exit with 1."""
    raise click.ClickException(sentence)


def say(text: str) -> None:
    """Print; what the terminal cannot show is written as an escape rather than ending in a traceback."""
    encoding = sys.stdout.encoding
    click.echo(text.encode(encoding, "backslashreplace").decode(encoding))


def say_json(found: Sequence[Any]) -> None:
    """A list for other programs: ASCII only, whatever the terminal's encoding."""
    click.echo(json.dumps(list(found), indent=2))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as what stands in them."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def read_password(prompt: str = "Password", *, twice: bool = False) -> str:
    """The first line of standard input without its newline. A terminal asks, and shows nothing of what is typed;
    `twice` where a slip of the finger would not be noticed.
    """
    stream = sys.stdin.buffer
    if stream.isatty():
        again = "Once more" if twice else False
        return click.prompt(prompt, hide_input=True, err=True, confirmation_prompt=again)
    line = stream.readline(_LINE_MAX)
    if len(line) == _LINE_MAX:
        refuse(PasswordRefusal.TOO_LONG.value)
    try:
        password = line.removesuffix(b"\n").removesuffix(b"\r").decode()
    except UnicodeDecodeError:
        refuse("The password on standard input is not UTF-8.")
    if not password:
        refuse("There is no password on the first line of standard input.")
    return password
