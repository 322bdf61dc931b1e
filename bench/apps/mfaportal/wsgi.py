"""The portal as it is served, with one more page: the benchmark's, behind the gate, for whoever is logged in."""

import runpy
from pathlib import Path

from flask import Flask, render_template
from flask_login import current_user
from jinja2 import ChoiceLoader, FileSystemLoader

from bench.apps.mfaportal import passwords
from bench.apps.shared import page
from mfaportal.plumbing.config import ROOT
from mfaportal.rules.access import Audience
from mfaportal.web.gate import audience, check_all

passwords.turn_down()
application: Flask = runpy.run_path(str(ROOT / "wsgi.py"))["app"]
application.jinja_loader = ChoiceLoader(  # type: ignore[assignment]
    [FileSystemLoader(Path(page.__file__).parent), application.jinja_loader or FileSystemLoader([])]
)


@application.get("/secret/")
@audience(Audience.ACCOUNT)
def secret() -> str:
    """The page that every system shows."""
    return render_template(page.TEMPLATE, name=current_user.account.name, rows=page.ROWS)


check_all(application)
