"""A terminal without a screen: runs a command in the test's app, and sees what it printed and noted."""

import json
from dataclasses import dataclass, field
from typing import Any

from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, select

from mfaportal.models import Event
from mfaportal.plumbing.db import reading


@dataclass
class Ran:
    """A command that has ended. `events`: what it wrote into the audit log, oldest first."""

    code: int
    out: str
    err: str
    events: list[Event] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def kinds(self) -> list[str]:
        """The events' kinds; all of them are the command line's own, done by no account."""
        assert {(event.source, event.actor_id) for event in self.events} <= {("cli", None)}
        return [event.kind for event in self.events]


class Terminal:
    def __init__(self, app: Flask) -> None:
        self.app = app

    def run(self, *arguments: str, stdin: str | bytes = "") -> Ran:
        """Run `flask …`; an exception that the command did not turn into a sentence fails the test."""
        before = self._last_event()
        runner: CliRunner = self.app.test_cli_runner()
        result = runner.invoke(self.app.cli, list(arguments), input=stdin, catch_exceptions=False)
        return Ran(result.exit_code, result.stdout, result.stderr, self._events_after(before))

    def do(self, *arguments: str, stdin: str | bytes = "") -> Ran:
        """Run what must succeed: nothing on standard error."""
        ran = self.run(*arguments, stdin=stdin)
        assert (ran.code, ran.err) == (0, ""), ran
        return ran

    def refused(self, *arguments: str, stdin: str | bytes = "") -> str:
        """Run what must be refused: one sentence on standard error, nothing printed, nothing noted."""
        ran = self.run(*arguments, stdin=stdin)
        assert (ran.code, ran.out, ran.events) == (1, "", []), ran
        assert ran.err.startswith("Error: ")
        assert ran.err.count("\n") == 1
        return ran.err.removeprefix("Error: ").strip()

    def misused(self, *arguments: str) -> str:
        """Run what is wrong usage."""
        ran = self.run(*arguments)
        assert (ran.code, ran.out, ran.events) == (2, "", []), ran
        assert ran.err.startswith("Usage: ")
        return ran.err.rpartition("Error: ")[2].strip()

    def _last_event(self) -> int:
        with self.app.app_context(), reading() as session:
            return session.scalar(select(func.max(Event.id))) or 0

    def _events_after(self, number: int) -> list[Event]:
        with self.app.app_context(), reading() as session:
            return list(session.scalars(select(Event).where(Event.id > number).order_by(Event.id)))
