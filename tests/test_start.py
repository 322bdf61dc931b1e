"""What a start loads and what it leaves for later: seconds at every start, and megabytes of every worker."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from werkzeug.routing import Map, Rule

from mfaportal.plumbing.config import ROOT
from mfaportal.plumbing.url_rules import LateRule
from tests import databases
from tests.quick_apps import COMPILE

LATER = [
    "PIL",
    "alembic",
    "cryptography",
    "dns",
    "email.headerregistry",
    "email_validator",
    "flask_migrate",
    "idna",
    "mfaportal.cli.accounts",
    "mfaportal.cli.terminal",
    "mfaportal.domain.backups",
    "mfaportal.domain.database_copy",
    "mfaportal.domain.demo",
    "mfaportal.domain.doctor",
    "mfaportal.domain.key_rotation",
    "mfaportal.domain.restoring",
    "mfaportal.plumbing.archive",
    "mfaportal.plumbing.postgresql",
    "psycopg",
    "pyrage",
    "qrcode",
    "smtplib",
    "sqlalchemy.dialects.postgresql",
    "tarfile",
    "ua_parser",
    "zxcvbn",
]
OF_POSTGRESQL = {"mfaportal.plumbing.postgresql", "psycopg", "sqlalchemy.dialects.postgresql"}
_START = """
import gc, json, sys
from werkzeug.routing import Rule
compiled, compile_rule = [], Rule._compile_builder
Rule._compile_builder = lambda rule, *rest: compiled.append(rule.rule) or compile_rule(rule, *rest)
import wsgi
said = {"imported": sorted(sys.modules), "compiled": compiled[:], "gc": gc.isenabled()}
page = wsgi.app.test_client().get("/log-in", base_url="http://127.0.0.1:8000")
said |= {"status": page.status_code, "answered": sorted(sys.modules), "frozen": gc.get_freeze_count()}
print(json.dumps(said))
"""


@pytest.fixture
def started(instance: Path) -> dict[str, Any]:
    """What a process says that starts as a server's worker does, and answers one request."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MFAPORTAL_")}
    done = subprocess.run(
        [sys.executable, "-c", _START],
        env=kept | databases.settings_of(instance),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["status"] == 200
    return found


def test_a_start_loads_only_what_every_worker_needs(started: dict[str, Any], database_url: str) -> None:
    later = [name for name in LATER if database_url.startswith("sqlite") or name not in OF_POSTGRESQL]
    for when in ("imported", "answered"):
        assert [name for name in later if name in started[when]] == [], when
    assert started["compiled"] == []
    assert started["gc"]
    assert started["frozen"] > 50_000


@pytest.mark.parametrize("kind", [LateRule, Rule])
def test_addresses_are_written_as_werkzeug_writes_them(kind: type[Rule], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rule, "compile", COMPILE)
    rules = [
        kind("/", endpoint="home"),
        kind("/people/<int:number>/", endpoint="person"),
        kind("/a b/<path:rest>", endpoint="rest"),
        kind("/all", endpoint="list", defaults={"page": 1}),
        kind("/all/<int:page>", endpoint="list"),
    ]
    at = Map(rules).bind("example.org")
    for append in (True, False, True, False):
        assert at.build("home", append_unknown=append) == "/"
        more = at.build("home", {"q": "å b", "self": "x", "rule": "y"}, append_unknown=append)
        assert more == ("/?q=%C3%A5+b&self=x&rule=y" if append else "/")
        twice = at.build("person", {"number": 7, "v": ["1", "2"]}, append_unknown=append)
        assert twice == ("/people/7/?v=1&v=2" if append else "/people/7/")
        assert at.build("rest", {"rest": "c/ü d"}, append_unknown=append) == "/a%20b/c/%C3%BC%20d"
        assert at.build("list", {"page": 1}, append_unknown=append) == "/all"
        assert at.build("list", {"page": 2}, append_unknown=append) == "/all/2"
