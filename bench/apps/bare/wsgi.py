"""Floor 'bare': password sign-in with Flask-Login and nothing else.

No second factor, no form tokens, no limits; the session is Flask's signed
cookie and each request looks its user up once, by primary key.
"""

import os
import sqlite3
import threading
from pathlib import Path

import page
from flask import Flask, abort, redirect, render_template, request
from flask_login import LoginManager, UserMixin, current_user, login_required, login_user
from passwords import verify_password

application = Flask(__name__)
application.jinja_loader.searchpath.append(page.__file__.rpartition("/")[0])
application.config.update(
    SECRET_KEY="a key that is fine for a benchmark on loopback",
    SESSION_COOKIE_SECURE=True,
    SESSION_COOKIE_SAMESITE="Lax",
)
login_manager = LoginManager(application)
login_manager.login_view = "login"

_local = threading.local()


def database() -> sqlite3.Connection:
    if not hasattr(_local, "connection"):
        _local.connection = sqlite3.connect(Path(os.environ["BENCH_DATA"]) / "app.sqlite3", isolation_level=None)
        _local.connection.execute("PRAGMA synchronous = NORMAL")
    return _local.connection


class User(UserMixin):
    def __init__(self, number: int, name: str, password: str) -> None:
        self.id = number
        self.name = name
        self.password = password


@login_manager.user_loader
def load_user(user_id: str) -> User | None:
    row = database().execute("SELECT * FROM user WHERE id = ?", (user_id,)).fetchone()
    return User(*row) if row else None


@application.get("/login")
def login() -> str:
    return render_template("login.html")


@application.post("/login")
def check_login():
    row = database().execute("SELECT * FROM user WHERE name = ?", (request.form["name"],)).fetchone()
    if not row or not verify_password(request.form["password"], row[2]):
        abort(401)
    login_user(User(*row))
    return redirect("/secret/")


@application.get("/secret/")
@login_required
def secret() -> str:
    return render_template(page.TEMPLATE, name=current_user.name, rows=page.ROWS)
