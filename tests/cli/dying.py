"""A command that is killed where a function is called, or behind that: nothing is caught, nothing is tidied up."""

import subprocess
import sys

from mfaportal.plumbing.config import ROOT
from tests.server import Server

DIED = 9
_DIE = f"""
import os, sys
from importlib import import_module
from flask.cli import main

(module, _, name), behind = sys.argv[1].rpartition("."), sys.argv[2] == "behind"
module, do = import_module(module), getattr(import_module(module), name)

def die(*arguments, **options):
    if behind:
        do(*arguments, **options)
    os._exit({DIED})

setattr(module, name, die)
sys.argv = ["flask", "--app", "wsgi", *sys.argv[3:]]
main()
"""


def dies_at(server: Server, function: str, *arguments: str, behind: bool = False) -> bool:
    """Run `flask …` until it comes to a function; whether it did."""
    done = subprocess.run(
        [sys.executable, "-c", _DIE, function, "behind" if behind else "before", *arguments],
        cwd=ROOT,
        env=server.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode == DIED
