"""The floor: Flask with Flask-Login, one look-up by primary key a request, no form tokens, no limits, no MFA."""

import os
import sqlite3
import threading
from pathlib import Path

from flask import Flask, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user, login_required, login_user

from bench.guarded_page import ROWS, TEMPLATE, TEMPLATES

app = Flask(__name__, template_folder=TEMPLATES)
app.config.update(
    SECRET_KEY="fine for a benchmark on loopback",  # noqa: S106
    SESSION_COOKIE_SAMESITE="Lax",
)
manager = LoginManager(app)
_local = threading.local()
DATABASE = Path(os.environ["BENCH_DATA"]) / "bare.sqlite3"


class Somebody(UserMixin):
    """The row, as Flask-Login wants it."""

    def __init__(self, row: tuple[int, str]) -> None:
        self.id, self.name = row


def database() -> sqlite3.Connection:
    """One connection a thread."""
    found: sqlite3.Connection | None = getattr(_local, "connection", None)
    if found is None:
        found = _local.connection = sqlite3.connect(DATABASE, isolation_level=None)
    return found


def seed(accounts: int) -> None:
    """Make the table and as many people."""
    with sqlite3.connect(DATABASE) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE IF NOT EXISTS people (id INTEGER PRIMARY KEY, name TEXT)")
        connection.executemany(
            "INSERT OR IGNORE INTO people VALUES (?, ?)",
            ((number, f"Person {number}") for number in range(1, accounts + 1)),
        )


@manager.user_loader
def load(number: str) -> Somebody | None:
    """The one look-up."""
    row = database().execute("SELECT id, name FROM people WHERE id = ?", (number,)).fetchone()
    return Somebody(row) if row else None


@app.post("/in/<int:number>")
def log_in(number: int) -> ResponseReturnValue:
    """Stands for a log-in: how it comes about is not measured here."""
    found = load(str(number))
    if found is None:
        return "nobody", 404
    login_user(found)
    return redirect("/guarded", 303)


@app.get("/guarded")
@login_required
def guarded() -> str:
    """The page."""
    return render_template(TEMPLATE, name=current_user.name, rows=ROWS)
