"""The portal as it is, with one more page: the same template, behind the gate, for whoever is logged in."""

from flask import render_template
from flask_login import current_user
from jinja2 import ChoiceLoader, FileSystemLoader

from bench.guarded_page import ROWS, TEMPLATE, TEMPLATES
from mfaportal import create_app
from mfaportal.rules.access import Audience
from mfaportal.web.gate import audience, check_all

app = create_app()
app.jinja_loader = ChoiceLoader([FileSystemLoader(TEMPLATES), app.jinja_loader])  # type: ignore[list-item]


@app.get("/guarded")
@audience(Audience.ACCOUNT)
def guarded() -> str:
    """The page."""
    return render_template(TEMPLATE, name=current_user.account.name, rows=ROWS)


check_all(app)
