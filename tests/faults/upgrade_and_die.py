"""Runs the portal's own commands, each in a process of its own, which may be killed at a step of the database.

Reads a line of JSON for each time, `{"run": ["start", "db upgrade"], "die_at": 7, "settings": {…}}`, runs those at
once, and answers with a line of what became of each. They are forked from here only because what they load takes a
second: it is loaded once.
"""

import json
import os
import runpy
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import flask.cli
import flask_migrate  # noqa: F401
from sqlalchemy import Engine, event

import mfaportal.cli
import mfaportal.models
import mfaportal.web  # noqa: F401

STEPS, MADE_TABLES = "steps of the database: ", "has made tables"


class Steps:
    """Counts statements and commits; at the one that it is told to die at, its process gets a SIGKILL."""

    def __init__(self, die_at: int) -> None:
        self.count, self._last, self.made_tables = 0, die_at, False
        event.listen(Engine, "before_cursor_execute", self.step)
        event.listen(Engine, "commit", self.step)

    def step(self, *what: object) -> None:
        self.count += 1
        self.made_tables |= any(str(each).lstrip().startswith("CREATE TABLE") for each in what)
        if self.count == self._last:
            os.kill(os.getpid(), signal.SIGKILL)


def _command(words: str) -> object:
    """What the operator types, up to its exit."""
    try:
        if words == "start":
            runpy.run_module("mfaportal", run_name="__main__")
        else:
            flask.cli.cli.main(["--app", "wsgi", *words.split()], prog_name="flask")
    except SystemExit as ended:
        return ended.code
    return 0


def _child(words: str, die_at: int, go: int, output: Path) -> None:
    """Waits until all are there, and runs. Never returns."""
    status = 70
    try:
        said = os.open(output, os.O_WRONLY)
        os.dup2(said, 1)
        os.dup2(said, 2)
        steps = Steps(die_at)
        os.read(go, 1)
        status = int(_command(words) or 0)  # type: ignore[call-overload]
        if steps.count < die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        sys.stdout.write(f"{MADE_TABLES if steps.made_tables else ''}\n{STEPS}{steps.count}\n")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def together(run: list[str], die_at: int, scratch: Path) -> list[dict[str, Any]]:
    wait, go = os.pipe()
    started = []
    for number, words in enumerate(run):
        output = scratch / str(number)
        output.write_text("")
        child = os.fork()
        if child == 0:
            os.close(go)
            _child(words, die_at, wait, output)
        started.append((child, output))
    os.close(wait)
    os.close(go)  # which all of them see at the same moment
    ended = [(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), output.read_text()) for child, output in started]
    return [{"status": status, "said": said} for status, said in ended]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            wish = json.loads(line)
            os.environ.update(wish["settings"])
            sys.stdout.write(json.dumps(together(wish["run"], wish["die_at"], Path(folder))) + "\n")
            sys.stdout.flush()
